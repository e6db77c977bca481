import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type { AccessEntry, AccessRows, ChainHash, StoredGrant } from '../aimee/customer-store.ts';
import type { ConversationId } from '../kernel/ids.ts';
import type { CustomerDb, CustomerTables, CustomerTx } from './aimee-tables.ts';

export function createAccessRows(db: CustomerDb): AccessRows {
  return {
    async grants() {
      const rows = await db
        .selectFrom('support_grant')
        .selectAll()
        .select((eb) =>
          eb
            .selectFrom('access')
            .select(sql<number>`count(*)`.as('reads'))
            .whereRef('grant_id', '=', 'support_grant.id')
            .where('event', '=', 'read')
            .as('reads'),
        )
        .orderBy(sql`rowid`, 'desc')
        .execute();
      return rows.map(({ reads, ...row }) => ({ ...toGrant(row), reads: reads ?? 0 }));
    },
    grant: (grant, hash) =>
      db.transaction().execute(async (tx) => {
        const { id, siteId, conversations, reason, createdAt, endsAt } = grant;
        await tx
          .insertInto('support_grant')
          .values({
            id,
            site_id: siteId,
            conversations: JSON.stringify(conversations),
            reason,
            created_at: createdAt,
            ends_at: endsAt,
            ended_at: null,
            ended_by: null,
          })
          .execute();
        await log(tx, { at: createdAt, event: 'granted', grant: id, conversation: null }, hash);
      }),
    end: (id, { at, by }, hash) =>
      db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('support_grant')
          .set({ ended_at: at, ended_by: by })
          .where('id', '=', id)
          .where('ended_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await log(tx, { at, event: 'ended', grant: id, conversation: null }, hash);
        return true;
      }),
    log: (entry, hash) => db.transaction().execute((tx) => log(tx, entry, hash)),
    async entries() {
      const rows = await db.selectFrom('access').selectAll().orderBy('number').execute();
      return rows.map(({ number, at, event, grant_id, conversation_id, hash }) => ({
        number,
        at,
        event,
        grant: grant_id,
        conversation: conversation_id,
        hash,
      }));
    },
  };
}

async function log(tx: CustomerTx, entry: AccessEntry, hash: ChainHash): Promise<void> {
  const last = await tx
    .selectFrom('access')
    .select(['number', 'hash'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  const number = (last?.number ?? 0) + 1;
  const { at, event, grant, conversation } = entry;
  await tx
    .insertInto('access')
    .values({
      number,
      at,
      event,
      grant_id: grant,
      conversation_id: conversation,
      hash: hash({ ...entry, number }, last?.hash),
    })
    .execute();
}

function toGrant(row: Selectable<CustomerTables['support_grant']>): StoredGrant {
  const { id, site_id, conversations, reason, created_at, ends_at, ended_at, ended_by } = row;
  return {
    id,
    siteId: site_id,
    conversations: JSON.parse(conversations) as ConversationId[],
    reason,
    createdAt: created_at,
    endsAt: ends_at,
    ended: ended_at === null || ended_by === null ? null : { at: ended_at, by: ended_by },
  };
}
