import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import type {
  ConversationQuery,
  ConversationRows,
  Counters,
  NewEntry,
  Rating,
  StoredConversation,
  StoredEntry,
} from '../aimee/customer-store.ts';
import type { ConversationId, SiteId } from '../kernel/ids.ts';
import { count } from './aimee-counters.ts';
import type { CustomerDb, CustomerTables, CustomerTx } from './aimee-tables.ts';
import { slices } from './slices.ts';
import type { EncryptedStore } from './sqlite.ts';

const PURGE_CACHE_MIB = 32;
const NOTES_MAX = 100;

export function createConversationRows({
  db,
  withRoom,
}: Pick<EncryptedStore<CustomerTables>, 'db' | 'withRoom'>): ConversationRows {
  const own = (siteId: SiteId) => db.selectFrom('conversation').where('site_id', '=', siteId);
  return {
    append: (entries) => db.transaction().execute((tx) => append(tx, entries)),
    rate: (siteId, answer, rating) =>
      db.transaction().execute((tx) => rate(tx, { siteId, ...answer }, rating)),
    async list(query) {
      return (await listed(db, query).execute()).map(toConversation);
    },
    async find(siteId, id) {
      const row = await own(siteId).selectAll().where('id', '=', id).executeTakeFirst();
      return row && toConversation(row);
    },
    async entries(id) {
      const rows = await db
        .selectFrom('entry')
        .selectAll()
        .where('conversation_id', '=', id)
        .orderBy('number')
        .execute();
      return rows.map(toEntry);
    },
    async entriesOf(ids) {
      const rows = await db
        .selectFrom('entry')
        .selectAll()
        .where('conversation_id', 'in', ids)
        .orderBy('number')
        .execute();
      const found = new Map<ConversationId, StoredEntry[]>(ids.map((id) => [id, []]));
      for (const row of rows) found.get(row.conversation_id)?.push(toEntry(row));
      return found;
    },
    async findByReference(siteId, reference) {
      const row = await own(siteId).selectAll().where('reference', '=', reference).executeTakeFirst();
      return row && toConversation(row);
    },
    ...createVisitorMarks(db),
    async doomed(siteId, which) {
      let query = own(siteId).select('id');
      if ('id' in which) query = query.where('id', '=', which.id);
      else if ('reference' in which) query = query.where('reference', '=', which.reference);
      else {
        if (which.withRestricted !== true) query = query.where('restricted', '=', 0);
        if (which.from !== undefined) query = query.where('started_at', '>=', which.from);
        if (which.before !== undefined) query = query.where('started_at', '<', which.before);
      }
      return (await query.execute()).map(({ id }) => id);
    },
    async remove(ids) {
      await withRoom(PURGE_CACHE_MIB, () =>
        db.transaction().execute(async (tx) => {
          for await (const slice of slices(ids))
            await tx.deleteFrom('conversation').where('id', 'in', slice).execute();
        }),
      );
    },
  };
}

/** What follows from visitors' rights. */
function createVisitorMarks(db: CustomerDb): Pick<ConversationRows, 'mark' | 'notes' | 'addNote'> {
  return {
    async mark(id, { restricted, objected }) {
      await db
        .updateTable('conversation')
        .set({
          ...(restricted !== undefined && { restricted: restricted ? 1 : 0 }),
          ...(objected !== undefined && { objected: objected ? 1 : 0 }),
        })
        .where('id', '=', id)
        .execute();
    },
    async notes(id) {
      const own = db.selectFrom('note').where('conversation_id', '=', id).orderBy('number');
      return await own.select(['entry', 'sealed']).execute();
    },
    async addNote(id, { entry, sealed }) {
      return await db.transaction().execute(async (tx) => {
        const { count: notes } = await tx
          .selectFrom('note')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('conversation_id', '=', id)
          .executeTakeFirstOrThrow();
        const beside = await tx
          .selectFrom('entry')
          .select('number')
          .where('conversation_id', '=', id)
          .where('number', '=', entry)
          .executeTakeFirst();
        if (beside === undefined || notes >= NOTES_MAX) return false;
        await tx
          .insertInto('note')
          .values({ conversation_id: id, entry, number: notes + 1, sealed })
          .execute();
        return true;
      });
    },
  };
}

function listed(db: CustomerDb, query: ConversationQuery) {
  const { siteId, from, before, answered, rating, after, limit } = query;
  const direction = query.order === 'oldest-first' ? 'asc' : 'desc';
  let rows = db
    .selectFrom('conversation')
    .selectAll()
    .where('site_id', '=', siteId)
    .orderBy('started_at', direction)
    .orderBy('id', direction)
    .limit(limit);
  if (from !== undefined) rows = rows.where('started_at', '>=', from);
  if (before !== undefined) rows = rows.where('started_at', '<', before);
  if (query.forAnalysis === true) rows = rows.where('restricted', '=', 0).where('objected', '=', 0);
  if (answered !== undefined) rows = rows.where('unanswered', answered === 'no' ? '>' : '=', 0);
  if (rating !== undefined) rows = rows.where(rating, '>', 0);
  if (after === undefined) return rows;
  const beyond = sql.raw(direction === 'asc' ? '>' : '<');
  return rows.where(sql<boolean>`(started_at, id) ${beyond} (${after.startedAt}, ${after.id})`);
}

async function append(tx: CustomerTx, entries: readonly NewEntry[]): Promise<(number | undefined)[]> {
  const sites = new Set((await tx.selectFrom('site').select('id').execute()).map(({ id }) => id));
  const numbers: (number | undefined)[] = [];
  const changes = new Map<string, { siteId: SiteId; day: string; change: Record<keyof Counters, number> }>();
  for (const entry of entries) {
    const added = sites.has(entry.siteId) ? await appendOne(tx, entry) : undefined;
    numbers.push(added?.number);
    if (added?.isCounted !== true) continue;
    const { siteId, day, kind, answered } = entry;
    const key = `${siteId} ${day}`;
    const counted = changes.get(key) ?? { siteId, day, change: nothing() };
    changes.set(key, counted);
    const { change } = counted;
    if (entry.begins !== undefined) change.conversations++;
    if (kind === 'hand-over') change.handOvers++;
    else {
      change.messages++;
      change[answered ? 'answered' : 'unanswered']++;
    }
  }
  for (const { siteId, day, change } of changes.values()) await count(tx, siteId, day, change);
  return numbers;
}

function nothing(): Record<keyof Counters, number> {
  return { conversations: 0, messages: 0, answered: 0, unanswered: 0, up: 0, down: 0, handOvers: 0 };
}

/** The number of the entry in its conversation; undefined when that is gone. Not counted where the visitor objects. */
async function appendOne(
  tx: CustomerTx,
  entry: NewEntry,
): Promise<{ readonly number: number; readonly isCounted: boolean } | undefined> {
  const { siteId, conversationId: id, kind, answered, begins } = entry;
  const isAnswer = kind === 'answer';
  const isUnanswered = isAnswer && !answered;
  let isCounted = true;
  if (begins === undefined) {
    const going = await tx
      .updateTable('conversation')
      .set((eb) => ({
        messages: eb('messages', '+', isAnswer ? 1 : 0),
        unanswered: eb('unanswered', '+', isUnanswered ? 1 : 0),
        ...(!isAnswer && { handed_over: 1 }),
      }))
      .where('id', '=', id)
      .where('site_id', '=', siteId)
      // Nothing is added to what is only kept; the visitor goes on in a new one.
      .where('restricted', '=', 0)
      .returning('objected')
      .executeTakeFirst();
    if (going === undefined) return undefined;
    isCounted = going.objected === 0;
  } else {
    await tx
      .insertInto('conversation')
      .values({
        id,
        site_id: siteId,
        reference: begins.reference,
        started_at: begins.startedAt,
        messages: isAnswer ? 1 : 0,
        unanswered: isUnanswered ? 1 : 0,
        up: 0,
        down: 0,
        handed_over: isAnswer ? 0 : 1,
        sealed_half: begins.sealedHalf,
      })
      .execute();
  }
  const { number } = await tx
    .insertInto('entry')
    .values((eb) => ({
      conversation_id: id,
      number: eb
        .selectFrom('entry')
        .select(sql<number>`coalesce(max(number), 0) + 1`.as('next'))
        .where('conversation_id', '=', id),
      kind,
      answered: answered ? 1 : 0,
      rating: 'none' as const,
      sealed: entry.sealed,
    }))
    .returning('number')
    .executeTakeFirstOrThrow();
  return { number, isCounted };
}

interface Rated {
  readonly siteId: SiteId;
  readonly id: ConversationId;
  readonly number: number;
}

async function rate(tx: CustomerTx, { siteId, id, number }: Rated, rating: Rating): Promise<boolean> {
  const found = await tx
    .selectFrom('entry')
    .innerJoin('conversation', 'conversation.id', 'entry.conversation_id')
    .select(['rating', 'objected', sql<string>`date(started_at, 'unixepoch')`.as('day')])
    .where('conversation_id', '=', id)
    .where('number', '=', number)
    .where('kind', '=', 'answer')
    .where('site_id', '=', siteId)
    .where('restricted', '=', 0)
    .executeTakeFirst();
  if (found === undefined) return false;
  if (found.rating === rating) return true;
  const up = Number(rating === 'up') - Number(found.rating === 'up');
  const down = Number(rating === 'down') - Number(found.rating === 'down');
  await tx
    .updateTable('entry')
    .set({ rating })
    .where('conversation_id', '=', id)
    .where('number', '=', number)
    .execute();
  await tx
    .updateTable('conversation')
    .set((eb) => ({ up: eb('up', '+', up), down: eb('down', '+', down) }))
    .where('id', '=', id)
    .execute();
  if (found.objected === 0) await count(tx, siteId, found.day, { up, down });
  return true;
}

function toConversation(row: Selectable<CustomerTables['conversation']>): StoredConversation {
  const { site_id: _, started_at: startedAt, handed_over, sealed_half: sealedHalf, ...others } = row;
  const { restricted, objected, ...rest } = others;
  return {
    ...rest,
    startedAt,
    handedOver: handed_over === 1,
    sealedHalf,
    restricted: restricted === 1,
    objected: objected === 1,
  };
}

function toEntry(row: Selectable<CustomerTables['entry']>): StoredEntry {
  const { conversation_id: _, answered, ...rest } = row;
  return { ...rest, answered: answered === 1 };
}
