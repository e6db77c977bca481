import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../clients/cli/program.ts';
import { BACKED_UP, NOT_BACKED_UP } from '../server/backups/contents.ts';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';

/** Backups of the running platform: stolen, read by others, restored by one person alone, and asked for what was deleted. */
const MAIN = fileURLToPath(new URL('../server/main.ts', import.meta.url));
const SECRET = `canary-${Math.random().toString(36).slice(2)}`;

let base: string;
let env: Record<string, string>;
let platform: Platform;
let owner: Client;
let secondKey: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'backups-platform-'));
  env = { JELLYFAAS_BACKUP_TARGET: join(base, 'target'), JELLYFAAS_BACKUP_KEYS_TARGET: join(base, 'keys') };
  await start();
  const created = await call<{ apiKey: string }>('POST', '/api/v1/api-keys');
  secondKey = created.apiKey;
});
afterAll(async () => {
  await platform.stop();
  rmSync(base, { recursive: true });
});

async function start(): Promise<void> {
  platform = await startPlatform({ dataDir: join(base, 'data'), env });
  owner = createClient(platform.url, platform.apiKey);
}

const call = <T = unknown>(method: string, path: string, body?: object, apiKey = owner.apiKey): Promise<T> =>
  createClient(platform.url, apiKey).api(method, path, body);

/** The command line, as the owner or with another key of his: exit code and what it said. */
async function cli(words: readonly string[], apiKey = owner.apiKey): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const terminal = { out: say, note: say, status: () => undefined } as never;
  const context = { terminal, home: base, cwd: base };
  const code = await run(words, {
    ...context,
    env: { JELLYFAAS_URL: platform.url, JELLYFAAS_API_KEY: apiKey },
  });
  return { code, said: lines.join('\n') };
}

/** The server's own restore, while it does not run. */
async function restoreOffline(...order: string[]): Promise<{ code: number | null; said: string }> {
  const server = spawn(process.execPath, [MAIN, ...order], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      JELLYFAAS_DATA_DIR: join(base, 'data'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [said, complaint, [code]] = await Promise.all([
    text(server.stdout),
    text(server.stderr),
    once(server, 'exit') as Promise<[number | null]>,
  ]);
  return { code, said: said + complaint };
}

const rowsOf = async (): Promise<unknown> =>
  (
    await call<{ rows: unknown }>('POST', '/api/v1/sql/shop/query', {
      sql: 'SELECT name FROM people ORDER BY 1',
    })
  ).rows;

describe('backups of the running platform', () => {
  it('are made while everything is written to, and hold not a word of it', async () => {
    await call('POST', '/api/v1/sql', { name: 'shop' });
    await call('POST', '/api/v1/sql/shop/query', { sql: 'CREATE TABLE people (name TEXT)' });
    await call('POST', '/api/v1/sql/shop/query', { sql: `INSERT INTO people VALUES ('${SECRET}')` });
    await call('POST', '/api/v1/vectors', { name: 'notes', dimensions: 3, model: null });
    const writing = Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        call('POST', '/api/v1/vectors/notes/records', {
          records: [{ id: `r${n}`, vector: [n, 1, 0], text: `${SECRET} ${n}` }],
        }),
      ),
    );
    const made = await cli(['backup', 'now']);
    await writing;
    expect(made).toMatchObject({ code: 0, said: expect.stringContaining('Made generation 1') });
    expect(await cli(['backup', 'verify'])).toMatchObject({
      code: 0,
      said: expect.stringContaining('is sound'),
    });
    const files = readdirSync(base, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('data'))
      .map((name) => join(base, name))
      .filter((path) => statSync(path).isFile());
    expect(files.length).toBeGreaterThan(8);
    for (const path of files) expect(readFileSync(path).includes(SECRET), path).toBe(false);
  });

  it('know of everything that lies in the data directory', () => {
    const known = new Set<string>([...BACKED_UP, ...NOT_BACKED_UP]);
    expect(readdirSync(join(base, 'data')).filter((name) => !known.has(name))).toEqual([]);
  });

  it('are nobody else’s business', async () => {
    const person = { type: 'user', name: 'Eve', email: 'eve@example.org' };
    const created = await call<{ password: string }>('POST', '/core-service/v1/entity', person);
    for (const path of ['', '/log', '/restores']) {
      await expect(call('GET', `/api/v1/backups${path}`, undefined, created.password)).rejects.toThrow('403');
    }
    await expect(call('POST', '/api/v1/backups', undefined, created.password)).rejects.toThrow('403');
    const asked = { generation: 1, reason: 'I want it all' };
    await expect(call('POST', '/api/v1/backups/restores', asked, created.password)).rejects.toThrow('403');
  });

  it('are restored by two people, and bring back nothing that was deleted since', async () => {
    await call('POST', '/api/v1/sql/shop/query', { sql: "INSERT INTO people VALUES ('late')" });
    await call('DELETE', '/api/v1/vectors/notes');
    const asked = await cli(['backup', 'restore', '1', '--reason', 'the disk of Tuesday']);
    const id = /rst_[0-9A-Za-z]{20}/.exec(asked.said)?.[0] ?? '';
    expect(await cli(['backup', 'approve', id])).toMatchObject({
      code: 1,
      said: expect.stringContaining('second person'),
    });
    expect((await restoreOffline('--restore', id)).said).toContain('uses');
    await platform.stop();
    expect(await restoreOffline('--restore', id)).toMatchObject({ code: 1 });
    await start();
    expect(await cli(['backup', 'approve', id], secondKey)).toMatchObject({ code: 0 });
    await platform.stop();
    const restored = await restoreOffline('--restore', id);
    expect(restored).toMatchObject({ code: 0, said: expect.stringContaining('Restored generation 1') });
    await start();
    expect(await rowsOf()).toEqual([[SECRET]]);
    const { databases } = await call<{ databases: unknown[] }>('GET', '/api/v1/vectors');
    expect(databases).toEqual([]);
    const log = await call<{ isIntact: boolean; entries: { event: string }[] }>('GET', '/api/v1/backups/log');
    expect(log.isIntact).toBe(true);
    expect(log.entries.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['made', 'verified', 'restore-requested', 'restore-approved', 'restored']),
    );
  });
});
