import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Holder } from '../accounts/principal.ts';
import { Secret } from '../kernel/secret.ts';
import type { ImportOutcome, PackFile, PackReader, PackWriter } from '../rights/copier.ts';
import { type Installation, createInstallation, person } from './testing/installation.ts';

const alice = person();
const holder: Holder = { accountId: alice.accountId, accountKey: new Secret(new Uint8Array(32)) };
const PROGRAM = { bytes: Buffer.from('MACHINE CODE'), executable: true };

let here: Installation;
let there: Installation;
beforeEach(async () => {
  [here, there] = await Promise.all([createInstallation(), createInstallation()]);
  for (const at of [here, there])
    at.build = async () => ({ code: new Map([['program', PROGRAM]]), layer: null, runtimeDetail: 'Go 1.24' });
});
afterEach(async () => {
  await Promise.all([here.dispose(), there.dispose()]);
});

type Rows = Map<string, object[]>;

async function exported(at: Installation): Promise<Rows> {
  const rows: Rows = new Map();
  const writer: PackWriter = {
    async rows({ name }: PackFile, all) {
      const found: object[] = [];
      for await (const row of all) found.push(row);
      rows.set(name, found);
    },
    missing: (_file, name) => expect.fail(name),
  };
  await at.functions.copier.exportTo(holder, writer);
  return rows;
}

async function imported(at: Installation, rows: Rows): Promise<string[]> {
  const told: string[] = [];
  const reader: PackReader = {
    async *rows<Row>(file: PackFile<Row>) {
      for (const row of rows.get(file.name) ?? []) yield file.row.parse(row);
    },
    lacks: () => false,
  };
  const outcome: ImportOutcome = {
    taken: (kind) => void told.push(kind),
    left: (_kind, name, thrown) => void told.push(`${name}: ${(thrown as { code: string }).code}`),
  };
  await at.functions.copier.importFrom?.(holder, reader, outcome);
  return told;
}

const source = { 'main.go': 'package main' };
const kinds = (at: Installation): string[] => at.blobs().map((path) => path.split('/')[0] ?? '');

describe('a compiled function', () => {
  it('is copied with the sources that were uploaded, from which another installation builds it', async () => {
    await here.deployed(alice, 'greeter', source);
    const code = (await exported(here)).get('code') ?? [];
    expect(code).toHaveLength(3);
    expect(code).toContainEqual({
      shortname: 'greeter',
      version: 1,
      path: 'main.go',
      executable: false,
      base64: Buffer.from('package main').toString('base64'),
    });

    const built: string[] = [];
    there.build = async (request) => {
      built.push(String(request.source.get('main.go')?.bytes));
      return { code: new Map([['program', PROGRAM]]), layer: null, runtimeDetail: 'Go 1.24' };
    };
    expect(await imported(there, await exported(here))).toEqual(['function version']);
    expect(built).toEqual(['package main']);
    expect((await exported(there)).get('code')).toEqual(code);
  });

  it('keeps them sealed beside its code over a restart, and loses both with its version', async () => {
    await here.deployed(alice, 'greeter', source);
    await here.deployed(alice, 'greeter', source);
    await here.crash();
    expect(kinds(here)).toEqual(['code', 'code', 'source', 'source']);
    expect(here.everyByte().includes('package main')).toBe(false);
    const { id } = await here.functions.get(alice, 'greeter');
    await here.functions.delete(alice, 'greeter', 1);
    expect(here.blobs()).toEqual([`code/${id}-2`, `source/${id}-2`]);
    await here.functions.erase(alice.accountId);
    expect(here.blobs()).toEqual([]);
    for (const version of [1, 2]) expect(await here.keyRing.find(`source/${id}-${version}`)).toBeUndefined();
  });

  it('that was built before sources were kept is copied as it is, and stays behind elsewhere', async () => {
    await here.deployed(alice, 'greeter', source);
    const { id } = await here.functions.get(alice, 'greeter');
    await here.keyRing.destroy(`source/${id}-1`);
    const rows = await exported(here);
    expect(rows.get('code')).toMatchObject([{ path: 'program', executable: true }]);
    expect(await imported(there, rows)).toEqual(['greeter 1: rights.no_sources']);
  });
});

it('a function that runs as it was uploaded is kept once', async () => {
  here.build = async (request) => ({ code: request.source, layer: null, runtimeDetail: 'Node 24' });
  await here.deployed(alice, 'greeter');
  expect(kinds(here)).toEqual(['code']);
});
