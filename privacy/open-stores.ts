import Database from 'better-sqlite3-multiple-ciphers';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createAccounts } from '../server/accounts/create-accounts.ts';
import { openContent } from '../server/aimee/conversation-keys.ts';
import { ConversationReader } from '../server/aimee/conversation-reader.ts';
import { createDatabases } from '../server/databases/create-databases.ts';
import { systemClock } from '../server/kernel/clock.ts';
import type { AccountId, ConversationId } from '../server/kernel/ids.ts';
import { createKeyRing } from '../server/keys/key-ring.ts';
import { deriveKey } from '../server/keys/key-wrap.ts';
import { createReceipts } from '../server/keys/receipts.ts';
import { loadRootKey } from '../server/keys/root-key.ts';
import { openAccountStore } from '../server/stores/account-store.ts';
import { openDatabaseStore } from '../server/stores/database-store.ts';
import { openKeyStore } from '../server/stores/key-store.ts';
import { databaseFiles } from '../server/stores/rekey.ts';

/** One row of one table of one store of a stopped platform, decrypted with all the keys that the service holds. */
export interface StoredRow {
  readonly store: string;
  readonly table: string;
  readonly row: Record<string, unknown>;
}

/**
 * Opens every database file below the data directory with every key there is, and reads every table: what lies
 * encrypted hides from a search of the bytes. Throws for a file that no key opens.
 */
export async function readAllStores(dataDir: string): Promise<StoredRow[]> {
  const root = await loadRootKey({ source: 'file', path: join(dataDir, 'keys', 'root.key') }, false);
  const keysPath = join(dataDir, 'keys', 'keys.db');
  const keysDbKey = deriveKey(root.bytes.reveal(), 'key-store');
  const rows = dump('keys.db', openWith(keysPath, keysDbKey));
  const store = await openKeyStore({ path: keysPath, root });
  const keyRing = createKeyRing({ root, store });
  const keys: Uint8Array[] = [];
  for (const { row } of rows.filter(({ table }) => table === 'wrapped_key')) {
    const key = await keyRing.find(String(row['resource']));
    if (key !== undefined) keys.push(key);
  }
  await store.close();
  for (const name of readdirSync(dataDir, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.db') || name.endsWith('keys.db')) continue;
    if (LOCKED.test(name)) assertLocked(join(dataDir, name), keys);
    else rows.push(...dump(name, openWithAny(join(dataDir, name), keys)));
  }
  return rows;
}

/** Files that only an account's own key opens. */
const LOCKED = /^databases\/db_/;

/** Throws when the service alone can read what it must not be able to (decision D5). */
function assertLocked(path: string, keys: readonly Uint8Array[]): void {
  let opened: Database | undefined;
  try {
    opened = openWithAny(path, keys);
  } catch {
    return;
  }
  opened.close();
  throw new Error(`a key of the service alone opens ${path}`);
}

/** Every database of the account that this API key unlocks, read as its owner could: by name. */
export async function readUnlocked(dataDir: string, apiKey: string): Promise<Map<string, StoredRow[]>> {
  const root = await loadRootKey({ source: 'file', path: join(dataDir, 'keys', 'root.key') }, false);
  const keyStore = await openKeyStore({ path: join(dataDir, 'keys', 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keyStore });
  const accountStore = await openAccountStore({ path: join(dataDir, 'accounts', 'accounts.db'), keyRing });
  const directory = join(dataDir, 'databases');
  const store = await openDatabaseStore({ path: join(directory, 'databases.db'), keyRing });
  try {
    const accounts = await createAccounts({ store: accountStore, keyRing, clock: systemClock });
    const holder = await accounts.unlock(apiKey);
    if (holder === undefined) throw new Error('the key opens no account');
    const receipts = await createReceipts(keyRing);
    const databases = await createDatabases({
      store,
      keyRing,
      receipts,
      clock: systemClock,
      directory,
      files: databaseFiles,
    });
    const found = new Map<string, StoredRow[]>();
    for (const kind of ['vector', 'sql'] as const) {
      for (const { name } of await databases.list(holder, kind)) {
        const { file } = await databases.open(holder, kind, name);
        const path = join(file.directory, kind === 'vector' ? 'vectors.db' : 'data.db');
        found.set(name, dump(name, openWith(path, file.key)));
      }
    }
    return found;
  } finally {
    for (const open of [store, accountStore, keyStore]) await open.close();
  }
}

/**
 * Entries of conversations that open with everything in the data directory and this API key, of whatever account it is: what
 * a thief of both could read.
 */
export async function readConversations(dataDir: string, apiKey: string): Promise<StoredRow[]> {
  const root = await loadRootKey({ source: 'file', path: join(dataDir, 'keys', 'root.key') }, false);
  const keyStore = await openKeyStore({ path: join(dataDir, 'keys', 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keyStore });
  const accountStore = await openAccountStore({ path: join(dataDir, 'accounts', 'accounts.db'), keyRing });
  try {
    const accounts = await createAccounts({ store: accountStore, keyRing, clock: systemClock });
    const holder = await accounts.unlock(apiKey);
    if (holder === undefined) throw new Error('the key opens no account');
    const opened: StoredRow[] = [];
    for (const accountId of readdirSync(join(dataDir, 'aimee')).filter((name) => name.startsWith('acct_'))) {
      const fileKey = await keyRing.find(`aimee/${accountId}/file`);
      if (fileKey === undefined) continue;
      const rows = dump(accountId, openWith(join(dataDir, 'aimee', accountId, 'aimee.db'), fileKey));
      const reader = await ConversationReader.of(keyRing, { ...holder, accountId: accountId as AccountId });
      for (const { row } of rows.filter(({ table }) => table === 'conversation'))
        opened.push(...(await openEntries(reader, row, rows)));
    }
    return opened;
  } finally {
    for (const open of [accountStore, keyStore]) await open.close();
  }
}

async function openEntries(
  reader: ConversationReader,
  conversation: StoredRow['row'],
  rows: readonly StoredRow[],
): Promise<StoredRow[]> {
  const id = conversation['id'] as ConversationId;
  const sealedHalf = conversation['sealed_half'] as Uint8Array;
  // The key of another account: as good as none.
  const key = await reader.keyOf({ id, sealedHalf, restricted: false }).catch(() => undefined);
  if (key === undefined) return [];
  const own = rows.filter(
    ({ table, row }) => ['entry', 'note'].includes(table) && row['conversation_id'] === id,
  );
  return own.map(({ row, ...place }) => {
    const content = JSON.stringify(openContent(key, id, row['sealed'] as Uint8Array));
    return { ...place, row: { ...row, content } };
  });
}

function openWithAny(path: string, keys: readonly Uint8Array[]): Database {
  for (const key of keys) {
    try {
      return openWith(path, key);
    } catch {
      // The next key.
    }
  }
  throw new Error(`no key of the service opens ${path}`);
}

function openWith(path: string, key: Uint8Array): Database {
  const database = new Database(path);
  database.pragma(`cipher='aegis'`);
  database.pragma(`key='raw:${Buffer.from(key).toString('hex')}'`);
  database.prepare('select count(*) from sqlite_schema').get();
  return database;
}

function dump(store: string, database: Database): StoredRow[] {
  const tables = database.prepare(`select name from sqlite_schema where type = 'table'`).all() as {
    name: string;
  }[];
  const rows = tables.flatMap(({ name }) =>
    (database.prepare(`select * from "${name}"`).all() as Record<string, unknown>[]).map((row) => ({
      store,
      table: name,
      row,
    })),
  );
  database.close();
  return rows;
}
