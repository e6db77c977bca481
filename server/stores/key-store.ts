import type { Kysely, Selectable, Transaction } from 'kysely';
import { deriveKey } from '../keys/key-wrap.ts';
import { accountResource } from '../keys/key-ring.ts';
import type { Bury, KeyParent, KeyStore, StoredWrap, Tombstone } from '../keys/key-ring.ts';
import type { RootKey } from '../keys/root-key.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Inventory } from '../profile/inventory.ts';
import { createInventory } from './inventory.ts';
import { keyInventory } from './inventory-rules.ts';
import { wrappedKeys } from './migrations/keys/001-wrapped-keys.ts';
import { tombstones } from './migrations/keys/002-tombstones.ts';
import { slices } from './slices.ts';
import { openEncrypted } from './sqlite.ts';

const REMOVAL_CACHE_MIB = 32;

interface KeyTables {
  wrapped_key: { resource: string; parent: KeyParent; root_generation: number | null; wrap: Uint8Array };
  tombstone: { hash: Uint8Array; at: number };
}

export const keyMigrations = [wrappedKeys, tombstones];

/** All that the key store holds, for its own backup: wraps, not keys. */
export interface KeyRecord {
  readonly wraps: readonly StoredWrap[];
  readonly tombstones: readonly Tombstone[];
}

export interface OpenKeyStore extends KeyStore {
  record(): Promise<KeyRecord>;
  /** Takes over tombstones of a record. */
  bury(tombstones: readonly Tombstone[]): Promise<void>;
  /** Forgets tombstones from before `at`: of what no backup holds any more. */
  forgetTombstones(at: number): Promise<void>;
  readonly inventory: Inventory;
  close(): Promise<void>;
}

export interface KeyStoreOptions {
  /** `<dataDir>/keys/keys.db`: a directory of its own, so that data backups can leave it out. */
  readonly path: string;
  readonly root: RootKey;
  readonly events?: Pick<EventLog, 'emit'>;
}

/** Opens the key store, and tells the root key which rotation it is. */
export async function openKeyStore({ path, root, events }: KeyStoreOptions): Promise<OpenKeyStore> {
  const open = (at: string, key: Uint8Array) =>
    openEncrypted<KeyTables>({
      name: 'keys',
      path: at,
      key,
      migrations: keyMigrations,
      ...(events && { events }),
    });
  const store = await open(path, storeKeyOf(root.bytes.reveal()));
  const { db } = store;
  root.generation = await generationOf(db, root.generation);
  const inTransaction = <T>(work: (tx: KeyTx) => Promise<T>): Promise<T> => db.transaction().execute(work);
  /** Of what it removes no byte stays in file or log. */
  async function change(work: (tx: KeyTx) => Promise<void>): Promise<void> {
    await inTransaction(work);
    store.checkpoint();
  }
  async function rewrapCopy(copy: string, key: Uint8Array, wraps: readonly StoredWrap[]): Promise<void> {
    const copied = await open(copy, key);
    try {
      await copied.db.transaction().execute((tx) => putWraps(tx, wraps));
      copied.checkpoint();
    } finally {
      await copied.close();
    }
  }

  return {
    find: (resource) => findWrap(db, resource),
    under: (parent) => wrapsUnder(db, parent),
    insert: (wraps) => inTransaction((tx) => insertWraps(tx, wraps)),
    remove: (resources, bury) =>
      store.withRoom(REMOVAL_CACHE_MIB, () => change((tx) => removeWraps(tx, resources, bury))),
    removeAccount: (accountId, bury) =>
      change(async (tx) => {
        const resources = (await wrapsUnder(tx, accountId)).map(({ resource }) => resource);
        await removeWraps(tx, [...resources, accountResource(accountId)], bury);
      }),
    async isBuried(hash) {
      const row = await db.selectFrom('tombstone').select('at').where('hash', '=', hash).executeTakeFirst();
      return row !== undefined;
    },
    rewrap: (wraps) => change((tx) => putWraps(tx, wraps)),
    replaceRoot(next, wraps) {
      const nextKey = storeKeyOf(next.bytes);
      return store.rekey({
        key: storeKeyOf(root.bytes.reveal()),
        nextKey,
        change: (copy) => rewrapCopy(copy, nextKey, wraps),
        commit: () => next.commit(),
        keyInForce: async () => storeKeyOf(next.inForce()),
      });
    },
    record: () => inTransaction(recordOf),
    bury: (buried) => inTransaction((tx) => insertTombstones(tx, buried)),
    forgetTombstones: (at) =>
      inTransaction(async (tx) => void (await tx.deleteFrom('tombstone').where('at', '<', at).execute())),
    inventory: createInventory(db, { store: 'keys', rules: keyInventory }),
    close: () => store.close(),
  };
}

const storeKeyOf = (rootBytes: Uint8Array): Uint8Array => deriveKey(rootBytes, 'key-store');

type KeyDb = Kysely<KeyTables>;
type KeyTx = Transaction<KeyTables>;

async function generationOf(db: KeyDb, initial: number): Promise<number> {
  const { latest } = await db
    .selectFrom('wrapped_key')
    .select(({ fn }) => fn.max('root_generation').as('latest'))
    .executeTakeFirstOrThrow();
  return latest ?? initial;
}

async function findWrap(tx: KeyDb, resource: string): Promise<StoredWrap | undefined> {
  const row = await tx
    .selectFrom('wrapped_key')
    .selectAll()
    .where('resource', '=', resource)
    .executeTakeFirst();
  return row && toWrap(row);
}

async function wrapsUnder(tx: KeyDb, parent: KeyParent): Promise<StoredWrap[]> {
  const rows = await tx.selectFrom('wrapped_key').selectAll().where('parent', '=', parent).execute();
  return rows.map(toWrap);
}

async function recordOf(db: KeyTx): Promise<KeyRecord> {
  return {
    wraps: (await db.selectFrom('wrapped_key').selectAll().execute()).map(toWrap),
    tombstones: await db.selectFrom('tombstone').selectAll().execute(),
  };
}

async function putWraps(tx: KeyTx, wraps: readonly StoredWrap[]): Promise<void> {
  for await (const slice of slices(wraps)) {
    const resources = slice.map(({ resource }) => resource);
    await tx.deleteFrom('wrapped_key').where('resource', 'in', resources).execute();
    await insertWraps(tx, slice);
  }
}

async function insertWraps(tx: KeyTx, wraps: readonly StoredWrap[]): Promise<void> {
  const rows = wraps.map(({ resource, parent, rootGeneration, wrap }) => ({
    resource,
    parent,
    root_generation: rootGeneration,
    wrap,
  }));
  for await (const slice of slices(rows)) await tx.insertInto('wrapped_key').values(slice).execute();
}

async function removeWraps(tx: KeyTx, resources: readonly string[], bury: Bury): Promise<void> {
  const buried: Tombstone[] = [];
  for await (const slice of slices(resources)) {
    await tx.deleteFrom('wrapped_key').where('resource', 'in', slice).execute();
    buried.push(...slice.map(bury));
  }
  // In the order of their index: each of its pages is written once.
  buried.sort((a, b) => Buffer.compare(a.hash, b.hash));
  await insertTombstones(tx, buried);
}

/** Who dies twice is dead since the second time. */
async function insertTombstones(tx: KeyTx, buried: readonly Tombstone[]): Promise<void> {
  for await (const slice of slices(buried)) {
    await tx
      .insertInto('tombstone')
      .values(slice)
      .onConflict((conflict) => conflict.doUpdateSet({ at: (eb) => eb.ref('excluded.at') }))
      .execute();
  }
}

function toWrap(row: Selectable<KeyTables['wrapped_key']>): StoredWrap {
  return {
    resource: row.resource,
    parent: row.parent,
    rootGeneration: row.root_generation,
    wrap: row.wrap,
  };
}
