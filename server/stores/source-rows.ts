import type { Kysely } from 'kysely';
import type { AccountId, ToolSourceId } from '../kernel/ids.ts';
import type { SourceStore } from '../tool-sources/source-store.ts';

export interface SourceTables {
  tool_source: { id: ToolSourceId; account_id: AccountId; sealed: Uint8Array };
}

/** `checkpoint` moves what was removed out of the write-ahead log. */
export function sourcesIn(db: Kysely<SourceTables>, checkpoint: () => void): SourceStore {
  return {
    async list(accountId) {
      const rows = await db
        .selectFrom('tool_source')
        .selectAll()
        .where('account_id', '=', accountId)
        .execute();
      return rows.map(({ id, sealed }) => ({ id, accountId, sealed }));
    },
    async put({ id, accountId, sealed }) {
      await db
        .insertInto('tool_source')
        .values({ id, account_id: accountId, sealed })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ sealed }))
        .execute();
    },
    async remove(id) {
      await db.deleteFrom('tool_source').where('id', '=', id).execute();
      checkpoint();
    },
  };
}
