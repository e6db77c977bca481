import Database from 'better-sqlite3-multiple-ciphers';
import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataRow, Store } from '../../server/privacy/data-map/row.ts';
import { accountMigrations } from '../../server/stores/account-store.ts';
import { customerMigrations, siteCatalogueMigrations } from '../../server/stores/aimee-store.ts';
import { backupMigrations } from '../../server/stores/backup-store.ts';
import { callMigrations } from '../../server/stores/call-days.ts';
import { databaseMigrations } from '../../server/stores/database-store.ts';
import { functionMigrations } from '../../server/stores/function-store.ts';
import { keyMigrations } from '../../server/stores/key-store.ts';
import type { Migration } from '../../server/stores/migration.ts';
import { openEncrypted } from '../../server/stores/sqlite.ts';
import { vectorMigrations } from '../../server/stores/vector-store.ts';
import { root } from './sources.ts';

export type Column = Pick<DataRow, 'store' | 'table' | 'column'>;

/** A new directory below `migrations/` belongs here: a test compares. */
export const MIGRATIONS: Readonly<Record<Exclude<Store, 'sql'>, readonly Migration[]>> = {
  keys: keyMigrations,
  accounts: accountMigrations,
  functions: functionMigrations,
  calls: callMigrations,
  databases: databaseMigrations,
  vectors: vectorMigrations,
  'aimee-sites': siteCatalogueMigrations,
  aimee: customerMigrations,
  backups: backupMigrations,
};

/** Every column of every store, as a new one has it. */
export async function liveColumns(): Promise<Column[]> {
  const directory = mkdtempSync(join(tmpdir(), 'schemas-'));
  try {
    const columns: Column[] = managedColumns();
    for (const [store, migrations] of Object.entries(MIGRATIONS) as [Store, readonly Migration[]][]) {
      columns.push(...(await columnsOf(store, migrations, directory)));
    }
    return columns;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function columnsOf(
  store: Store,
  migrations: readonly Migration[],
  directory: string,
): Promise<Column[]> {
  const path = join(directory, `${store}.db`);
  const opened = await openEncrypted<object>({ name: store, path, key: randomBytes(32), migrations });
  const { rows } = await sql<{ table: string; column: string }>`
    select t.name as "table", c.name as "column"
    from sqlite_schema t, pragma_table_info(t.name) c
    where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'`.execute(opened.db);
  await opened.close();
  return rows.map(({ table, column }) => ({ store, table, column }));
}

/** The platform's own table in a managed SQL database, which its engine makes inside the jail. */
function managedColumns(): Column[] {
  const guard = readFileSync(join(root, 'guest/sqlite/guard.mjs'), 'utf8');
  const engine = readFileSync(join(root, 'guest/sqlite/database.mjs'), 'utf8');
  const prefix = /OWN_PREFIX = '(\w+)'/.exec(guard)?.[1] ?? '';
  const table = /MIGRATIONS = `\$\{OWN_PREFIX\}(\w+)`/.exec(guard)?.[1] ?? '';
  const database = new Database(':memory:');
  const made = [...engine.matchAll(/`(create table [^`]*)`/g)].map(([, text = '']) =>
    text.replaceAll('${MIGRATIONS}', `${prefix}${table}`),
  );
  for (const statement of made) database.exec(statement);
  const rows = database
    .prepare(`select t.name as "table", c.name as "column" from sqlite_schema t, pragma_table_info(t.name) c
      where t.type = 'table'`)
    .all() as Omit<Column, 'store'>[];
  database.close();
  return rows.map((row) => ({ store: 'sql', ...row }));
}

/** Columns without a row, and rows without a column. */
export function undescribedColumns(columns: readonly Column[], rows: readonly Column[]): string[] {
  const described = rows.map(nameOf);
  const live = columns.map(nameOf);
  return [
    ...live.filter((name) => !described.includes(name)).map((name) => `${name} is not in the data map`),
    ...described
      .filter((name) => !live.includes(name))
      .map((name) => `${name} is in the data map and in no store`),
    ...described
      .filter((name, at) => described.indexOf(name) !== at)
      .map((name) => `${name} is described twice`),
  ];
}

function nameOf({ store, table, column }: Column): string {
  return `${store}.${table}.${column}`;
}

type Fields = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Events and fields that only one side knows. */
export function undescribedFields(events: Fields, described: Fields): string[] {
  const names = (fields: Fields): string[] =>
    Object.entries(fields).flatMap(([event, own]) => [
      event,
      ...Object.keys(own).map((field) => `${event}.${field}`),
    ]);
  const live = names(events);
  const known = names(described);
  return [
    ...live.filter((name) => !known.includes(name)).map((name) => `${name} is logged, and not declared`),
    ...known.filter((name) => !live.includes(name)).map((name) => `${name} is declared, and not logged`),
  ];
}
