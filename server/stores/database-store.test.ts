import { compactVerify, importJWK } from 'jose';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabases } from '../databases/create-databases.ts';
import { lockResource } from '../databases/database-locks.ts';
import type { DatabaseStore, StoredDatabase } from '../databases/database-store.ts';
import type { Databases, DatabaseFile, Holder, NewDatabase } from '../databases/databases.ts';
import { type AccountId, type DatabaseId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { createReceipts, type Receipts } from '../keys/receipts.ts';
import { openDatabaseStore } from './database-store.ts';
import { openKeyStore } from './key-store.ts';
import { databaseFiles } from './rekey.ts';

/** The catalogue over its real stores. */
const NOW = Date.UTC(2026, 10, 23, 12);
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };

let dir: string;
let keyRing: KeyRing;
let store: DatabaseStore & { close(): Promise<void> };
let keyStore: { close(): Promise<void> };
let receipts: Receipts;
let databases: Databases;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'databases-'));
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const opened = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  keyStore = opened;
  keyRing = createKeyRing({ root, store: opened });
  store = await openDatabaseStore({ path: join(dir, 'databases', 'databases.db'), keyRing });
  receipts = await createReceipts(keyRing);
  databases = await createDatabases({
    files: databaseFiles,
    store,
    keyRing,
    receipts,
    clock: { now: () => NOW, monotonicMs: () => 0 },
    directory: join(dir, 'databases'),
    perAccountMax: 5,
  });
}

async function stop(): Promise<void> {
  await store.close();
  await keyStore.close();
}

function newHolder(): Holder {
  return { accountId: newId<AccountId>('acct'), accountKey: new Secret(new Uint8Array(randomBytes(32))) };
}

const wines: NewDatabase = { kind: 'vector', name: 'wines', settings: { resolver: 'cellar', dimensions: 3 } };
const prepare = async (file: DatabaseFile): Promise<void> => writeFileSync(join(file.directory, 'x.db'), 'x');

function directories(): string[] {
  return readdirSync(join(dir, 'databases')).filter((name) => name.startsWith('db_'));
}

async function rowOf(holder: Holder): Promise<StoredDatabase> {
  const [row] = await store.list(holder.accountId, 'vector');
  if (row === undefined) throw new Error('no row');
  return row;
}

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('a database', () => {
  test('opens with the same random key each time, and lists what it was made with', async () => {
    const holder = newHolder();
    let made: Uint8Array | undefined;
    const created = await databases.create(
      holder,
      wines,
      async ({ key }) => void (made = Uint8Array.from(key)),
    );
    const { file, database } = await databases.open(holder, 'vector', 'wines');
    expect(file.key).toEqual(made);
    expect(file.key).toHaveLength(32);
    expect(database).toEqual({ ...wines, id: created.id, createdAt: NOW });
    expect(await databases.list(holder, 'vector')).toEqual([database]);
    expect(await databases.list(holder, 'sql')).toEqual([]);
    await stop();
    await start();
    expect((await databases.open(holder, 'vector', 'wines')).file.key).toEqual(made);
  });

  test('is not found by another account, under another kind, or with another account key', async () => {
    const holder = newHolder();
    await databases.create(holder, wines, prepare);
    const wrongKey = { ...newHolder(), accountId: holder.accountId };
    for (const [who, kind] of [
      [newHolder(), 'vector'],
      [holder, 'sql'],
      [wrongKey, 'vector'],
    ] as const) {
      await expect(databases.open(who, kind, 'wines')).rejects.toEqual(code('database.not_found'));
      await expect(databases.drop(who, kind, 'wines')).rejects.toEqual(code('database.not_found'));
    }
    await databases.open(holder, 'vector', 'wines');
  });

  test('does not open for the service alone: no name, setting or key is readable without the account key', async () => {
    const holder = newHolder();
    const { id } = await databases.create(holder, wines, prepare);
    const { key } = (await databases.open(holder, 'vector', 'wines')).file;
    const row = await rowOf(holder);
    const half = await keyRing.find(lockResource(id));
    const everything = Buffer.concat([
      row.nameHash,
      row.description,
      row.wrappedKey,
      half ?? Buffer.alloc(0),
    ]);
    for (const secret of [Buffer.from('wines'), Buffer.from('cellar'), Buffer.from(key)])
      expect(everything.includes(secret)).toBe(false);
    await expect(databases.list({ ...newHolder(), accountId: holder.accountId }, 'vector')).rejects.toEqual(
      code('databases.unreadable'),
    );
  });

  test('does not open with the lock of another one', async () => {
    const holder = newHolder();
    await databases.create(holder, wines, prepare);
    const row = await rowOf(holder);
    await store.remove(row.id);
    await databases.create(holder, { ...wines, name: 'other' }, prepare);
    const other = await rowOf(holder);
    await store.remove(other.id);
    await store.insert({ ...row, wrappedKey: other.wrappedKey });
    await expect(databases.open(holder, 'vector', 'wines')).rejects.toEqual(code('databases.unreadable'));
  });

  test('has a name of its own in its account, and a sound one', async () => {
    const holder = newHolder();
    await databases.create(holder, wines, prepare);
    await expect(databases.create(holder, wines, prepare)).rejects.toEqual(code('databases.name_taken'));
    await databases.create(holder, { ...wines, kind: 'sql' }, prepare);
    await databases.create(newHolder(), wines, prepare);
    for (const name of ['', '.', '../x', 'a/b', 'a b', '-a', 'ä', 'x'.repeat(65), 'a\0'])
      await expect(databases.create(holder, { ...wines, name }, prepare)).rejects.toEqual(
        code('databases.bad_name'),
      );
    expect(directories()).toHaveLength(3);
  });

  test('is one of a bounded number', async () => {
    const holder = newHolder();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await databases.create(holder, { ...wines, name }, prepare);
    await expect(databases.create(holder, wines, prepare)).rejects.toEqual(code('databases.too_many'));
  });
});

describe('nothing stays', () => {
  test('of a database whose file could not be made', async () => {
    const holder = newHolder();
    let id: DatabaseId | undefined;
    const failing = databases.create(holder, wines, (file) => {
      id = file.id;
      return Promise.reject(new Error('disk full'));
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(directories()).toEqual([]);
    expect(id && (await keyRing.find(lockResource(id)))).toBeUndefined();
    await databases.create(holder, wines, prepare);
  });

  test('of the losers when many make the same one at once', async () => {
    const holder = newHolder();
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => databases.create(holder, wines, prepare)),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(directories()).toHaveLength(1);
  });

  test('of what a crash left: a directory without a row, a row without a key', async () => {
    const holder = newHolder();
    const { id } = await databases.create(holder, wines, prepare);
    const halfMade = newId<DatabaseId>('db');
    mkdirSync(join(dir, 'databases', halfMade));
    await keyRing.obtain(lockResource(halfMade), holder.accountId);
    await keyRing.destroy(lockResource(id));
    await stop();
    await start();
    expect(directories()).toEqual([]);
    expect(await keyRing.find(lockResource(halfMade))).toBeUndefined();
    expect(await databases.list(holder, 'vector')).toEqual([]);
  });
});

describe('dropping', () => {
  test('destroys the key before anybody hears of it, then the files, and frees the name', async () => {
    const holder = newHolder();
    const { id } = await databases.create(holder, wines, prepare);
    const heard: unknown[] = [];
    databases.onDropped(async (dropped) => {
      const key = await keyRing.find(lockResource(dropped));
      heard.push({ dropped, key, files: existsSync(join(dir, 'databases', id, 'x.db')) });
      await expect(databases.open(holder, 'vector', 'wines')).rejects.toEqual(code('database.not_found'));
      expect(await databases.list(holder, 'vector')).toEqual([]);
    });
    await databases.drop(holder, 'vector', 'wines');
    expect(heard).toEqual([{ dropped: id, key: undefined, files: true }]);
    expect(directories()).toEqual([]);
    await expect(databases.drop(holder, 'vector', 'wines')).rejects.toEqual(code('database.not_found'));
    expect((await databases.create(holder, wines, prepare)).id).not.toBe(id);
  });

  test('gives a receipt that anybody can check and that names nothing', async () => {
    const holder = newHolder();
    const { id } = await databases.create(holder, wines, prepare);
    const { receipt } = await databases.drop(holder, 'vector', 'wines');
    const { payload } = await compactVerify(receipt, await importJWK(receipts.publicKey, 'EdDSA'));
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      event: 'database.dropped',
      kind: 'vector',
      id,
      at: '2026-11-23T12:00:00.000Z',
    });
    const forged = `${receipt.slice(0, -4)}AAAA`;
    await expect(compactVerify(forged, await importJWK(receipts.publicKey, 'EdDSA'))).rejects.toThrow();
  });

  test('ends every database of an account whose keys are destroyed', async () => {
    const holder = newHolder();
    await databases.create(holder, wines, prepare);
    await keyRing.destroyAccount(holder.accountId);
    await expect(databases.open(holder, 'vector', 'wines')).rejects.toEqual(code('database.not_found'));
  });
});
