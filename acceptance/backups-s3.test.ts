import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { type S3Server, startS3Server } from '../testkit/s3-server.ts';

/** Backups in a bucket: made, checked, and all that is left when the machine is lost. */
const SECRET = 'the secret of the bucket';
const CANARY = `canary-${Math.random().toString(36).slice(2)}`;
const MAIN = fileURLToPath(new URL('../server/main.ts', import.meta.url));

let base: string;
let store: S3Server;
let env: Record<string, string>;
let platform: Platform;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'backups-s3-'));
  store = await startS3Server(SECRET);
  env = {
    JELLYFAAS_BACKUP_TARGET: 's3://backups/jellyfaas',
    JELLYFAAS_BACKUP_S3_ENDPOINT: store.url,
    JELLYFAAS_BACKUP_S3_KEY_ID: 'key',
    JELLYFAAS_BACKUP_S3_SECRET: SECRET,
    JELLYFAAS_BACKUP_KEYS_TARGET: join(base, 'keys'),
  };
  platform = await startPlatform({ dataDir: join(base, 'data'), env });
});
afterAll(async () => {
  await platform.stop();
  await store.close();
  rmSync(base, { recursive: true });
});

const api = (method: string, path: string, body?: object): Promise<unknown> =>
  createClient(platform.url, platform.apiKey).api(method, path, body);

const rows = (): Promise<unknown> =>
  api('POST', '/api/v1/sql/shop/query', { sql: 'SELECT name FROM people' });

describe('backups in a bucket', () => {
  it('hold ciphertext alone, and are checked there', async () => {
    await api('POST', '/api/v1/sql', { name: 'shop' });
    await api('POST', '/api/v1/sql/shop/query', { sql: 'CREATE TABLE people (name TEXT)' });
    await api('POST', '/api/v1/sql/shop/query', { sql: `INSERT INTO people VALUES ('${CANARY}')` });
    await api('POST', '/api/v1/backups');
    expect(await api('POST', '/api/v1/backups/verifications', {})).toMatchObject({ findings: [] });
    expect([...store.objects.keys()]).toContain('backups/jellyfaas/generation-1/manifest.jws');
    for (const [name, content] of store.objects) {
      expect(content.includes(CANARY) || content.includes('SQLite format 3'), name).toBe(false);
    }
  });

  it('say when the bucket refuses, and keep the secret to themselves', async () => {
    store.fault = () => [403, 'AccessDenied'];
    await expect(api('POST', '/api/v1/backups')).rejects.toThrow(/503.*backups\.target_unusable/);
    store.fault = undefined;
    expect(platform.output()).toContain('backup.failed');
    expect(platform.output()).not.toContain(SECRET);
  });

  it('restore everything on a new machine that has the root key and the backup of the keys', async () => {
    const before = await rows();
    await platform.stop();
    const fresh = join(base, 'fresh');
    mkdirSync(join(fresh, 'keys'), { recursive: true, mode: 0o700 });
    cpSync(join(base, 'data', 'keys', 'root.key'), join(fresh, 'keys', 'root.key'));
    const order = ['--restore', '1', '--restore-reason', 'the machine burnt'];
    const restoring = spawn(process.execPath, [MAIN, ...order], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], JELLYFAAS_DATA_DIR: fresh, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await Promise.all([text(restoring.stdout), once(restoring, 'exit')]);
    expect(said).toContain('Restored generation 1');
    platform = await startPlatform({ dataDir: fresh, env });
    expect(await rows()).toEqual(before);
  });
});
