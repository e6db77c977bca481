import type { Kysely, Selectable, Transaction } from 'kysely';
import type {
  BuildRow,
  FunctionRow,
  PendingBuild,
  RunPlan,
  VersionKey,
  VersionRow,
} from '../functions/function-store.ts';
import type { FunctionSpec } from '../functions/spec.ts';
import type { AccountId, BuildId, FunctionId, LayerId } from '../kernel/ids.ts';

/** The tables of the function store, and how their rows become what the capability knows. */
export interface FunctionTables {
  function: {
    id: string;
    account_id: string;
    shortname: string;
    published: number;
    last_version: number;
    created_at: number;
    updated_at: number;
  };
  version: {
    function_id: string;
    version: number;
    xid: string;
    released_at: number;
    layer: string | null;
    runtime_detail: string;
    digest: string;
    spec: string;
    readme: string;
    changelog: string;
  };
  build: {
    id: string;
    account_id: string;
    function_id: string;
    version: number;
    xid: string;
    name: string;
    state: BuildRow['state'];
    attempts: number;
    created_at: number;
    error_details: string;
  };
}

export type Db = Kysely<FunctionTables>;
export type Tx = Transaction<FunctionTables>;

export function byShortname(
  db: Db,
  shortname: string,
): Promise<Selectable<FunctionTables['function']> | undefined> {
  return db.selectFrom('function').selectAll().where('shortname', '=', shortname).executeTakeFirst();
}

export function toFunction(row: Selectable<FunctionTables['function']>): FunctionRow {
  return {
    id: row.id as FunctionId,
    ownerId: row.account_id as AccountId,
    shortname: row.shortname,
    published: row.published === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function toRunPlan(row: {
  version: number;
  xid: string;
  layer: string | null;
  spec: string;
}): VersionKey & RunPlan {
  return {
    version: row.version,
    xid: row.xid,
    layer: row.layer as LayerId | null,
    spec: JSON.parse(row.spec) as FunctionSpec,
  };
}

export function toVersion(row: Selectable<FunctionTables['version']>): VersionRow {
  return {
    ...toRunPlan(row),
    releasedAt: row.released_at,
    runtimeDetail: row.runtime_detail,
    readme: row.readme,
    changelogText: row.changelog,
    digest: row.digest,
  };
}

export function fromVersion(functionId: string, version: VersionRow): FunctionTables['version'] {
  return {
    function_id: functionId,
    version: version.version,
    xid: version.xid,
    released_at: version.releasedAt,
    layer: version.layer,
    runtime_detail: version.runtimeDetail,
    digest: version.digest,
    spec: JSON.stringify(version.spec),
    readme: version.readme,
    changelog: version.changelogText,
  };
}

export type NamedBuild = Selectable<FunctionTables['build']> & { shortname: string };

export function toPending(row: NamedBuild): PendingBuild {
  return {
    id: row.id as BuildId,
    accountId: row.account_id as AccountId,
    functionId: row.function_id as FunctionId,
    shortname: row.shortname,
    version: row.version,
    xid: row.xid,
    attempts: row.attempts,
  };
}

export function toBuild(row: NamedBuild): BuildRow {
  return {
    id: row.id as BuildId,
    shortname: row.shortname,
    name: row.name,
    createdAt: row.created_at,
    state: row.state,
    errorDetails: row.error_details,
  };
}
