import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiptOf } from '../acceptance/receipt.ts';
import type { AccountErased } from '../contract/index.ts';
import { type Tenant, moveIn, startBuilding } from '../hostile/tenant.ts';
import { type Platform, createClient } from '../testkit/index.ts';
import { readAllStores, type StoredRow } from './open-stores.ts';
import { restoreBackup } from './restore-backup.ts';

/** P43: an account that is erased is in no store, opened with every key there is, and in no backup that is restored. */
let base: string;
let backups: { target: string; keysTarget: string };
let platform: Platform;
let ann: Tenant;
let bob: Tenant;
let annId: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'jellyfaas-erasure-'));
  backups = { target: join(base, 'target'), keysTarget: join(base, 'keys') };
  platform = await start();
  [ann, bob] = await Promise.all([moveIn(platform, 'ann'), moveIn(platform, 'bob')]);
  annId = (await api<{ id: string }>('/me', ann)).id;
  const made = await fetch(`${platform.url}/api/v1/backups`, {
    method: 'POST',
    headers: { 'x-jf-apikey': platform.apiKey },
  });
  expect(made.status).toBe(201);
});
afterAll(async () => {
  await platform.stop();
  platform.remove();
  rmSync(base, { recursive: true, force: true });
});

function start(dataDir?: string): Promise<Platform> {
  return startBuilding(dataDir, {
    JELLYFAAS_BACKUP_TARGET: backups.target,
    JELLYFAAS_BACKUP_KEYS_TARGET: backups.keysTarget,
  });
}

const headersOf = ({ customer }: Tenant): Record<string, string> => ({ 'x-jf-apikey': customer.apiKey });

async function api<T>(path: string, tenant: Tenant): Promise<T> {
  const response = await fetch(`${platform.url}/api/v1${path}`, { headers: headersOf(tenant) });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

function erase(tenant: Tenant, confirm: string): Promise<Response> {
  return fetch(`${platform.url}/api/v1/rights/erasure`, {
    method: 'POST',
    headers: { ...headersOf(tenant), 'content-type': 'application/json' },
    body: JSON.stringify({ confirm }),
  });
}

/** Rows in which somebody can be told: by id, by name, or by anything that is his. */
function rowsOf(rows: readonly StoredRow[], { traces }: Tenant, more: readonly string[]): string[] {
  const marks = [...traces, ...more];
  return rows
    .filter(({ row }) => {
      const text = JSON.stringify(row, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
      );
      return marks.some((mark) => text.includes(mark));
    })
    .map(({ store, table }) => `${store} ${table}`);
}

describe('an account that is erased', () => {
  it('was in many stores before', async () => {
    const copy = join(base, 'before');
    cpSync(platform.dataDir, copy, { recursive: true, verbatimSymlinks: true });
    const found = new Set(rowsOf(await readAllStores(copy), ann, [annId, 'ann@example.org']));
    expect(found.size).toBeGreaterThan(8);
  });

  it('is finished by the next start when the server is killed on the way', async () => {
    const answer = erase(ann, annId).catch(() => undefined);
    // Whatever it had come to by then; nothing is acknowledged.
    await platform.crash();
    await answer;
    platform = await start(platform.dataDir);
    const again = await erase(ann, annId);
    if (again.ok) await again.text();
    else expect(again.status).toBe(401);
    expect((await erase(ann, annId)).status).toBe(401);
  });

  it('leaves the receipt of its end, and others as they were', async () => {
    const bobId = (await api<{ id: string }>('/me', bob)).id;
    expect(rowsOf(await storedNow(), bob, [bobId]).length).toBeGreaterThan(8);
    const carl = await moveIn(platform, 'carl');
    const { id } = await api<{ id: string }>('/me', carl);
    expect((await erase(carl, 'acct_00000000000000000000')).status).toBe(400);
    const erased = (await (await erase(carl, id)).json()) as AccountErased;
    const receipt = await receiptOf(platform.url, erased.receipt);
    expect(receipt).toContain('account.erased');
    expect(rowsOf(await storedNow(), carl, [id, 'carl@example.org'])).toEqual([]);
  });

  it('is in no store any more, opened with every key that the service has', async () => {
    expect(rowsOf(await storedNow(), ann, [annId, 'ann@example.org'])).toEqual([]);
    const people = await createClient(platform.url, platform.apiKey).core('GET', '/entity');
    expect(await people.text()).not.toContain('ann@example.org');
  });

  it('does not come back with a backup of before', async () => {
    const restored = await restoreBackup(backups, platform.dataDir, base);
    const revived = await start(restored);
    await revived.stop();
    const rows = await readAllStores(restored);
    expect(rowsOf(rows, bob, ['bob@example.org']).length).toBeGreaterThan(8);
    expect(rowsOf(rows, ann, [annId, 'ann@example.org'])).toEqual([]);
  });

  it('and whoever comes with the same address is somebody new', async () => {
    const again = await moveIn(platform, 'ann');
    const { id } = await api<{ id: string }>('/me', again);
    expect(id).not.toBe(annId);
  });
});

/** With the keys and files of this moment. */
async function storedNow(): Promise<StoredRow[]> {
  const copy = mkdtempSync(join(base, 'now-'));
  cpSync(platform.dataDir, copy, { recursive: true, verbatimSymlinks: true });
  return await readAllStores(copy);
}
