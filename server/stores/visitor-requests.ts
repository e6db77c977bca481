import { type Selectable, sql } from 'kysely';
import type { StoredVisitorRequest, VisitorRequestRows } from '../aimee/customer-store.ts';
import type { CustomerDb, CustomerTables } from './aimee-tables.ts';
import { columnsOf, progressIn } from './progress-columns.ts';

/** Ended requests of a site that are kept. */
const KEPT_MAX = 1000;

export function createVisitorRequestRows(db: CustomerDb): VisitorRequestRows {
  const all = db
    .selectFrom('visitor_request')
    .leftJoin('conversation', 'conversation.id', 'visitor_request.conversation_id')
    .selectAll('visitor_request')
    .select('reference')
    .orderBy(sql`visitor_request.rowid`, 'desc');
  return {
    async list(siteId) {
      return (await all.where('visitor_request.site_id', '=', siteId).execute()).map(toRequest);
    },
    async listOpen() {
      return (await all.where('ended_on', 'is', null).execute()).map(toRequest);
    },
    async find(siteId, id) {
      const own = all.where('visitor_request.site_id', '=', siteId).where('visitor_request.id', '=', id);
      const row = await own.executeTakeFirst();
      return row && toRequest(row);
    },
    async insert({ id, siteId, conversationId, kind, ...progress }) {
      return await db.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('visitor_request')
          .values({ id, site_id: siteId, conversation_id: conversationId, kind, ...columnsOf(progress) })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        const old = tx
          .selectFrom('visitor_request')
          .select('id')
          .where('site_id', '=', siteId)
          .where('ended_on', 'is not', null)
          .orderBy(sql`rowid`, 'desc')
          .limit(-1)
          .offset(KEPT_MAX);
        await tx.deleteFrom('visitor_request').where('id', 'in', old).execute();
        return numInsertedOrUpdatedRows === 1n;
      });
    },
    async update(id, progress) {
      const { numUpdatedRows } = await db
        .updateTable('visitor_request')
        .set(columnsOf(progress))
        .where('id', '=', id)
        .where('ended_on', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

type Row = Selectable<CustomerTables['visitor_request']> & { reference: string | null };

function toRequest(row: Row): StoredVisitorRequest {
  const { id, site_id: siteId, conversation_id: conversationId, kind, reference, ...columns } = row;
  return { id, siteId, conversationId, kind, reference, ...progressIn(columns) };
}
