import { type Kysely, type Selectable, sql } from 'kysely';
import type { AccountId } from '../kernel/ids.ts';
import type { RequestId, RightKind } from '../rights/request.ts';
import type { ObjectionPurpose, RequestRows, StoredRequest } from '../rights/request-rows.ts';
import { type ProgressColumns, columnsOf, progressIn } from './progress-columns.ts';

export interface RequestTables {
  rights_request: {
    id: RequestId;
    account_id: AccountId;
    kind: RightKind;
    purpose: ObjectionPurpose | null;
    by_operator: number;
    missing: number;
  } & ProgressColumns;
}

export function requestsIn(db: Kysely<RequestTables>): RequestRows {
  const newestFirst = db
    .selectFrom('rights_request')
    .selectAll()
    .orderBy(sql`rowid`, 'desc');
  return {
    async list(accountId) {
      return (await newestFirst.where('account_id', '=', accountId).execute()).map(toRequest);
    },
    async listOpen() {
      return (await newestFirst.where('ended_on', 'is', null).execute()).map(toRequest).toReversed();
    },
    async find(id) {
      const row = await newestFirst.where('id', '=', id).executeTakeFirst();
      return row && toRequest(row);
    },
    async insert({ id, accountId, kind, purpose, byOperator, missing, ...progress }, keep) {
      return await db.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('rights_request')
          .values({
            id,
            account_id: accountId,
            kind,
            purpose,
            by_operator: byOperator ? 1 : 0,
            missing,
            ...columnsOf(progress),
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        const old = tx
          .selectFrom('rights_request')
          .select('id')
          .where('account_id', '=', accountId)
          .where('ended_on', 'is not', null)
          .orderBy(sql`rowid`, 'desc')
          .limit(-1)
          .offset(keep);
        await tx.deleteFrom('rights_request').where('id', 'in', old).execute();
        return numInsertedOrUpdatedRows === 1n;
      });
    },
    async update(id, { missing, ...progress }) {
      const { numUpdatedRows } = await db
        .updateTable('rights_request')
        .set({ ...columnsOf(progress), missing })
        .where('id', '=', id)
        .where('ended_on', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

function toRequest(row: Selectable<RequestTables['rights_request']>): StoredRequest {
  const { id, account_id: accountId, kind, purpose, by_operator, missing, ...columns } = row;
  return { id, accountId, kind, purpose, byOperator: by_operator === 1, missing, ...progressIn(columns) };
}
