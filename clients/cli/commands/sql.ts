import { readFileSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type {
  DroppedDatabase,
  SqlDatabase,
  SqlDatabaseDetails,
  SqlDatabases,
  SqlMigrated,
  SqlSchema,
} from '../api.ts';
import { confirmed, connect, print, table, withJson, type Context } from '../context.ts';
import { isSystemError, usageError } from '../failure.ts';
import { addSqlAsk } from './sql-ask.ts';
import { addSqlQuery } from './sql-query.ts';
import { addSqlShell } from './sql-shell.ts';
import { addSqlExport, addSqlImport } from './sql-transfer.ts';
import { sqlPath, tableLines } from './sql-words.ts';

/** SQL databases of the account, and questions in words to these or to outside ones. */
export function addSqlCommands(program: Command, context: Context): void {
  const sql = program.command('sql').description('keep SQL databases, and ask any database in words');
  addCreate(sql, context);
  addList(sql, context);
  addShow(sql, context);
  addSqlQuery(sql, context);
  addSqlShell(sql, context);
  addMigrate(sql, context);
  addSqlImport(sql, context);
  addSqlExport(sql, context);
  addSqlAsk(sql, context);
  addDrop(sql, context);
}

function addCreate(sql: Command, context: Context): void {
  const create = withJson(sql.command('create'))
    .description('make an SQL database')
    .argument('<name>', 'letters, digits, "_", ".", "-"')
    .action(async (name: string) => {
      const value = await connect(context, create).send<SqlDatabase>('POST', '/api/v1/sql', { name });
      const next = `Fill it: jellyfaas sql import ${name} FILE, or jellyfaas sql shell ${name}.`;
      print(context, create, { value, lines: [`${value.name} is there. ${next}`] });
    });
}

function addList(sql: Command, context: Context): void {
  const list = withJson(sql.command('list'))
    .description('list your SQL databases')
    .action(async () => {
      const value = await connect(context, list).get<SqlDatabases>('/api/v1/sql');
      const rows = value.databases.map(({ name, createdAt, id }) => [name, createdAt, id]);
      const none = 'You have none yet. Make one with "jellyfaas sql create NAME".';
      print(context, list, { value, lines: table(['DATABASE', 'CREATED', 'ID'], rows, none) });
    });
}

function addShow(sql: Command, context: Context): void {
  const show = withJson(sql.command('show'))
    .description('show an SQL database: its size, its tables and their columns')
    .argument('<name>')
    .action(async (name: string) => {
      const api = connect(context, show);
      const details = await api.get<SqlDatabaseDetails>(sqlPath(name));
      const { tables } = await api.get<SqlSchema>(sqlPath(name, '/schema'));
      const size = `${(details.bytes / 2 ** 20).toFixed(1)} MiB on disk`;
      const head = `${details.name} (${details.id}), ${size}, created ${details.createdAt}`;
      print(context, show, { value: { ...details, tables }, lines: [head, ...tableLines(tables, name)] });
    });
}

function addMigrate(sql: Command, context: Context): void {
  const migrate = withJson(sql.command('migrate'))
    .description('apply the *.sql files of a folder that were not applied yet, by name')
    .argument('<name>')
    .argument('<folder>')
    .action(async (name: string, folder: string) => {
      const migrations = readMigrations(resolve(context.cwd, folder));
      const path = sqlPath(name, '/migrations');
      const value = await connect(context, migrate).send<SqlMigrated>('POST', path, { migrations });
      const lines =
        value.applied.length === 0
          ? [`Nothing to do: all ${migrations.length} were applied before.`]
          : value.applied.map((id) => `applied ${id}`);
      print(context, migrate, { value, lines });
    });
}

function readMigrations(folder: string): { id: string; sql: string }[] {
  const names = listFolder(folder).filter((name) => name.endsWith('.sql'));
  if (names.length === 0) throw usageError(`There are no *.sql files in ${folder}.`);
  return names
    .toSorted()
    .map((name) => ({ id: basename(name, '.sql'), sql: readFileSync(join(folder, name), 'utf8') }));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES'))
      throw usageError(`${folder} is no folder that can be read.`);
    throw error;
  }
}

function addDrop(sql: Command, context: Context): void {
  const drop = withJson(sql.command('drop'))
    .description('destroy a database at once: its key first, then its files')
    .argument('<name>')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      if (!(await confirmed(context, yes, `Destroy ${name} with all its rows? There is no way back.`)))
        return;
      const value = await connect(context, drop).send<DroppedDatabase>('DELETE', sqlPath(name));
      print(context, drop, { value, lines: [`${name} is destroyed. The receipt:`, value.receipt] });
    });
}
