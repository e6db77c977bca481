import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { RecordRequest } from '../calls/record-request.ts';
import type { DatabaseFile, Databases } from '../databases/databases.ts';
import { orAborted } from '../kernel/abort.ts';
import type { ManagedSql, RunOptions } from './managed/managed-sql.ts';
import type { Bounds, Sql, SqlCaller } from './sql-service.ts';

export interface ManagedDatabasesOptions {
  readonly databases: Pick<Databases, 'create' | 'list' | 'open' | 'drop'>;
  readonly managed: Omit<ManagedSql, 'close'>;
  readonly recordRequest: RecordRequest;
  readonly limits: TransferLimits;
}

export interface TransferLimits {
  /** Of statements, from arrival to the last byte of the answer; engines keep shorter ones. */
  readonly statementDeadlineMs: number;
  /** Of streams, migrations, imports and exports. */
  readonly transferDeadlineMs: number;
}

/** The catalogue's databases of the kind `sql`, each opened for one request and closed to it again. */
export function createManagedDatabases(options: ManagedDatabasesOptions): Omit<Sql, 'ask'> {
  const { databases, managed, limits } = options;
  const statement = (name: string): Target => ({ name, deadlineMs: limits.statementDeadlineMs });
  const transfer = (name: string): Target => ({ name, deadlineMs: limits.transferDeadlineMs });
  const within: Within = (caller, target, work) => openWithin(options, { caller, ...target }, work);

  return {
    create: (holder, name) =>
      databases.create(holder, { kind: 'sql', name, settings: {} }, (file) => managed.create(file)),
    list: (holder) => databases.list(holder, 'sql'),
    drop: (holder, name) => databases.drop(holder, 'sql', name),
    async describe(holder, name) {
      const { database, file } = await databases.open(holder, 'sql', name);
      try {
        return { ...database, bytes: await managed.size(file) };
      } finally {
        file.key.fill(0);
      }
    },
    run: (caller, name, { statements, ...bounds }) =>
      within(caller, statement(name), (file, signal) =>
        managed.run(file, statements, runOptions(bounds, signal)),
      ),
    stream: (caller, name, { statement: one, consume, ...bounds }) =>
      within(caller, transfer(name), async (file, signal) => {
        const rows = await managed.stream(file, one, runOptions({ ...bounds, readOnly: true }, signal));
        // A client that stops reading holds nothing beyond the deadline.
        await orAborted(consume(rows), signal);
      }),
    schema: (caller, name) =>
      within(caller, statement(name), (file, signal) => managed.schema(file, { signal })),
    migrate: (caller, name, migrations) =>
      within(caller, transfer(name), async (file, signal) => {
        const { applied } = await managed.migrate(file, migrations, { readOnly: false, signal });
        return applied;
      }),
    import: (caller, name, { csvTable, content }) =>
      within(caller, transfer(name), async (file, signal) => {
        const running = { readOnly: false, signal };
        if (csvTable === null) return (await managed.importSql(file, content, running)).statements;
        return (await managed.importCsv(file, csvTable, content, running)).rows;
      }),
    export: (caller, name, { csvTable, consume }) =>
      within(caller, transfer(name), async (file, signal) => {
        const running = { readOnly: true, signal };
        const text =
          csvTable === null ? managed.exportSql(file, running) : managed.exportCsv(file, csvTable, running);
        await orAborted(consume(text), signal);
      }),
  };
}

interface Target {
  readonly name: string;
  readonly deadlineMs: number;
}

type Work<T> = (file: DatabaseFile, signal: AbortSignal) => Promise<T>;
type Within = <T>(caller: SqlCaller, target: Target, work: Work<T>) => Promise<T>;

/** Records the request and opens the database for it; the key that was brought ends with it. */
function openWithin<T>(
  { databases, recordRequest }: ManagedDatabasesOptions,
  { caller, name, deadlineMs }: Target & { readonly caller: SqlCaller },
  work: Work<T>,
): Promise<T> {
  const { holder, originIp, signal } = caller;
  const request = { accountId: holder.accountId, functionId: REQUEST_IDS.sql, originIp, signal, deadlineMs };
  return recordRequest(request, async (ending) => {
    const { file } = await databases.open(holder, 'sql', name);
    try {
      return await work(file, ending);
    } finally {
      file.key.fill(0);
    }
  });
}

function runOptions({ readOnly, timeoutMs, rowsMax }: Bounds, signal: AbortSignal): RunOptions {
  return {
    readOnly,
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(rowsMax !== undefined && { rowsMax }),
  };
}
