import type { Selectable } from 'kysely';
import type { DatabaseStore, StoredDatabase } from '../databases/database-store.ts';
import type { DatabaseKind } from '../databases/databases.ts';
import { databaseErrors } from '../databases/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Inventory } from '../profile/inventory.ts';
import { createInventory } from './inventory.ts';
import { databaseInventory } from './inventory-rules.ts';
import { databasesMigration } from './migrations/databases/001-databases.ts';
import { isUniqueViolation } from './sqlite.ts';
import { openRingStore, type RotatableStore } from './ring-store.ts';

export const databaseMigrations = [databasesMigration];

interface DatabaseTables {
  database: {
    id: DatabaseId;
    account_id: AccountId;
    kind: DatabaseKind;
    name_hash: Uint8Array;
    description: Uint8Array;
    wrapped_key: Uint8Array;
  };
}

export interface DatabaseStoreOptions {
  /** `<dataDir>/databases/databases.db`. */
  readonly path: string;
  readonly keyRing: KeyRing;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openDatabaseStore({
  path,
  keyRing,
  events,
}: DatabaseStoreOptions): Promise<
  DatabaseStore & RotatableStore & { readonly inventory: Inventory; close(): Promise<void> }
> {
  const store = await openRingStore<DatabaseTables>({
    name: 'databases',
    path,
    keyRing,
    migrations: databaseMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  const own = (accountId: AccountId, kind: DatabaseKind) =>
    db.selectFrom('database').selectAll().where('account_id', '=', accountId).where('kind', '=', kind);
  return {
    async insert({ id, accountId, kind, nameHash, description, wrappedKey }) {
      const row = {
        id,
        account_id: accountId,
        kind,
        name_hash: nameHash,
        description,
        wrapped_key: wrappedKey,
      };
      try {
        await db.insertInto('database').values(row).execute();
      } catch (thrown) {
        throw isUniqueViolation(thrown) ? databaseErrors.nameTaken() : thrown;
      }
    },
    async list(accountId, kind) {
      return (await own(accountId, kind).execute()).map(toDatabase);
    },
    async find(accountId, kind, nameHash) {
      const row = await own(accountId, kind).where('name_hash', '=', nameHash).executeTakeFirst();
      return row && toDatabase(row);
    },
    async setWrappedKey(id, wrappedKey) {
      await db.updateTable('database').set({ wrapped_key: wrappedKey }).where('id', '=', id).execute();
      store.checkpoint();
    },
    async ids() {
      return (await db.selectFrom('database').select('id').execute()).map(({ id }) => id);
    },
    async remove(id) {
      await db.deleteFrom('database').where('id', '=', id).execute();
      store.checkpoint();
    },
    inventory: createInventory(db, { store: 'databases', rules: databaseInventory }),
    rotateKey: () => store.rotateKey(),
    close: async () => await store.close(),
  };
}

function toDatabase(row: Selectable<DatabaseTables['database']>): StoredDatabase {
  const { id, account_id, kind, name_hash, description, wrapped_key } = row;
  return { id, accountId: account_id, kind, nameHash: name_hash, description, wrappedKey: wrapped_key };
}
