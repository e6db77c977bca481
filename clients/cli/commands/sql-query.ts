import type { Command } from 'commander';
import type { Api, SqlLine, SqlResult } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';
import { CliError, usageError } from '../failure.ts';
import { counted, csvLine, drawRows } from '../rows.ts';
import { sqlPath, textOf } from './sql-words.ts';

interface QueryOptions {
  readonly params?: string;
  readonly readOnly?: boolean;
  readonly rows?: string;
  readonly csv?: boolean;
}

export function addSqlQuery(sql: Command, context: Context): void {
  const query = withJson(sql.command('query'))
    .description('run one statement')
    .argument('<name>')
    .argument('<sql>', '"-" reads it from stdin, where no other user of the machine can see it')
    .option('--params <json>', 'values: a list for "?", an object for ":name"')
    .option('--read-only', 'refuse whatever would write')
    .option('--rows <number>', 'show at most so many')
    .option('--csv', 'print all rows as CSV, as they come')
    .action(async (name: string, word: string, options: QueryOptions) => {
      const { params, readOnly, rows } = options;
      const body = {
        sql: word === '-' ? await textOf(context, '-') : word,
        ...(params !== undefined && { params: parseParams(params) }),
        ...(readOnly === true && { readOnly }),
        ...(rows !== undefined && { rowsMax: Number(rows) }),
      };
      const api = connect(context, query);
      if (options.csv === true) {
        await printCsv(context, api, { path: sqlPath(name, '/query'), body });
        return;
      }
      const value = await api.send<SqlResult>('POST', sqlPath(name, '/query'), body);
      print(context, query, { value, lines: resultLines(value) });
    });
}

function parseParams(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw usageError(`The parameters are no JSON. An example: --params '[1, "Ada"]'.`);
  }
}

/** Rows, or what a statement without rows has done. */
export function resultLines({ columns, rows, truncated, changes }: SqlResult): string[] {
  if (columns.length > 0) return drawRows(columns, rows, { truncated });
  return [`Done. ${counted(changes, 'row')} changed.`];
}

async function printCsv(
  { terminal }: Context,
  api: Api,
  { path, body }: { readonly path: string; readonly body: object },
): Promise<void> {
  let isComplete = false;
  for await (const line of api.lines<SqlLine>(path, body)) {
    if (Array.isArray(line)) await terminal.stream(Buffer.from(csvLine(line)));
    else if ('columns' in line) await terminal.stream(Buffer.from(csvLine(line.columns)));
    else if ('error' in line) throw new CliError(line.error.detail, { code: line.error.code });
    else isComplete = true;
  }
  if (!isComplete) throw new CliError('The server cut the answer off. Ask again.');
}
