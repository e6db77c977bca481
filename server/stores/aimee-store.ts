import type { Selectable } from 'kysely';
import type { CustomerStore, SiteCatalogue, SiteRows, StoredSite } from '../aimee/customer-store.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, SiteId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Inventory } from '../profile/inventory.ts';
import { createAccessRows } from './aimee-access.ts';
import { createConversationRows } from './aimee-conversations.ts';
import { createVisitorRequestRows } from './visitor-requests.ts';
import { visitorRights } from './migrations/aimee/002-visitor-rights.ts';
import { createCounterRows } from './aimee-counters.ts';
import type { CustomerDb, CustomerTables } from './aimee-tables.ts';
import { createInventory } from './inventory.ts';
import { customerInventory, siteInventory } from './inventory-rules.ts';
import { aimeeSites } from './migrations/aimee-sites/001-sites.ts';
import { aimeeCustomer } from './migrations/aimee/001-customer.ts';
import { openRingStore, type RotatableStore } from './ring-store.ts';
import { openEncrypted } from './sqlite.ts';

export const siteCatalogueMigrations = [aimeeSites];
export const customerMigrations = [aimeeCustomer, visitorRights];

export interface SiteCatalogueOptions {
  /** `<dataDir>/aimee/sites.db`. */
  readonly path: string;
  readonly keyRing: KeyRing;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openSiteCatalogue({
  path,
  keyRing,
  events,
}: SiteCatalogueOptions): Promise<
  SiteCatalogue & RotatableStore & { readonly inventory: Inventory; close(): Promise<void> }
> {
  const store = await openRingStore<{ site: { id: SiteId; account_id: AccountId } }>({
    name: 'aimee-sites',
    path,
    keyRing,
    migrations: siteCatalogueMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  return {
    async list() {
      const rows = await db.selectFrom('site').selectAll().execute();
      return rows.map(({ id, account_id }) => ({ id, accountId: account_id }));
    },
    async insert(id, accountId) {
      await db.insertInto('site').values({ id, account_id: accountId }).execute();
    },
    async remove(id) {
      await db.deleteFrom('site').where('id', '=', id).execute();
      store.checkpoint();
    },
    inventory: createInventory(db, { store: 'aimee-sites', rules: siteInventory }),
    rotateKey: () => store.rotateKey(),
    close: async () => await store.close(),
  };
}

export interface CustomerStoreOptions {
  /** `<dataDir>/aimee/<account id>/aimee.db`. */
  readonly path: string;
  readonly key: Uint8Array;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openCustomerStore({
  path,
  key,
  events,
}: CustomerStoreOptions): Promise<CustomerStore & { close(): Promise<void> }> {
  const store = await openEncrypted<CustomerTables>({
    name: 'aimee',
    path,
    key,
    migrations: customerMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  return {
    async publicKey() {
      return (await db.selectFrom('customer').select('public_key').executeTakeFirst())?.public_key;
    },
    async setPublicKey(publicKey) {
      await db.insertInto('customer').values({ id: 1, public_key: publicKey }).execute();
    },
    sites: createSiteRows(db),
    conversations: createConversationRows(store),
    counters: createCounterRows(db),
    access: createAccessRows(db),
    requests: createVisitorRequestRows(db),
    inventory: createInventory(db, { store: 'aimee', rules: customerInventory }),
    // With the one connection in hand: within a transaction it would be refused.
    truncateLog: () => db.connection().execute(async () => store.checkpoint()),
    rekey: (change) => store.rekey(change),
    close: async () => await store.close(),
  };
}

function createSiteRows(db: CustomerDb): SiteRows {
  return {
    async list() {
      return (await db.selectFrom('site').selectAll().orderBy('created_at').orderBy('id').execute()).map(
        toSite,
      );
    },
    async insert({ id, createdAt, settings, knowledge }) {
      await db
        .insertInto('site')
        .values({
          id,
          created_at: createdAt,
          settings,
          knowledge_model: knowledge?.model ?? null,
          knowledge_dimensions: knowledge?.dimensions ?? null,
        })
        .execute();
    },
    async update(id, { settings, knowledge }) {
      const { numUpdatedRows } = await db
        .updateTable('site')
        .set({
          ...(settings !== undefined && { settings }),
          ...(knowledge !== undefined && {
            knowledge_model: knowledge?.model ?? null,
            knowledge_dimensions: knowledge?.dimensions ?? null,
          }),
        })
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(id) {
      await db.deleteFrom('site').where('id', '=', id).execute();
    },
  };
}

function toSite(row: Selectable<CustomerTables['site']>): StoredSite {
  const {
    id,
    created_at: createdAt,
    settings,
    knowledge_model: model,
    knowledge_dimensions: dimensions,
  } = row;
  return {
    id,
    createdAt,
    settings,
    knowledge: model === null || dimensions === null ? null : { model, dimensions },
  };
}
