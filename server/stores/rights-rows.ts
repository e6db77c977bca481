import type { Kysely } from 'kysely';
import type { AccountId } from '../kernel/ids.ts';
import type { ErasureStore } from '../rights/erasure.ts';
import type { ObjectionStore } from '../rights/objections.ts';
import type { ObjectionPurpose } from '../rights/request-rows.ts';
import type { RestrictionStore } from '../rights/restriction.ts';

export interface RightsTables {
  erasure: { account_id: AccountId };
  restriction: { account_id: AccountId; since: number };
  objection: { account_id: AccountId; purpose: ObjectionPurpose };
  identity: { account_id: AccountId };
  api_key: { account_id: AccountId };
}

/** What people have decided about their own data. */
export interface RightsStore {
  readonly erasures: ErasureStore;
  readonly restrictions: RestrictionStore;
  readonly objections: ObjectionStore;
}

export function rightsIn(db: Kysely<RightsTables>, checkpoint: () => void): RightsStore {
  return {
    erasures: {
      async begin(accountId) {
        await db.transaction().execute(async (tx) => {
          await tx
            .insertInto('erasure')
            .values({ account_id: accountId })
            .onConflict((conflict) => conflict.doNothing())
            .execute();
          // Whoever signs in from here on is somebody new, also if a crash comes between.
          await tx.deleteFrom('identity').where('account_id', '=', accountId).execute();
          await tx.deleteFrom('api_key').where('account_id', '=', accountId).execute();
        });
      },
      async pending() {
        return (await db.selectFrom('erasure').selectAll().execute()).map(({ account_id }) => account_id);
      },
      async end(accountId) {
        await db.deleteFrom('erasure').where('account_id', '=', accountId).execute();
        checkpoint();
      },
    },
    restrictions: {
      async list() {
        const rows = await db.selectFrom('restriction').selectAll().execute();
        return rows.map(({ account_id, since }) => ({ accountId: account_id, since }));
      },
      async insert(accountId, since) {
        await db.insertInto('restriction').values({ account_id: accountId, since }).execute();
      },
      async remove(accountId) {
        await db.deleteFrom('restriction').where('account_id', '=', accountId).execute();
        checkpoint();
      },
    },
    objections: {
      async list() {
        const rows = await db.selectFrom('objection').selectAll().execute();
        return rows.map(({ account_id, purpose }) => ({ accountId: account_id, purpose }));
      },
      async insert(accountId, purpose) {
        await db
          .insertInto('objection')
          .values({ account_id: accountId, purpose })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      },
      async remove(accountId, purpose) {
        await db
          .deleteFrom('objection')
          .where('account_id', '=', accountId)
          .where('purpose', '=', purpose)
          .execute();
        checkpoint();
      },
    },
  };
}
