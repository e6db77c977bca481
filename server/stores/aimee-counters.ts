import { sql } from 'kysely';
import type { CounterRows, Counters } from '../aimee/customer-store.ts';
import type { SiteId } from '../kernel/ids.ts';
import type { CustomerDb, CustomerTx } from './aimee-tables.ts';

type Change = Partial<Counters>;

/** Adds to a day's counters; what would fall below zero, after a reset, stays at zero. */
export async function count(tx: CustomerTx, siteId: SiteId, day: string, change: Change): Promise<void> {
  const {
    conversations = 0,
    messages = 0,
    answered = 0,
    unanswered = 0,
    up = 0,
    down = 0,
    handOvers = 0,
  } = change;
  await sql`insert into counter
    (site_id, day, conversations, messages, answered, unanswered, up, down, hand_overs)
    values (${siteId}, ${day}, ${conversations}, ${messages}, ${answered}, ${unanswered},
      max(0, ${up}), max(0, ${down}), ${handOvers})
    on conflict do update set
      conversations = conversations + ${conversations}, messages = messages + ${messages},
      answered = answered + ${answered}, unanswered = unanswered + ${unanswered},
      up = max(0, up + ${up}), down = max(0, down + ${down}), hand_overs = hand_overs + ${handOvers}`.execute(
    tx,
  );
}

export function createCounterRows(db: CustomerDb): CounterRows {
  return {
    async list(siteId, { from, to }) {
      let query = db.selectFrom('counter').selectAll().where('site_id', '=', siteId).orderBy('day');
      if (from !== undefined) query = query.where('day', '>=', from);
      if (to !== undefined) query = query.where('day', '<=', to);
      const rows = await query.execute();
      return rows.map(({ day, conversations, messages, answered, unanswered, up, down, hand_overs }) => ({
        day,
        conversations,
        messages,
        answered,
        unanswered,
        up,
        down,
        handOvers: hand_overs,
      }));
    },
    async reset(siteId) {
      await db.deleteFrom('counter').where('site_id', '=', siteId).execute();
    },
  };
}
