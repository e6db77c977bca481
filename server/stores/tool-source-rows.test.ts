import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccounts } from '../accounts/create-accounts.ts';
import { systemClock } from '../kernel/clock.ts';
import { type AccountId, type ToolSourceId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { type KeyRing, createKeyRing } from '../keys/key-ring.ts';
import type { StoredSource } from '../tool-sources/source-store.ts';
import { type OpenAccountStore, openAccountStore } from './account-store.ts';
import { openKeyStore } from './key-store.ts';

/** What accounts have sealed of outside tool sources, in the store of accounts. */
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };

let dir: string;
let store: OpenAccountStore;
let keyStore: { close(): Promise<void> };
let keyRing: KeyRing;
/** Those of two accounts. */
let accountId: AccountId;
let other: AccountId;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sources-'));
  await start();
  [accountId, other] = await twoAccounts();
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const opened = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  keyStore = opened;
  keyRing = createKeyRing({ root, store: opened });
  store = await openAccountStore({ path: join(dir, 'accounts', 'accounts.db'), keyRing });
}

async function stop(): Promise<void> {
  await store.close();
  await keyStore.close();
}

async function twoAccounts(): Promise<[AccountId, AccountId]> {
  const accounts = await createAccounts({ store, keyRing, clock: systemClock });
  const owner = await accounts.authenticateKey((await accounts.bootstrap(undefined))?.reveal() ?? '');
  if (owner === undefined) throw new Error('there is no owner');
  const { account } = await accounts.create(owner, { name: 'Ada', email: 'ada@example.com' });
  return [owner.accountId, account.id];
}

describe('tool sources', () => {
  const source = (owner: AccountId, content: string): StoredSource => ({
    id: newId<ToolSourceId>('src'),
    accountId: owner,
    sealed: Buffer.from(content.padEnd(40)),
  });

  test('are kept for their account over a restart, and leave the log when they are removed', async () => {
    const first = source(accountId, 'first');
    await store.toolSources.put(first);
    await store.toolSources.put(source(accountId, 'second'));
    await store.toolSources.put({ ...first, sealed: Buffer.from('changed'.padEnd(40)) });
    await stop();
    await start();
    const kept = await store.toolSources.list(accountId);
    expect(kept.map(({ sealed }) => Buffer.from(sealed).toString().trim()).toSorted()).toEqual([
      'changed',
      'second',
    ]);
    expect(await store.toolSources.list(other)).toEqual([]);
    for (const { id } of kept) await store.toolSources.remove(id);
    expect(await store.toolSources.list(accountId)).toEqual([]);
    expect(statSync(join(dir, 'accounts', 'accounts.db-wal')).size).toBe(0);
  });

  test('have room for what is sealed and nothing else, and for accounts that exist', async () => {
    const good = source(accountId, 'x');
    for (const wrong of [
      { ...good, id: 'src_weather' as ToolSourceId },
      { ...good, sealed: Buffer.alloc(28) },
      { ...good, sealed: Buffer.alloc(65_537) },
    ])
      await expect(store.toolSources.put(wrong)).rejects.toThrow(/CHECK/);
    await expect(store.toolSources.put(source(newId<AccountId>('acct'), 'x'))).rejects.toThrow(/FOREIGN KEY/);
  });
});
