import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type CopyFiles, rowsOf, unpackCopy } from '../acceptance/copy-files.ts';
import { newCustomer } from '../acceptance/aimee-customer.ts';
import type { TakenCopy } from '../contract/index.ts';
import { createClient } from '../testkit/index.ts';
import { rawZip } from '../testkit/raw-zip.ts';

/** Copies by a hostile controller: whole and with all hashes right, and made to break what takes them over. */
const platform = inject('platform');
const { url, dataDir } = platform;
let key: string;
let honest: CopyFiles;

beforeAll(async () => {
  const owner = createClient(url, platform.apiKey);
  const name = `packs-${process.pid}`;
  key = (await newCustomer(() => platform as never, owner, name)).apiKey;
  const response = await fetch(`${url}/api/v1/rights/copy`, { headers: { 'x-jf-apikey': key } });
  honest = await unpackCopy(new Uint8Array(await response.arrayBuffer()));
});

interface Listed {
  path: string;
  rows: number;
  bytes: number;
  sha256: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** An honest copy with other rows, and manifests that fit. */
function packWith(rows: Readonly<Record<string, readonly object[]>>): Buffer {
  const files = new Map(honest);
  const manifest = JSON.parse(files.get('data/manifest.json') ?? '') as { files: Listed[] };
  for (const [place, objects] of Object.entries(rows)) {
    const path = `data/${place}.jsonl`;
    const text = objects.map((object) => `${JSON.stringify(object)}\n`).join('');
    files.set(path, text);
    const listed = manifest.files.find((file) => file.path === path);
    Object.assign(listed ?? {}, {
      rows: objects.length,
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
    });
  }
  files.set('data/manifest.json', JSON.stringify(manifest));
  const payload = [...files].filter(([path]) => path.startsWith('data/'));
  files.set('manifest-sha256.txt', payload.map(([path, text]) => `${sha256(text)}  ${path}\n`).join(''));
  return rawZip([...files].map(([path, data]) => ({ name: `jellyfaas-copy/${path}`, data })));
}

async function send(path: string, pack: Uint8Array, headers: Record<string, string>): Promise<Response> {
  return await fetch(`${url}/api/v1/rights/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/zip', ...headers },
    body: Buffer.from(pack),
  });
}

async function taken(rows: Readonly<Record<string, readonly object[]>>): Promise<TakenCopy> {
  const response = await send('imports', packWith(rows), { 'x-jf-apikey': key });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as TakenCopy;
}

async function listOf(path: string): Promise<string> {
  return await (await fetch(`${url}/api/v1${path}`, { headers: { 'x-jf-apikey': key } })).text();
}

const codePart = (path: string, text: string, shortname = 'hostile'): object => ({
  shortname,
  version: 1,
  path,
  executable: false,
  base64: Buffer.from(text).toString('base64'),
});
const SPEC = JSON.stringify({ name: 'H', shortname: 'hostile', runtime: 'nodejs24', entrypoint: 'x' });

describe('a copy that is whole and hostile', () => {
  it('is taken when there is nothing in it', async () => {
    expect(await taken({})).toMatchObject({ taken: {}, left: [], leftCount: 0 });
  });

  it.each(['../../../../etc/cron.d/x', '/etc/cron.d/x', 'a\\..\\x', 'a//b', ''])(
    'has no function with a file %j',
    async (path) => {
      const { taken: objects, left } = await taken({
        'functions/code': [codePart('jellyspec.json', SPEC), codePart(path, 'x')],
      });
      expect(objects).toEqual({});
      expect(left[0]?.code).toMatch(/^functions\.archive_/);
      expect(await listOf('/functions')).not.toContain('hostile');
    },
  );

  it('adds no version to a function that is there, by naming it in its settings alone', async () => {
    const spec = SPEC.replace('"hostile"', '"other-name"');
    const { left } = await taken({ 'functions/code': [codePart('jellyspec.json', spec)] });
    expect(left.map(({ code }) => code)).toEqual(['rights.other_name']);
  });

  it.each([
    [
      'that fails at its end',
      'CREATE TABLE a (x); INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1);',
    ],
    ['that attaches a file', "CREATE TABLE a (x); ATTACH '/etc/passwd' AS p;"],
    ['that loads a library', "CREATE TABLE a (x); SELECT load_extension('/tmp/x.so');"],
  ])('leaves nothing of a database %s', async (_what, sql) => {
    const { taken: objects, left } = await taken({ 'sql/statements': [{ database: 'half', sql }] });
    expect([objects, left.map(({ kind }) => kind)]).toEqual([{}, ['SQL database']]);
    expect(await listOf('/sql')).not.toContain('half');
  });

  it('connects the platform to no address within, and approves no tool', async () => {
    const approved = { steal: 'a'.repeat(64) };
    const { left } = await taken({
      'tool-sources/tool-sources': [
        { name: 'inner', url: 'http://169.254.169.254/mcp', approved },
        { name: 'outer', url: 'https://mcp.example.com/mcp', approved },
      ],
    });
    expect(left).toEqual([{ kind: 'tool source', name: 'inner', code: 'sources.bad_url' }]);
    expect(JSON.parse(await listOf('/ai/sources'))).toMatchObject({
      sources: [{ name: 'outer', approved: [] }],
    });
  });

  it('changes nothing about who somebody is', async () => {
    const before = await listOf('/me');
    const [person] = rowsOf(honest, 'accounts/profile');
    await taken({
      'accounts/profile': [{ ...person, id: 'acct_1', email: 'thief@example.com', role: 'owner' }],
      'accounts/api-keys': [{ id: 'key_1', createdAt: '2026-11-24T00:00:00Z' }],
      'accounts/model-choices': [{ platform: 'outside' }],
    });
    expect(await listOf('/me')).toBe(before);
  });

  it('puts contents into no database, and conversations under no site, that it did not bring', async () => {
    const { taken: objects } = await taken({
      'vectors/contents': [{ type: 'record', base: 'theirs', id: 'a', text: 'x', metadata: {}, vector: [1] }],
      'aimee/conversations': [
        {
          site: 'site_00000000000000000000',
          reference: 'AAAA-BBBB-CCCC',
          startedAt: '2026-11-24T00:00:00Z',
          notes: [],
          objected: false,
          entries: [
            { kind: 'answer', question: 'q', answer: 'a', sources: [], answered: true, rating: 'none' },
          ],
        },
      ],
    });
    expect(objects).toEqual({});
  });
});

describe('what takes copies', () => {
  it('lets nobody send one without an invitation, and looks at nothing of it', async () => {
    for (const authorization of ['', 'Bearer rcv_guess', `Bearer ${key}`]) {
      const response = await send('receptions', Buffer.from('x'), { authorization });
      expect(response.status).toBe(403);
    }
  });

  it('refuses what is no copy, and an invitation outlives that', async () => {
    const response = await fetch(`${url}/api/v1/rights/invitations`, {
      method: 'POST',
      headers: { 'x-jf-apikey': key },
    });
    const { token } = (await response.json()) as { token: string };
    const authorization = `Bearer ${token}`;
    const refused = await send('receptions', Buffer.from('no zip'), { authorization });
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'rights.pack_malformed' }]);
    expect((await send('receptions', packWith({}), { authorization })).status).toBe(200);
    expect((await send('receptions', packWith({}), { authorization })).status).toBe(403);
  });

  it('leaves no file of what arrives', () => {
    expect(readdirSync(dataDir).filter((name) => name.startsWith('arriving'))).toEqual([]);
  });
});
