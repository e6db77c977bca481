import type { Database, Dropped, Holder } from '../databases/databases.ts';
import type { Principal } from '../accounts/principal.ts';
import type { Secret } from '../kernel/secret.ts';
import type { RowsShown, SqlAnswer, SqlEvent } from './ask/question.ts';
import type { RowStream, SqlMigration, Statement, StatementResult } from './managed/managed-sql.ts';
import type { TableSchema } from './sql.ts';

/**
 * Managed SQL databases of accounts, and questions in words to these or to outside ones. Whatever touches rows leaves
 * one call record under a reserved function id. Errors: `sql.*`, `databases.*`, `database.not_found`, `models.*`.
 */
export interface Sql {
  create(holder: Holder, name: string): Promise<Database>;
  list(holder: Holder): Promise<Database[]>;
  drop(holder: Holder, name: string): Promise<Dropped>;
  describe(holder: Holder, name: string): Promise<SqlDescription>;

  /** All statements in one transaction. */
  run(caller: SqlCaller, name: string, batch: Batch): Promise<StatementResult[]>;
  /** Rows of one reading statement; they are read as fast as `consume` takes them, and no further. */
  stream(caller: SqlCaller, name: string, reading: Reading): Promise<void>;
  schema(caller: SqlCaller, name: string): Promise<TableSchema[]>;
  /** Ids of those that were not applied before. */
  migrate(caller: SqlCaller, name: string, migrations: readonly SqlMigration[]): Promise<string[]>;
  /** SQL text, or the rows of one table as CSV. Resolves with how many statements or rows it were. */
  import(caller: SqlCaller, name: string, input: Import): Promise<number>;
  export(caller: SqlCaller, name: string, output: Export): Promise<void>;

  /** `onEvent` hears parts in order. */
  ask(question: SqlQuestion, onEvent?: (event: SqlEvent) => void): Promise<SqlAnswer>;
}

/** Who makes a request. The signal aborts when the client leaves. */
export interface SqlCaller {
  readonly holder: Holder;
  readonly originIp: string;
  readonly signal: AbortSignal;
}

export interface SqlDescription extends Database {
  /** On disk. */
  readonly bytes: number;
}

export interface Bounds {
  readonly readOnly: boolean;
  readonly timeoutMs?: number | undefined;
  readonly rowsMax?: number | undefined;
}

export interface Batch extends Bounds {
  readonly statements: readonly Statement[];
}

export interface Reading extends Omit<Bounds, 'readOnly'> {
  readonly statement: Statement;
  readonly consume: (rows: RowStream) => Promise<void>;
}

export interface Import {
  /** Null: SQL text. */
  readonly csvTable: string | null;
  readonly content: AsyncIterable<Uint8Array>;
}

export interface Export {
  /** Null: everything, as SQL text. */
  readonly csvTable: string | null;
  readonly consume: (text: AsyncIterable<string>) => Promise<void>;
}

export interface SqlQuestion {
  readonly principal: Principal;
  /** Asked for only where a managed database is opened. */
  readonly unlock: () => Promise<Holder>;
  readonly originIp: string;
  readonly signal: AbortSignal;
  readonly question: string;
  /** What the statement is written from, where that is not the question itself. */
  readonly statementQuestion?: string | undefined;
  readonly from: { readonly database: string } | { readonly connection: Secret };
  /** Required for outside databases; empty: all of a managed one. */
  readonly tables: readonly string[];
  readonly platform: string | undefined;
  readonly rows: RowsShown | undefined;
  readonly explainOnly: boolean;
}
