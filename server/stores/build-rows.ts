import type { Selectable } from 'kysely';
import type {
  BeginOutcome,
  BuildRequestRow,
  BuildRow,
  BuildStore,
  FunctionRow,
  VersionRow,
} from '../functions/function-store.ts';
import type { AccountId, BuildId } from '../kernel/ids.ts';
import { byShortname, fromVersion, toBuild, toFunction, toPending } from './function-rows.ts';
import type { Db, FunctionTables, Tx } from './function-rows.ts';

/** A transaction that deletes; what it deleted is gone from the disk when it resolves. */
export type Erase = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

export function buildStore(db: Db, erase: Erase): BuildStore {
  const all = db
    .selectFrom('build as b')
    .innerJoin('function as f', 'f.id', 'b.function_id')
    .selectAll('b')
    .select('f.shortname');
  const rows = (accountId: AccountId) => all.where('b.account_id', '=', accountId);

  return {
    beginBuild: (accountId, request) => db.transaction().execute((tx) => beginBuild(tx, accountId, request)),
    async resumePending() {
      await db
        .updateTable('build')
        .set((set) => ({ attempts: set('attempts', '+', 1) }))
        .where('state', '=', 'PENDING')
        .execute();
      const pending = await all.where('b.state', '=', 'PENDING').orderBy('b.created_at').execute();
      return pending.map(toPending);
    },
    async listPending(accountId) {
      const pending = await rows(accountId)
        .where('b.state', '=', 'PENDING')
        .orderBy('b.created_at')
        .execute();
      return pending.map(toPending);
    },
    async build(accountId, buildId) {
      const row = await rows(accountId).where('b.id', '=', buildId).executeTakeFirst();
      return row && toBuild(row);
    },
    async pendingBuild(accountId, functionId) {
      const row = await rows(accountId)
        .where('b.function_id', '=', functionId)
        .where('b.state', '=', 'PENDING')
        .executeTakeFirst();
      return row && (row.id as BuildId);
    },
    async abandonBuild(accountId, buildId) {
      await erase((tx) => removeBuild(tx, accountId, { buildId, state: 'PENDING' }));
    },
    failBuild: (accountId, buildId, failure) => erase((tx) => failBuild(tx, accountId, buildId, failure)),
    goLive: (accountId, buildId, version) =>
      db.transaction().execute((tx) => goLive(tx, accountId, buildId, version)),
    async badBuilds(accountId) {
      const found = await rows(accountId)
        .where('b.state', '=', 'FAILED')
        .orderBy('b.created_at', 'desc')
        .execute();
      return found.map(toBuild);
    },
    removeBadBuild: (accountId, buildId) =>
      erase((tx) => removeBuild(tx, accountId, { buildId, state: 'FAILED' })),
  };
}

async function beginBuild(tx: Tx, accountId: AccountId, request: BuildRequestRow): Promise<BeginOutcome> {
  const found = await byShortname(tx, request.shortname);
  if (found !== undefined && found.account_id !== accountId) return { outcome: 'taken' };
  const fn = found ?? (await insertFunction(tx, accountId, request));
  if (fn === undefined) return { outcome: 'too_many_functions' };

  const pending = await tx
    .selectFrom('build')
    .select('id')
    .where('function_id', '=', fn.id)
    .where('state', '=', 'PENDING')
    .executeTakeFirst();
  if (pending !== undefined) return { outcome: 'in_progress' };
  const versions = await tx
    .selectFrom('version')
    .select((select) => [select.fn.countAll<number>().as('count'), select.fn.max('version').as('newest')])
    .where('function_id', '=', fn.id)
    .executeTakeFirstOrThrow();
  if (versions.count >= request.versionsPerFunctionMax) return { outcome: 'too_many_versions' };

  const build = {
    id: request.buildId,
    account_id: accountId,
    function_id: fn.id,
    version: fn.last_version + 1,
    xid: request.xid,
    name: request.name,
    state: 'PENDING' as const,
    attempts: 0,
    created_at: request.now,
    error_details: '',
  };
  await tx.insertInto('build').values(build).execute();
  return {
    outcome: 'begun',
    build: toPending({ ...build, shortname: fn.shortname }),
    currentVersion: versions.newest,
  };
}

async function insertFunction(
  tx: Tx,
  accountId: AccountId,
  request: BuildRequestRow,
): Promise<Selectable<FunctionTables['function']> | undefined> {
  const { count } = await tx
    .selectFrom('function')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (count >= request.functionsPerAccountMax) return undefined;
  return await tx
    .insertInto('function')
    .values({
      id: request.functionId,
      account_id: accountId,
      shortname: request.shortname,
      published: 0,
      last_version: 0,
      created_at: request.now,
      updated_at: request.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function goLive(
  tx: Tx,
  accountId: AccountId,
  buildId: BuildId,
  version: VersionRow,
): Promise<FunctionRow | undefined> {
  const build = await tx
    .updateTable('build')
    .set({ state: 'DEPLOYED' })
    .where((where) => where.and({ id: buildId, account_id: accountId, state: 'PENDING' }))
    .returning('function_id')
    .executeTakeFirst();
  if (build === undefined) return undefined;
  await tx.insertInto('version').values(fromVersion(build.function_id, version)).execute();
  const row = await tx
    .updateTable('function')
    .set({ last_version: version.version, updated_at: version.releasedAt })
    .where('id', '=', build.function_id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return toFunction(row);
}

async function failBuild(
  tx: Tx,
  accountId: AccountId,
  buildId: BuildId,
  { errorDetails, keep }: { errorDetails: string; keep: number },
): Promise<void> {
  const failed = await tx
    .updateTable('build')
    .set({ state: 'FAILED', error_details: errorDetails })
    .where((where) => where.and({ id: buildId, account_id: accountId, state: 'PENDING' }))
    .returning('function_id')
    .executeTakeFirst();
  if (failed !== undefined) await forgetOldBadBuilds(tx, failed.function_id, keep);
}

async function removeBuild(
  tx: Tx,
  accountId: AccountId,
  { buildId, state }: { buildId: string; state: BuildRow['state'] },
): Promise<{ shortname: string; functionGone: boolean } | undefined> {
  const removed = await tx
    .deleteFrom('build')
    .where((where) => where.and({ id: buildId, account_id: accountId, state }))
    .returning('function_id')
    .executeTakeFirst();
  if (removed === undefined) return undefined;
  const fn = await tx
    .selectFrom('function')
    .select('shortname')
    .where('id', '=', removed.function_id)
    .executeTakeFirstOrThrow();
  return { shortname: fn.shortname, functionGone: await removeIfEmpty(tx, removed.function_id) };
}

/** A function exists while it has a version or a build. */
export async function removeIfEmpty(tx: Tx, functionId: string): Promise<boolean> {
  const removed = await tx
    .deleteFrom('function')
    .where('id', '=', functionId)
    .where((where) =>
      where.not(
        where.exists(where.selectFrom('version').select('xid').where('function_id', '=', functionId)),
      ),
    )
    .where((where) =>
      where.not(where.exists(where.selectFrom('build').select('id').where('function_id', '=', functionId))),
    )
    .returning('id')
    .executeTakeFirst();
  return removed !== undefined;
}

async function forgetOldBadBuilds(tx: Tx, functionId: string, keep: number): Promise<void> {
  const kept = tx
    .selectFrom('build')
    .select('id')
    .where('function_id', '=', functionId)
    .where('state', '=', 'FAILED')
    .orderBy('created_at', 'desc')
    .limit(keep);
  await tx
    .deleteFrom('build')
    .where('function_id', '=', functionId)
    .where('state', '=', 'FAILED')
    .where('id', 'not in', kept)
    .execute();
}
