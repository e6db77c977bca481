import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import type { SqlImported } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';
import { openFile } from '../open-file.ts';
import { counted } from '../rows.ts';
import { saveAnswer } from '../save-answer.ts';
import { sqlPath } from './sql-words.ts';

export function addSqlImport(sql: Command, context: Context): void {
  const command = withJson(sql.command('import'))
    .description('import SQL text, or CSV into one table: all of it or nothing')
    .argument('<name>')
    .argument('<file>', '"-" for stdin')
    .option(
      '--table <name>',
      'CSV into this table; made if there is none. A .csv file is its own name otherwise',
    )
    .action(async (name: string, file: string, { table: given }: { table?: string }) => {
      const isCsv = given !== undefined || extname(file).toLowerCase() === '.csv';
      const table = given ?? basename(file, extname(file));
      const path = isCsv ? `/import?table=${encodeURIComponent(table)}` : '/import';
      const content = await openFile(context, file);
      const value = await connect(context, command).sendStream<SqlImported>(sqlPath(name, path), {
        content,
        type: isCsv ? 'text/csv' : 'application/sql',
      });
      const told =
        'rows' in value
          ? `${counted(value.rows, 'row')} imported into ${table}.`
          : `${counted(value.statements, 'statement')} run.`;
      print(context, command, { value, lines: [told] });
    });
}

interface ExportOptions {
  readonly table?: string;
  readonly output?: string;
}

export function addSqlExport(sql: Command, context: Context): void {
  const command = sql
    .command('export')
    .description('export everything as SQL, or one table as CSV')
    .argument('<name>')
    .option('--table <name>', 'CSV of this table')
    .option('-o, --output <file>', 'a new file that only you can read, instead of stdout')
    .action(async (name: string, { table, output }: ExportOptions) => {
      const query = table === undefined ? '' : `?format=csv&table=${encodeURIComponent(table)}`;
      const answer = await connect(context, command).open(sqlPath(name, `/export${query}`));
      await saveAnswer(context, answer, output);
    });
}
