import { DatabaseSync, constants } from 'node:sqlite';
import { askedDatabase } from '../../../testkit/ask-fixtures.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { sqlErrors } from '../errors.ts';
import type { SqlResult, SqlRow, SqlSource, SqlValue, TableSchema } from '../sql.ts';

export interface SqliteSource extends SqlSource {
  /** Statements as they came, refused ones too. */
  readonly statements: string[];
  readonly isClosed: () => boolean;
}

export type FixtureName = 'shop' | 'library' | 'fleet';

/** Bounds of the platform's engines. */
const ROWS_MAX = 1000;

/** A database of the fixtures in memory, guarded by SQLite's own authorizer as the engines are. */
export function openSqliteSource(name: FixtureName, more = ''): SqliteSource {
  const database = new DatabaseSync(':memory:');
  database.exec(askedDatabase(name, 'sqlite'));
  database.exec(more);
  const statements: string[] = [];
  let isClosed = false;
  return {
    dialect: 'sqlite',
    statements,
    isClosed: () => isClosed,
    schema: async (tables) =>
      (tables.length === 0 ? tablesOf(database) : tables).map((table) => schemaOf(database, table)),
    async read(sql, tables) {
      statements.push(sql);
      return readGuarded(database, sql, tables);
    },
    async close() {
      isClosed = true;
      database.close();
    },
  };
}

function tablesOf(database: DatabaseSync): string[] {
  return database
    .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
    .all()
    .map(({ name }) => String(name));
}

function schemaOf(database: DatabaseSync, table: string): TableSchema {
  const object = database.prepare('SELECT type FROM sqlite_schema WHERE name = ?').get(table);
  if (object === undefined) throw sqlErrors.unknownTable();
  const columns = database.prepare(`SELECT * FROM pragma_table_info(?)`).all(table);
  const keys = database.prepare(`SELECT * FROM pragma_foreign_key_list(?)`).all(table);
  return {
    name: table,
    kind: object['type'] === 'view' ? 'view' : 'table',
    columns: columns.map((column) => ({
      name: String(column['name']),
      type: String(column['type']),
      nullable: column['notnull'] === 0,
      primaryKey: column['pk'] !== 0,
      comment: null,
    })),
    foreignKeys: keys.map((key) => ({
      column: String(key['from']),
      table: String(key['table']),
      references: String(key['to']),
    })),
    comment: null,
  };
}

/** One SELECT over the named tables and views; everything else is refused before it runs. */
function readGuarded(database: DatabaseSync, sql: string, tables: readonly string[]): SqlResult {
  if (/;\s*\S/.test(sql)) throw refused('Only one statement can be run.');
  const allowed = new Set(tables.map((table) => table.toLowerCase()));
  let denied: string | undefined;
  database.setAuthorizer((action, ...[first, , , inside]) => {
    const isRead =
      action === constants.SQLITE_READ &&
      (allowed.has(String(first).toLowerCase()) || allowed.has(String(inside).toLowerCase()));
    if (isRead || HARMLESS.has(action)) return constants.SQLITE_OK;
    denied ??=
      action === constants.SQLITE_READ
        ? `The table ${first ?? ''} was not named.`
        : 'Only SELECT is allowed.';
    return constants.SQLITE_DENY;
  });
  try {
    const statement = database.prepare(sql);
    const columns = statement.columns().map(({ name }) => name);
    statement.setReturnArrays(true);
    const rows: SqlRow[] = [];
    for (const row of statement.iterate()) {
      if (rows.length === ROWS_MAX) return { columns, rows, truncated: true };
      rows.push(row as unknown as readonly SqlValue[]);
    }
    return { columns, rows, truncated: false };
  } catch (thrown) {
    if (denied !== undefined) throw refused(denied);
    throw failed(thrown instanceof Error ? thrown.message : 'unknown');
  } finally {
    database.setAuthorizer(null);
  }
}

const HARMLESS: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);

function refused(message: string): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: 'sql.refused', message });
}

function failed(message: string): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: 'sql.failed', message });
}
