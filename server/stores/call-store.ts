import { sql } from 'kysely';
import type {
  CallRecord,
  CallStatistics,
  CallStore,
  CountedCall,
  DurationCount,
} from '../calls/call-record.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import { createSerial } from '../kernel/serial.ts';
import type { Inventory, StoredTable } from '../profile/inventory.ts';
import type { Objections } from '../rights/objections.ts';
import type { Restriction } from '../rights/restriction.ts';
import { createCallDays, DAY_FORM } from './call-days.ts';
import type { CallDays, CallDaysOptions, DayStore } from './call-days.ts';
import { emptyTable, inventoryOf } from './inventory.ts';
import { callInventory } from './inventory-rules.ts';

const LIST_LIMIT_MAX = 10_000;

export interface CallStoreOptions extends CallDaysOptions {
  /** Whose rows rest. */
  readonly restriction?: Pick<Restriction, 'accounts' | 'isRestricted'>;
  readonly objections?: Pick<Objections, 'has' | 'checkStatistics'>;
}

export function createCallStore(
  options: CallStoreOptions,
): CallStore & { readonly inventory: Inventory; close(): Promise<void> } {
  const { restriction, objections } = options;
  const days = createCallDays(options);
  const isCounted = (accountId: AccountId): boolean =>
    restriction?.isRestricted(accountId) !== true && objections?.has(accountId, 'statistics') !== true;
  const erased = new Set<AccountId>();
  // One at a time, so that no file closes or vanishes under a query. SQLite is synchronous: nothing is lost.
  const serial = createSerial();

  async function eachDay(work: (store: DayStore, day: string) => Promise<void>): Promise<void> {
    for (const day of await days.list()) {
      const store = await days.find(day);
      if (store !== undefined) await work(store, day);
    }
  }

  async function onDay<T>(day: string, work: (store: DayStore) => Promise<T[]>): Promise<T[]> {
    checkDay(day);
    return await serial(async () => {
      const store = await days.find(day);
      return store ? await work(store) : [];
    });
  }

  return {
    async append(day, rows) {
      checkDay(day);
      await serial(async () => {
        const kept = rows.filter(({ accountId }) => !erased.has(accountId));
        if (kept.length > 0) await insert(await days.obtain(day), kept);
      });
    },
    days: async () => await serial(days.list),
    list: (accountId, day, limit) =>
      onDay(day, (store) => listOf(store, accountId, Math.min(limit, LIST_LIMIT_MAX))),
    counted: (accountId, day, page) => onDay(day, (store) => countedOf(store, accountId, page)),
    async durations(accountId, day, functionId) {
      objections?.checkStatistics(accountId);
      return await onDay(day, (store) => durationsOf(store, accountId, functionId));
    },
    statistics: async (functionId) =>
      await serial(async () => {
        const totals = new Map<number, Totals>();
        await eachDay(async (store) => await addTotals(store, { functionId, isCounted }, totals));
        return new Map([...totals].map(([version, total]) => [version, toStatistics(total)]));
      }),
    async expire({ oldestDay, today }) {
      checkDay(oldestDay);
      checkDay(today);
      return await serial(async () => {
        const { expired, ahead } = await sortByAge(days, oldestDay, today);
        const kept = restriction?.accounts() ?? [];
        let resting = 0;
        for (const day of expired) {
          if (kept.length > 0 && (await keepOnly(await days.find(day), kept))) resting++;
          else await days.destroy(day);
        }
        return { destroyed: expired.length - resting, resting, ahead };
      });
    },
    eraseAccount: async (accountId) =>
      await serial(async () => {
        erased.add(accountId);
        await eachDay(async (store) => {
          await store.db.deleteFrom('call').where('account_id', '=', accountId).execute();
          store.checkpoint();
        });
      }),
    inventory: { of: async (accountId) => await serial(async () => await inventoryIn(eachDay, accountId)) },
    close: async () => await serial(days.close),
  };
}

async function sortByAge(
  days: Pick<CallDays, 'list' | 'agesFrom'>,
  oldestDay: string,
  today: string,
): Promise<{ expired: string[]; ahead: number }> {
  const expired: string[] = [];
  let ahead = 0;
  for (const day of await days.list()) {
    if ((await days.agesFrom(day, today)) < oldestDay) expired.push(day);
    else if (day > today) ahead++;
  }
  return { expired, ahead };
}

const INVENTORY = { store: 'calls', rules: callInventory };

type EachDay = (work: (store: DayStore, day: string) => Promise<void>) => Promise<void>;

async function inventoryIn(eachDay: EachDay, accountId: AccountId): Promise<StoredTable[]> {
  const parts: StoredTable[] = [];
  const counts: { day: string; count: number }[] = [];
  await eachDay(async (store, day) => {
    const tables = await inventoryOf(store.db, INVENTORY, { accountId, rowsMax: 0 });
    parts.push(...tables);
    counts.push({ day, count: tables.reduce((sum, { count }) => sum + count, 0) });
  });
  return [wholeOf(parts, counts)];
}

/** The days' tables as the one that they make up. */
function wholeOf(
  parts: readonly StoredTable[],
  counts: readonly { readonly day: string; readonly count: number }[],
): StoredTable {
  const days = counts.filter(({ count }) => count > 0);
  const [first = emptyTable(INVENTORY.store, 'call', callInventory.call)] = parts;
  return { ...first, count: days.reduce((sum, { count }) => sum + count, 0), days };
}

interface Totals {
  readonly invocations: number;
  readonly failures: number;
  readonly durationMs: number;
}

/** One statement with one parameter however many rows, and atomic like any statement. */
async function insert({ db }: DayStore, rows: readonly CallRecord[]): Promise<void> {
  const values = rows.map((row) => [
    row.accountId,
    row.functionId,
    row.version,
    row.originIp,
    row.durationMs,
    row.ok ? 1 : 0,
  ]);
  await sql`insert into call (account_id, function_id, version, origin_ip, duration_ms, ok)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    from json_each(${JSON.stringify(values)})`.execute(db);
}

/** Ordered by what the rows say, which tells nothing of when they came. */
async function listOf({ db }: DayStore, accountId: AccountId, limit: number): Promise<CallRecord[]> {
  const rows = await db
    .selectFrom('call')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('function_id')
    .orderBy('version')
    .orderBy('duration_ms')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    functionId: row.function_id,
    version: row.version,
    originIp: row.origin_ip,
    durationMs: row.duration_ms,
    ok: row.ok === 1,
  }));
}

/** Ordered by what the rows say, as in `listOf`. */
async function countedOf(
  { db }: DayStore,
  accountId: AccountId,
  { after, limit }: { readonly after?: CallRecord | undefined; readonly limit: number },
): Promise<CountedCall[]> {
  const behind =
    after === undefined
      ? sql`true`
      : sql`(function_id, version, origin_ip, duration_ms, ok)
          > (${after.functionId}, ${after.version}, ${after.originIp}, ${after.durationMs}, ${after.ok ? 1 : 0})`;
  const { rows } = await sql<Omit<CountedCall, 'accountId' | 'ok'> & { ok: number }>`
    select function_id as "functionId", version, origin_ip as "originIp", duration_ms as "durationMs", ok,
      count(*) as calls
    from call where account_id = ${accountId} and ${behind}
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5 limit ${limit}`.execute(db);
  return rows.map((row) => ({ accountId, ...row, ok: row.ok === 1 }));
}

async function durationsOf(
  { db }: DayStore,
  accountId: AccountId,
  functionId: FunctionId | undefined,
): Promise<DurationCount[]> {
  const rows = await db
    .selectFrom('call')
    .where('account_id', '=', accountId)
    .$if(functionId !== undefined, (query) => query.where('function_id', '=', functionId as FunctionId))
    .groupBy(['duration_ms', 'ok'])
    .orderBy('duration_ms')
    .orderBy('ok')
    .select(({ fn }) => ['duration_ms as durationMs', 'ok', fn.countAll<number>().as('calls')])
    .execute();
  return rows.map(({ durationMs, ok, calls }) => ({ durationMs, ok: ok === 1, calls }));
}

/** False when there is no row of these accounts; then nothing has changed. */
async function keepOnly(store: DayStore | undefined, accountIds: readonly AccountId[]): Promise<boolean> {
  if (store === undefined) return false;
  const query = store.db.selectFrom('call').select('account_id').where('account_id', 'in', accountIds);
  if ((await query.executeTakeFirst()) === undefined) return false;
  await store.db.deleteFrom('call').where('account_id', 'not in', accountIds).execute();
  store.checkpoint();
  return true;
}

interface Counted {
  readonly functionId: FunctionId;
  readonly isCounted: (accountId: AccountId) => boolean;
}

async function addTotals(
  { db }: DayStore,
  { functionId, isCounted }: Counted,
  totals: Map<number, Totals>,
): Promise<void> {
  const rows = await db
    .selectFrom('call')
    .where('function_id', '=', functionId)
    .groupBy(['version', 'account_id'])
    .select(({ fn }) => [
      'version',
      'account_id',
      fn.countAll<number>().as('invocations'),
      fn.sum<number>('ok').as('successes'),
      fn.sum<number>('duration_ms').as('durationMs'),
    ])
    .execute();
  for (const { version, account_id, invocations, successes, durationMs } of rows) {
    if (!isCounted(account_id)) continue;
    const before = totals.get(version) ?? { invocations: 0, failures: 0, durationMs: 0 };
    totals.set(version, {
      invocations: before.invocations + invocations,
      failures: before.failures + invocations - successes,
      durationMs: before.durationMs + durationMs,
    });
  }
}

function toStatistics({ invocations, failures, durationMs }: Totals): CallStatistics {
  return { invocations, failures, avgDurationMs: durationMs / invocations };
}

function checkDay(day: string): void {
  if (DAY_FORM.test(day)) return;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'calls.bad_day',
    message: 'A day is written YYYY-MM-DD.',
  });
}
