import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccounts } from '../accounts/create-accounts.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { type KeyRing, createKeyRing } from '../keys/key-ring.ts';
import type { Inventory, StoredTable } from '../profile/inventory.ts';
import { createProfile } from '../profile/profile.ts';
import { openAccountStore } from './account-store.ts';
import { openBackupStore } from './backup-store.ts';
import { openCustomerStore, openSiteCatalogue } from './aimee-store.ts';
import { createCallStore } from './call-store.ts';
import { openDatabaseStore } from './database-store.ts';
import { openFunctionStore } from './function-store.ts';
import { inventoryOf } from './inventory.ts';
import { openKeyStore } from './key-store.ts';
import { openEncrypted } from './sqlite.ts';

/** Every store that knows of accounts, opened for real. */
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
const NOW = Date.UTC(2026, 10, 23);
const DAY = '2026-11-23';

let dir: string;
let keyRing: KeyRing;
let stores: Record<string, { readonly inventory: Inventory; close(): Promise<void> }>;
let accounts: Awaited<ReturnType<typeof createAccounts>>;
let accountId: AccountId;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'inventory-'));
  const keys = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  keyRing = createKeyRing({ root, store: keys });
  const store = await openAccountStore({ path: join(dir, 'accounts.db'), keyRing });
  const calls = createCallStore({ dir: join(dir, 'calls'), keyRing });
  accounts = await createAccounts({ store, keyRing, clock: { now: () => NOW, monotonicMs: () => 0 } });
  const { account } = await accounts.signUp(
    { issuer: 'https://id.example', subject: 'ada' },
    { name: 'Ada', email: 'ada@example.org' },
  );
  accountId = account.id;
  await calls.append(DAY, [call(accountId), call(accountId), call('acct_other000000000000000' as AccountId)]);
  stores = {
    keys,
    accounts: store,
    functions: await openFunctionStore({ path: join(dir, 'functions.db'), keyRing }),
    databases: await openDatabaseStore({ path: join(dir, 'databases.db'), keyRing }),
    calls,
    backups: await openBackupStore({ path: join(dir, 'backups.db'), keyRing }),
    'aimee-sites': await openSiteCatalogue({ path: join(dir, 'sites.db'), keyRing }),
    aimee: await openCustomerStore({ path: join(dir, 'aimee.db'), key: randomBytes(32) }),
  };
});
afterEach(async () => {
  for (const store of Object.values(stores).toReversed()) await store.close();
  rmSync(dir, { recursive: true, force: true });
});

function call(caller: AccountId) {
  const functionId = 'fn_00000000000000000000' as FunctionId;
  return { accountId: caller, functionId, version: 1, originIp: '192.0.2.1', durationMs: 5, ok: true };
}

async function profile(): Promise<StoredTable[]> {
  const inventories = Object.values(stores).map(({ inventory }) => inventory);
  return await createProfile({ inventories, rowsMax: 100 }).of(accountId);
}

function find(tables: readonly StoredTable[], store: string, table: string): StoredTable {
  const found = tables.find((one) => one.store === store && one.table === table);
  if (found === undefined) throw new Error(`${store}.${table} is missing`);
  return found;
}

describe('the inventory of an account', () => {
  test('knows every column of every table of every store', async () => {
    const unlisted = (await profile()).flatMap(({ store, table, columns }) =>
      columns
        .filter(({ withheld }) => withheld === 'unlisted')
        .map(({ name }) => `${store}.${table}.${name}`),
    );
    expect(unlisted).toEqual([]);
    // The file of a vector database opens under its owner's key alone; that there is one stands among the databases.
    const migrated = readdirSync(join(import.meta.dirname, 'migrations')).filter(
      (name) => name !== 'vectors',
    );
    expect(Object.keys(stores).toSorted()).toEqual(migrated.toSorted());
  });

  test('shows what it holds as it stands, and of hashes and keys how long they are', async () => {
    const tables = await profile();
    expect(find(tables, 'accounts', 'account')).toMatchObject({
      count: 1,
      rows: [[accountId, 'member', 'Ada', 'ada@example.org', NOW, NOW]],
    });
    expect(find(tables, 'accounts', 'identity').rows).toEqual([[accountId, { bytes: 32 }]]);
    expect(find(tables, 'accounts', 'api_key').rows).toEqual([
      [expect.stringMatching(/^key_/), accountId, NOW, { bytes: 32 }, 1, { bytes: 60 }],
    ]);
  });

  test('counts calls by day, those of the account alone', async () => {
    expect(find(await profile(), 'calls', 'call')).toMatchObject({
      count: 2,
      rows: [],
      days: [{ day: DAY, count: 2 }],
    });
  });

  test('tells of a column that nobody described', async () => {
    const store = await openEncrypted<object>({
      name: 'new',
      path: join(dir, 'new.db'),
      key: randomBytes(32),
      migrations: [
        {
          name: '001-new',
          up: async (tx) => void (await sql`create table diary (page text) strict`.execute(tx)),
        },
      ],
    });
    const rules = { migration: null };
    const [diary] = await inventoryOf(store.db, { store: 'new', rules }, { accountId, rowsMax: 1 });
    await store.close();
    expect(diary?.columns).toEqual([{ name: 'page', withheld: 'unlisted' }]);
  });
});

describe('rectification', () => {
  test('puts name and address in the place of the old ones', async () => {
    const principal = { accountId, role: 'member' } as const;
    const updated = await accounts.update(principal, { name: ' Ada L. ', email: 'lovelace@example.org' });
    expect(updated).toMatchObject({ id: accountId, name: 'Ada L.', email: 'lovelace@example.org' });
    const [row] = find(await profile(), 'accounts', 'account').rows;
    expect(row?.slice(2, 4)).toEqual(['Ada L.', 'lovelace@example.org']);
  });

  test('refuses what is no address, and one that somebody else has', async () => {
    const principal = { accountId, role: 'member' } as const;
    await accounts.signUp({ issuer: 'i', subject: 's' }, { name: 'Bob', email: 'bob@example.org' });
    await expect(accounts.update(principal, { name: 'Ada', email: 'ada' })).rejects.toMatchObject({
      code: 'accounts.invalid_person',
    });
    await expect(accounts.update(principal, { name: 'Ada', email: 'BOB@example.org' })).rejects.toMatchObject(
      {
        code: 'accounts.email_taken',
      },
    );
  });

  test('is not undone by the identity provider', async () => {
    const principal = { accountId, role: 'member' } as const;
    await accounts.update(principal, { name: 'Ada L.', email: 'lovelace@example.org' });
    const found = await accounts.findByIdentity({ issuer: 'https://id.example', subject: 'ada' });
    expect(found).toMatchObject({ name: 'Ada L.', email: 'lovelace@example.org' });
  });
});
