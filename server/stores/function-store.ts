import type { BuildStore, FunctionRow, FunctionStore } from '../functions/function-store.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Inventory } from '../profile/inventory.ts';
import type { Restriction } from '../rights/restriction.ts';
import { buildStore, removeIfEmpty } from './build-rows.ts';
import type { Erase } from './build-rows.ts';
import { byShortname, toFunction, toRunPlan, toVersion } from './function-rows.ts';
import type { Db, FunctionTables } from './function-rows.ts';
import { createInventory } from './inventory.ts';
import { functionInventory } from './inventory-rules.ts';
import { functionsMigration } from './migrations/functions/001-functions.ts';
import { openRingStore, type RotatableStore } from './ring-store.ts';

export const functionMigrations = [functionsMigration];

export interface FunctionStoreOptions {
  /** `<dataDir>/functions/functions.db`. */
  readonly path: string;
  readonly keyRing: KeyRing;
  /** Whose functions nobody else sees. */
  readonly restriction?: Pick<Restriction, 'isRestricted'>;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openFunctionStore({
  path,
  keyRing,
  restriction,
  events,
}: FunctionStoreOptions): Promise<
  FunctionStore & RotatableStore & { readonly inventory: Inventory; close(): Promise<void> }
> {
  const store = await openRingStore<FunctionTables>({
    name: 'functions',
    path,
    keyRing,
    migrations: functionMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  const erase: Erase = async (work) => {
    const result = await db.transaction().execute(work);
    store.checkpoint();
    return result;
  };
  return {
    ...lookups(db, restriction),
    ...buildStore(db, erase),
    ...changes(db, erase),
    inventory: createInventory(db, { store: 'functions', rules: functionInventory }),
    rotateKey: () => store.rotateKey(),
    close: () => store.close(),
  };
}

type Lookups = Pick<
  FunctionStore,
  | 'shortnameTaken'
  | 'own'
  | 'listOwn'
  | 'listVisible'
  | 'findVisible'
  | 'versions'
  | 'version'
  | 'liveVersions'
>;

function lookups(db: Db, restriction: FunctionStoreOptions['restriction']): Lookups {
  const isSeen = (accountId: AccountId, { ownerId }: FunctionRow): boolean =>
    ownerId === accountId || restriction?.isRestricted(ownerId) !== true;
  const visible = (accountId: AccountId) =>
    db
      .selectFrom('function as f')
      .selectAll()
      .where((where) =>
        where.and([
          where.or([where('f.account_id', '=', accountId), where('f.published', '=', 1)]),
          where.exists(where.selectFrom('version').select('xid').whereRef('function_id', '=', 'f.id')),
        ]),
      )
      .orderBy('f.shortname');
  const versions = (functionId: FunctionId) =>
    db.selectFrom('version').selectAll().where('function_id', '=', functionId).orderBy('version', 'desc');

  return {
    async shortnameTaken(shortname) {
      return (await byShortname(db, shortname)) !== undefined;
    },
    async own(accountId, shortname) {
      const row = await byShortname(db, shortname);
      return row?.account_id === accountId ? toFunction(row) : undefined;
    },
    async listOwn(accountId) {
      const rows = await db.selectFrom('function').selectAll().where('account_id', '=', accountId).execute();
      return rows.map(toFunction);
    },
    async listVisible(accountId) {
      const rows = await visible(accountId).execute();
      return rows.map(toFunction).filter((fn) => isSeen(accountId, fn));
    },
    async findVisible(accountId, shortname) {
      const row = await visible(accountId).where('f.shortname', '=', shortname).executeTakeFirst();
      const fn = row && toFunction(row);
      return fn && isSeen(accountId, fn) ? fn : undefined;
    },
    async versions(functionId) {
      return (await versions(functionId).execute()).map(toVersion);
    },
    async version(functionId, version) {
      const query = versions(functionId).limit(1);
      const row = await (
        version === undefined ? query : query.where('version', '=', version)
      ).executeTakeFirst();
      return row && toVersion(row);
    },
    async liveVersions() {
      const rows = await db
        .selectFrom('version as v')
        .innerJoin('function as f', 'f.id', 'v.function_id')
        .selectAll('f')
        .select(['v.version', 'v.xid', 'v.layer', 'v.spec'])
        .execute();
      return rows.map((row) => ({ fn: toFunction(row), version: toRunPlan(row) }));
    },
  };
}

function changes(db: Db, erase: Erase): Omit<FunctionStore, keyof Lookups | keyof BuildStore> {
  return {
    async setPublished(accountId, shortname, { published, now }) {
      const row = await db
        .updateTable('function')
        .set({ published: published ? 1 : 0, updated_at: now })
        .where('shortname', '=', shortname)
        .where('account_id', '=', accountId)
        .where((where) =>
          where.exists(where.selectFrom('version').select('xid').whereRef('function_id', '=', 'function.id')),
        )
        .returningAll()
        .executeTakeFirst();
      return row && toFunction(row);
    },
    removeVersion: (accountId, functionId, version) =>
      erase(async (tx) => {
        const mine = await tx
          .selectFrom('function')
          .select('id')
          .where('id', '=', functionId)
          .where('account_id', '=', accountId)
          .executeTakeFirst();
        if (mine === undefined) return;
        const live = { function_id: functionId, version };
        await tx
          .deleteFrom('version')
          .where((where) => where.and(live))
          .execute();
        // Bad builds may bear the same number: it stayed free when they failed.
        await tx
          .deleteFrom('build')
          .where((where) => where.and({ ...live, state: 'DEPLOYED' }))
          .execute();
        await removeIfEmpty(tx, functionId);
      }),
    async removeFunction(accountId, functionId) {
      await erase((tx) =>
        tx.deleteFrom('function').where('id', '=', functionId).where('account_id', '=', accountId).execute(),
      );
    },
  };
}
