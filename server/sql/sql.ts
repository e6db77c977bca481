/** What SQL values are on the wire: bigints beyond 2^53 as strings are the caller's business, blobs as base64 objects. */
export type SqlValue =
  | string
  | number
  | boolean
  | null
  | { readonly base64: string }
  | { readonly int: string };
export type SqlRow = readonly SqlValue[];

export type Dialect = 'sqlite' | 'mysql' | 'postgres';

export interface TableSchema {
  readonly name: string;
  readonly kind: 'table' | 'view';
  readonly columns: readonly ColumnSchema[];
  /** `table(column)` that a column refers to, by column. */
  readonly foreignKeys: readonly {
    readonly column: string;
    readonly table: string;
    readonly references: string;
  }[];
  readonly comment: string | null;
}

export interface ColumnSchema {
  readonly name: string;
  /** As the database calls it. */
  readonly type: string;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  readonly comment: string | null;
}

/** A source that a question can be put to: an outside database, or a managed one. It lives for one question. */
export interface SqlSource {
  readonly dialect: Dialect;
  /** Of the named tables; rejects with `sql.unknown_table`. */
  schema(tables: readonly string[]): Promise<TableSchema[]>;
  /**
   * Runs one reading statement that touches nothing but the named tables. Rejects with `sql.refused` (the guard; its
   * message says why, for the model), `sql.failed` (the database; a code and a message without values),
   * `sql.timeout`, `sql.unreachable`.
   */
  read(sql: string, tables: readonly string[]): Promise<SqlResult>;
  close(): Promise<void>;
}

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
  readonly truncated: boolean;
}
