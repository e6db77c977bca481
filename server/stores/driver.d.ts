/**
 * What the server uses of the driver, which ships its types outside its `exports`. `serialize()`, `backup()`
 * and `loadExtension()` are left out on purpose: the first gives the plaintext of an encrypted database, and
 * none of them has a place here.
 */
declare module 'better-sqlite3-multiple-ciphers' {
  class SqliteError extends Error {
    /** SQLite's extended result code by name, for example `SQLITE_CONSTRAINT_UNIQUE`. */
    readonly code: string;
  }

  export interface Statement {
    readonly reader: boolean;
    all(...parameters: unknown[]): unknown[];
    get(...parameters: unknown[]): unknown;
    run(...parameters: unknown[]): { changes: number; lastInsertRowid: number | bigint };
    iterate(...parameters: unknown[]): IterableIterator<unknown>;
  }

  class Database {
    static readonly SqliteError: typeof SqliteError;
    readonly open: boolean;
    constructor(path: string, options?: { readonly fileMustExist: boolean });
    prepare(sql: string): Statement;
    exec(sql: string): this;
    pragma(text: string, options?: { simple: boolean }): unknown;
    close(): this;
  }

  export default Database;
}
