import type { DatabaseFile } from '../../databases/databases.ts';
import type { DatabaseId } from '../../kernel/ids.ts';
import type { SqlRow, SqlValue, TableSchema } from '../sql.ts';

/**
 * Managed SQL databases: encrypted SQLite files, each opened in a jailed process of its own that can be ended at any
 * moment. Errors: `sql.*`; after a drop everything that still runs rejects with `database.not_found`.
 */
export interface ManagedSql {
  create(file: DatabaseFile): Promise<void>;
  /** Statements in one transaction: all or none. One statement is a batch of one. */
  run(file: DatabaseFile, statements: readonly Statement[], options: RunOptions): Promise<StatementResult[]>;
  /** Rows of one reading statement as they come; a reader that stops ends the statement. */
  stream(file: DatabaseFile, statement: Statement, options: RunOptions): Promise<RowStream>;
  schema(file: DatabaseFile, options: { signal: AbortSignal }): Promise<TableSchema[]>;
  /** Applies those that were not yet, in order, each in one transaction with its record. */
  migrate(
    file: DatabaseFile,
    migrations: readonly SqlMigration[],
    options: RunOptions,
  ): Promise<{ applied: string[] }>;
  /** SQL text of schema and rows that `importSql` takes. */
  exportSql(file: DatabaseFile, options: RunOptions): AsyncIterable<string>;
  /**
   * RFC 4180 with a line of column names; NULL is an empty field, an empty text is quoted, bytes are base64. Values are
   * exact: one that begins with `=` is a formula to a spreadsheet.
   */
  exportCsv(file: DatabaseFile, table: string, options: RunOptions): AsyncIterable<string>;
  /** All or nothing, like what sqlite3's `.dump` writes. Others may read meanwhile, but not write. */
  importSql(
    file: DatabaseFile,
    text: AsyncIterable<Uint8Array>,
    options: RunOptions,
  ): Promise<{ statements: number }>;
  /** First line: column names. Creates the table if there is none. All or nothing. */
  importCsv(
    file: DatabaseFile,
    table: string,
    text: AsyncIterable<Uint8Array>,
    options: RunOptions,
  ): Promise<{ rows: number }>;
  /** Bytes on disk. */
  size(file: DatabaseFile): Promise<number>;
  /** Ends the process, if there is one, and refuses the id from then on. */
  forget(id: DatabaseId): Promise<void>;
  /** Takes that back. */
  recall(id: DatabaseId): void;
  close(): Promise<void>;
}

export interface Statement {
  readonly sql: string;
  /** By position, or by name for `:name`, `@name`, `$name`. */
  readonly params?: readonly SqlValue[] | Readonly<Record<string, SqlValue>>;
}

export interface RunOptions {
  /** Refuses whatever would write. */
  readonly readOnly: boolean;
  /** Only these tables (and views) may be touched; absent: all. For statements that a model wrote. */
  readonly tables?: readonly string[];
  /** Bounds, at most the installation's own. */
  readonly timeoutMs?: number;
  readonly rowsMax?: number;
  readonly signal: AbortSignal;
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
  /** There were more rows than `rowsMax` or the byte bound. */
  readonly truncated: boolean;
  readonly changes: number;
  readonly lastRowId: number | null;
}

export interface RowStream {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<SqlRow>;
}

export interface SqlMigration {
  /** 1 to 64 of letters, digits, `_`, `-`; applied once, in the order of the list. */
  readonly id: string;
  /** Any number of statements. `BEGIN` and `COMMIT` mean nothing: a migration is one transaction. */
  readonly sql: string;
}
