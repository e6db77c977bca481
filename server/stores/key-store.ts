import type { Selectable, Transaction } from 'kysely';
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

export async function openKeyStore({ path, root, events }: KeyStoreOptions): Promise<OpenKeyStore> {
  const store = await openEncrypted<KeyTables>({
    name: 'keys',
    path,
    key: deriveKey(root.bytes.reveal(), 'key-store'),
    migrations: keyMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  return {
    async find(resource) {
      const row = await db
        .selectFrom('wrapped_key')
        .selectAll()
        .where('resource', '=', resource)
        .executeTakeFirst();
      return row && toWrap(row);
    },
    insert: (wraps) => db.transaction().execute((tx) => insertWraps(tx, wraps)),
    async remove(resources, bury) {
      await store.withRoom(REMOVAL_CACHE_MIB, () =>
        db.transaction().execute((tx) => removeWraps(tx, resources, bury)),
      );
      store.checkpoint();
    },
    async removeAccount(accountId, bury) {
      await db.transaction().execute(async (tx) => {
        const rows = await tx
          .selectFrom('wrapped_key')
          .select('resource')
          .where('parent', '=', accountId)
          .execute();
        const resources = [...rows.map(({ resource }) => resource), accountResource(accountId)];
        await removeWraps(tx, resources, bury);
      });
      store.checkpoint();
    },
    async isBuried(hash) {
      const row = await db.selectFrom('tombstone').select('at').where('hash', '=', hash).executeTakeFirst();
      return row !== undefined;
    },
    record: () =>
      db.transaction().execute(async (tx) => ({
        wraps: (await tx.selectFrom('wrapped_key').selectAll().execute()).map(toWrap),
        tombstones: await tx.selectFrom('tombstone').selectAll().execute(),
      })),
    bury: (buried) => db.transaction().execute((tx) => insertTombstones(tx, buried)),
    async forgetTombstones(at) {
      await db.deleteFrom('tombstone').where('at', '<', at).execute();
    },
    inventory: createInventory(db, { store: 'keys', rules: keyInventory }),
    close: async () => await store.close(),
  };
}

type KeyTx = Transaction<KeyTables>;

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
