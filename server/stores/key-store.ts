import { deriveKey } from '../keys/key-wrap.ts';
import { accountResource } from '../keys/key-ring.ts';
import type { KeyParent, KeyStore } from '../keys/key-ring.ts';
import type { RootKey } from '../keys/root-key.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Inventory } from '../profile/inventory.ts';
import { createInventory } from './inventory.ts';
import { keyInventory } from './inventory-rules.ts';
import { wrappedKeys } from './migrations/keys/001-wrapped-keys.ts';
import { slices } from './slices.ts';
import { openEncrypted } from './sqlite.ts';

interface KeyTables {
  wrapped_key: { resource: string; parent: KeyParent; root_generation: number | null; wrap: Uint8Array };
}

export const keyMigrations = [wrappedKeys];

export interface KeyStoreOptions {
  /** `<dataDir>/keys/keys.db`: a directory of its own, so that data backups can leave it out. */
  readonly path: string;
  readonly root: RootKey;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openKeyStore({
  path,
  root,
  events,
}: KeyStoreOptions): Promise<KeyStore & { readonly inventory: Inventory; close(): Promise<void> }> {
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
      return row && { resource, parent: row.parent, rootGeneration: row.root_generation, wrap: row.wrap };
    },
    async insert(wraps) {
      const rows = wraps.map(({ resource, parent, rootGeneration, wrap }) => ({
        resource,
        parent,
        root_generation: rootGeneration,
        wrap,
      }));
      await db.transaction().execute(async (tx) => {
        for await (const slice of slices(rows)) await tx.insertInto('wrapped_key').values(slice).execute();
      });
    },
    async remove(resources) {
      await db.transaction().execute(async (tx) => {
        for await (const slice of slices(resources))
          await tx.deleteFrom('wrapped_key').where('resource', 'in', slice).execute();
      });
      store.checkpoint();
    },
    async removeAccount(accountId) {
      await db
        .deleteFrom('wrapped_key')
        .where((eb) => eb.or([eb('parent', '=', accountId), eb('resource', '=', accountResource(accountId))]))
        .execute();
      store.checkpoint();
    },
    inventory: createInventory(db, { store: 'keys', rules: keyInventory }),
    close: async () => await store.close(),
  };
}
