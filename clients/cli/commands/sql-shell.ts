import type { Command } from 'commander';
import type { Api, SqlResult, SqlSchema } from '../api.ts';
import { connect, type Context } from '../context.ts';
import { CliError } from '../failure.ts';
import { resultLines } from './sql-query.ts';
import { sqlPath, tableLines } from './sql-words.ts';

const HELP = [
  'Statements end with ";". Each is a transaction of its own.',
  '  \\d [TABLE]  tables and their columns',
  '  \\q          leave (or Ctrl-D)',
  '  \\?          this help',
];

/** Statements by hand. What is typed stays in memory: no history is written anywhere. */
export function addSqlShell(sql: Command, context: Context): void {
  const shell = sql
    .command('shell')
    .description('type statements; nothing of them is kept')
    .argument('<name>')
    .option('--read-only', 'refuse whatever would write')
    .action(async (name: string, { readOnly = false }: { readOnly?: boolean }) => {
      const api = connect(context, shell);
      // Says at once when there is no such database.
      await api.get(sqlPath(name));
      const { terminal } = context;
      if (terminal.interactive) terminal.note(`${name}. "\\?" for help, "\\q" to leave.`);
      await converse(context, api, { name, readOnly });
    });
}

interface Opened {
  readonly name: string;
  readonly readOnly: boolean;
}

async function converse({ terminal }: Context, api: Api, opened: Opened): Promise<void> {
  let typed = '';
  const prompt = (): string => (typed === '' ? `${opened.name}> ` : `${' '.repeat(opened.name.length)}> `);
  for await (const line of terminal.lines(prompt)) {
    const words = line.trim();
    if (typed === '' && words === '\\q') return;
    if (typed === '' && words.startsWith('\\')) {
      for (const answer of await obey(api, opened.name, words)) terminal.out(answer);
      continue;
    }
    typed += typed === '' && words === '' ? '' : `${line}\n`;
    if (!words.endsWith(';')) continue;
    const sql = typed;
    typed = '';
    await runOne(terminal, api, { ...opened, sql });
  }
  if (typed.trim() !== '') throw new CliError('The last statement has no ";" at its end and was not run.');
}

/** At a terminal a failure is told and one goes on; in a script it is the end. */
async function runOne(
  terminal: Context['terminal'],
  api: Api,
  { name, sql, readOnly }: Opened & { readonly sql: string },
): Promise<void> {
  try {
    const result = await api.send<SqlResult>('POST', sqlPath(name, '/query'), { sql, readOnly });
    for (const line of resultLines(result)) terminal.out(line);
  } catch (error) {
    if (!terminal.interactive || !(error instanceof CliError)) throw error;
    terminal.note(`Error: ${error.message}`);
  }
}

async function obey(api: Api, name: string, words: string): Promise<string[]> {
  const [command, table] = words.split(/\s+/);
  if (command !== '\\d') return HELP;
  const { tables } = await api.get<SqlSchema>(sqlPath(name, '/schema'));
  if (table === undefined) return tableLines(tables, name);
  const found = tables.filter((one) => one.name === table);
  return found.length === 0 ? [`There is no table ${table}.`] : tableLines(found, name);
}
