import type { Command } from 'commander';
import type { SqlEvent } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';
import { CliError } from '../failure.ts';
import { drawRows } from '../rows.ts';
import { printable } from '../terminal.ts';
import { textOf } from './sql-words.ts';

interface AskOptions {
  readonly table: readonly string[];
  readonly rows?: string;
  readonly explain?: boolean;
  readonly platform?: string;
  readonly trace?: boolean;
  readonly json?: boolean;
}

type AnswerEvent = Extract<SqlEvent, { type: 'answer' }>;

export function addSqlAsk(sql: Command, context: Context): void {
  const collect = (name: string, previous: readonly string[]) => [...previous, name];
  const ask = withJson(sql.command('ask'))
    .description('ask in words; the answer goes to stdout, the statement to stderr')
    .argument(
      '<database>',
      'one of yours, or @FILE (@- for stdin) that holds the connection string of another',
    )
    .argument('<question>', '"-" reads it from stdin')
    .option(
      '--table <name>',
      'may be read; may be repeated; all of your own database if none is named',
      collect,
      [],
    )
    .option('--rows <all|none>', 'what the model sees of the rows; "none": it writes gaps that are filled in')
    .option('--explain', 'show the statement, run nothing')
    .option('--platform <name>', 'one of "jellyfaas model list" instead of your choice')
    .option('--trace', 'show the rows, too')
    .action(async (database: string, question: string, options: AskOptions) => {
      const body = await readBody(context, { database, question, options });
      const events = connect(context, ask).events<SqlEvent>('/api/v1/sql/ask', { body });
      const { answer, isShown } = await follow(context, events, options);
      const { type: _, trace, ...plain } = answer;
      const value = options.trace === true ? { ...plain, trace } : plain;
      print(context, ask, { value, lines: isShown ? [] : [answer.answer] });
      if (options.json !== true) for (const line of notesOf(answer)) context.terminal.note(line);
    });
}

async function readBody(
  context: Context,
  asked: { readonly database: string; readonly question: string; readonly options: AskOptions },
): Promise<object> {
  const { database, options } = asked;
  const { rows, explain, platform, table: tables } = options;
  // Connection strings hold passwords; other users of the machine can read command lines.
  const target = database.startsWith('@')
    ? { connection: (await textOf(context, database.slice(1))).trim() }
    : { database };
  return {
    ...target,
    question: asked.question === '-' ? await textOf(context, '-') : asked.question,
    tables,
    trace: true,
    ...(rows !== undefined && { rows }),
    ...(explain === true && { explainOnly: true }),
    ...(platform !== undefined && { platform }),
  };
}

/** Shows the statement when it is written, and the answer while it is, on a terminal. */
async function follow(
  { terminal }: Context,
  events: AsyncIterable<SqlEvent>,
  { json = false, trace = false }: AskOptions,
): Promise<{ answer: AnswerEvent; isShown: boolean }> {
  let answer: AnswerEvent | undefined;
  const isStreamed = !json && terminal.interactive;
  let isShown = false;
  for await (const event of events) {
    if (event.type === 'error') throw new CliError(event.detail, { code: event.code });
    if (event.type === 'answer') answer = event;
    else if (event.type === 'text' && isStreamed) {
      isShown = true;
      await terminal.stream(Buffer.from(printable(event.text)));
    } else if (!json) for (const line of stepLines(event, trace)) terminal.note(line);
  }
  if (answer === undefined) throw new CliError('The server cut the answer off. Ask again.');
  if (isShown) await terminal.stream(Buffer.from('\n'));
  return { answer, isShown };
}

function stepLines(event: SqlEvent, isTraced: boolean): string[] {
  if (event.type === 'statement') return event.sql.split('\n').map((line) => `→ ${line}`);
  if (event.type === 'refused') return [`✗ ${event.reason}`];
  return event.type === 'result' && isTraced ? drawRows(event.columns, event.rows, event) : [];
}

function notesOf({ finish, retention, platform, rows, truncated }: AnswerEvent): string[] {
  return [
    ...(finish === 'length' ? ['The answer was cut: the model reached its longest output.'] : []),
    ...(finish === 'filtered' ? ["The answer is not complete: the model's provider filtered it."] : []),
    ...(truncated ? ['There were more rows than were read.'] : []),
    ...(retention === 'provider'
      ? [`${platform} may keep what was asked${rows === 'all' ? ', with the rows' : ''}: see its own terms.`]
      : []),
  ];
}
