import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Deployed,
  type Platform,
  createClient,
  fixtureFiles,
  startPlatform,
} from '../testkit/index.ts';
import { type Command, newCommand } from './command.ts';
import { receiptOf } from './receipt.ts';

/** Every key under what lies on disk is exchanged while people use it, and nobody's work shows it. */
let base: string;
let platform: Platform;
let owner: Client;
let command: Command;
let deployed: Deployed;

async function start(layers: { readonly layersOf?: string } = {}): Promise<void> {
  const env = {
    JELLYFAAS_BACKUP_TARGET: join(base, 'target'),
    JELLYFAAS_BACKUP_KEYS_TARGET: join(base, 'keys'),
  };
  platform = await startPlatform({ dataDir: join(base, 'data'), env, ...layers });
  owner = createClient(platform.url, platform.apiKey);
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'rotation-platform-'));
  await start({ layersOf: inject('platform').dataDir });
  command = newCommand();
  await command.run(['secret', '--url', platform.url], { input: platform.apiKey });
  deployed = await owner.deploy('rotated', fixtureFiles('probe', { shortname: 'rotated' }));
  await api('POST', '/api/v1/sql', { name: 'mine' });
  await sql('CREATE TABLE note (text TEXT)');
  await sql("INSERT INTO note VALUES ('kept')");
  await api('POST', '/api/v1/vectors', { name: 'mine', dimensions: 2 });
  await api('POST', '/api/v1/vectors/mine/records', { records: [{ id: 'a', vector: [1, 0], text: 'kept' }] });
  await api('POST', '/api/v1/aimee/sites', { name: 'Pumps' });
});
afterAll(async () => {
  command.remove();
  await platform.stop();
  rmSync(base, { recursive: true });
});

const api = <T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T> =>
  owner.api(method, path, body);

const sql = (text: string): Promise<{ rows: unknown[][] }> =>
  api('POST', '/api/v1/sql/mine/query', { sql: text });

/** What each kind of store gives back. */
async function used(): Promise<object> {
  const called = await owner.call(deployed, '?do=count');
  return {
    call: called.status,
    rows: (await sql('SELECT text FROM note ORDER BY rowid LIMIT 1')).rows,
    hits: await api('POST', '/api/v1/vectors/mine/query', { vector: [1, 0] }),
    sites: await api('GET', '/api/v1/aimee/sites'),
    me: await api('GET', '/api/v1/me'),
  };
}

describe('keys that are rotated', () => {
  it('change under everything of an account, with a receipt', async () => {
    const before = await used();
    const rotated = await command.json<{ receipt: string }>(['rotate-keys']);
    expect(rotated).toMatchObject({ databases: 2, conversations: true });
    expect(await receiptOf(platform.url, rotated.receipt)).toContain('keys.rotated');
    expect(await used()).toEqual(before);
  });

  it('change under the installation, whose backups begin anew with them', async () => {
    const before = await used();
    await api('POST', '/api/v1/backups');
    const rootBefore = readFileSync(join(platform.dataDir, 'keys', 'root.key'));
    const rotated = await command.json<{ backup: number }>(['rotate-keys', '--installation']);
    expect(rotated).toMatchObject({ rootGeneration: 2, stores: 5 });
    expect(readFileSync(join(platform.dataDir, 'keys', 'root.key')).equals(rootBefore)).toBe(false);
    expect(await used()).toEqual(before);
    const verified = await api('POST', '/api/v1/backups/verifications', { generation: rotated.backup });
    expect(verified).toMatchObject({ findings: [] });
  });

  it('are in force after kill -9, with all that was written meanwhile', async () => {
    const writing = Array.from(
      { length: 20 },
      async (_, at) => await sql(`INSERT INTO note VALUES ('n${at}')`),
    );
    const [, , ...written] = await Promise.allSettled([
      api('POST', '/api/v1/installation/key-rotations'),
      api('POST', '/api/v1/key-rotations'),
      ...writing,
    ]);
    const acknowledged = written.filter(({ status }) => status === 'fulfilled').length;
    const before = await used();
    await platform.crash();
    await start();
    expect(await used()).toEqual(before);
    expect((await sql('SELECT count(*) FROM note')).rows).toEqual([[1 + acknowledged]]);
  });
});
