import type { Command } from 'commander';
import type {
  AimeeConversation,
  AimeeConversations,
  AimeeConversationSummary,
  AimeeEntry,
  AimeeFound,
  AimeePurged,
  AimeeStatistics,
} from '../api.ts';
import { confirmed, connect, print, table, withJson, type Context } from '../context.ts';
import { usageError } from '../failure.ts';
import { saveAnswer } from '../save-answer.ts';
import { daysQuery, findSite, sitePath } from './aimee-words.ts';
import { questionOf } from './vector-words.ts';

/** What was said, how much of it, and its end. */
export function addAimeeConversations(aimee: Command, context: Context): void {
  addConversations(aimee, context);
  addPurge(aimee, context);
  addStatistics(aimee, context);
  addExport(aimee, context);
}

interface Days {
  readonly from?: string;
  readonly to?: string;
}

function withDays(command: Command): Command {
  return command
    .option('--from <day>', 'first day (UTC), as 2026-11-23')
    .option('--to <day>', 'last day, with it');
}

interface ListOptions extends Days {
  readonly search?: string;
  readonly unanswered?: boolean;
  readonly show?: string;
  readonly limit: string;
}

function addConversations(aimee: Command, context: Context): void {
  const list = withDays(withJson(aimee.command('conversations')))
    .description('list conversations of a site, newest first, or show one')
    .argument('<site>', 'id or name')
    .option('--search <text>', 'only those in which it occurs; "-" reads it from stdin')
    .option('--unanswered', 'only those with a question that the knowledge did not answer')
    .option('--show <conversation>', 'read this one')
    .option('--limit <number>', 'how many', '50')
    .action(async (word: string, { search, show, unanswered, limit, ...days }: ListOptions) => {
      const api = connect(context, list);
      const { id } = await findSite(api, word);
      if (show !== undefined) {
        const path = sitePath(id, `/conversations/${encodeURIComponent(show)}`);
        const value = await api.get<AimeeConversation>(path);
        print(context, list, { value, lines: value.entries.flatMap(entryLines) });
        return;
      }
      const filters = { ...(unanswered === true && { answered: 'no' }) };
      if (search !== undefined) {
        const text = await questionOf(context, search);
        const body = { text, limit: Number(limit), ...days, ...filters };
        const value = await api.send<AimeeFound>('POST', sitePath(id, '/conversations/search'), body);
        const rest =
          value.next === null ? [] : [`Older ones than these ${value.searched} were not looked into.`];
        print(context, list, { value, lines: [...rows(value.conversations), ...rest] });
        return;
      }
      const query = new URLSearchParams({ limit, ...filters }).toString();
      const path = sitePath(id, `/conversations?${query}&${daysQuery(days)}`);
      const value = await api.get<AimeeConversations>(path);
      print(context, list, { value, lines: rows(value.conversations) });
    });
}

const QUESTION_LENGTH = 60;

function rows(conversations: readonly AimeeConversationSummary[]): string[] {
  return table(
    ['CONVERSATION', 'REFERENCE', 'BEGAN', 'MESSAGES', 'UNANSWERED', 'FIRST QUESTION'],
    conversations.map(({ id, reference, startedAt, messages, unanswered, firstQuestion }) => [
      id,
      reference,
      startedAt,
      String(messages),
      String(unanswered),
      firstQuestion.slice(0, QUESTION_LENGTH),
    ]),
    'There are none.',
  );
}

function entryLines(entry: AimeeEntry): string[] {
  if (entry.kind === 'hand-over') return [`Asks for a person: ${entry.email}`, ...indented(entry.text), ''];
  const sources = entry.sources.map(({ title, url }) => `  – ${url === null ? title : `${title} ${url}`}`);
  const marks = [
    ...(entry.answered ? [] : ['not answered']),
    ...(entry.rating === 'none' ? [] : [`thumb ${entry.rating}`]),
  ];
  return [
    `Visitor: ${entry.question}`,
    ...indented(entry.answer),
    ...sources,
    ...(marks.length === 0 ? [] : [`  (${marks.join(', ')})`]),
    '',
  ];
}

function indented(text: string): string[] {
  return text === '' ? [] : text.split('\n').map((line) => `  ${line}`);
}

interface PurgeOptions extends Days {
  readonly all?: boolean;
  readonly one?: string;
  readonly reference?: string;
  readonly yes?: boolean;
}

function addPurge(aimee: Command, context: Context): void {
  const purge = withDays(withJson(aimee.command('purge')))
    .description('destroy conversations at once and for good; statistics stay')
    .argument('<site>', 'id or name')
    .option('--all', 'all of the site')
    .option('--one <conversation>', 'this one')
    .option('--reference <reference>', 'the one whose visitor names this reference')
    .option('-y, --yes', 'do not ask')
    .action(async (word: string, options: PurgeOptions) => {
      const body = scopeOf(options);
      const api = connect(context, purge);
      const { id, name } = await findSite(api, word);
      const question = `Destroy conversations of ${name} (${body.scope})? There is no way back.`;
      if (!(await confirmed(context, options.yes, question))) return;
      const value = await api.send<AimeePurged>('POST', sitePath(id, '/purge'), body);
      const lines = [`${value.conversations} conversation(s) are destroyed. The receipt:`, value.receipt];
      print(context, purge, { value, lines });
    });
}

function scopeOf({ all, one, reference, from, to }: PurgeOptions): { readonly scope: string } {
  const scopes = [
    ...(all === true ? [{ scope: 'all' }] : []),
    ...(one === undefined ? [] : [{ scope: 'one', conversation: one }]),
    ...(reference === undefined ? [] : [{ scope: 'reference', reference }]),
    ...(from === undefined || to === undefined ? [] : [{ scope: 'range', from, to }]),
  ];
  const [scope, other] = scopes;
  if (scope === undefined || other !== undefined)
    throw usageError('Say what is to be destroyed: --all, --from with --to, --one, or --reference.');
  return scope;
}

interface StatisticsOptions extends Days {
  readonly reset?: boolean;
  readonly yes?: boolean;
}

function addStatistics(aimee: Command, context: Context): void {
  const stats = withDays(withJson(aimee.command('stats')))
    .description('messages per day, answered or not, thumbs and hand-overs')
    .argument('<site>', 'id or name')
    .option('--reset', 'set them to zero, for good; conversations stay')
    .option('-y, --yes', 'do not ask')
    .action(async (word: string, { reset, yes, ...days }: StatisticsOptions) => {
      const api = connect(context, stats);
      const { id, name } = await findSite(api, word);
      if (reset === true) {
        if (!(await confirmed(context, yes, `Set the statistics of ${name} to zero? There is no way back.`)))
          return;
        const value = await api.send<{ receipt: string }>('POST', sitePath(id, '/statistics/reset'));
        print(context, stats, { value, lines: ['They are at zero. The receipt:', value.receipt] });
        return;
      }
      const value = await api.get<AimeeStatistics>(sitePath(id, `/statistics?${daysQuery(days)}`));
      print(context, stats, { value, lines: statisticLines(value) });
    });
}

function statisticLines({ days, total }: AimeeStatistics): string[] {
  const cells = ({ messages, answered, unanswered, up, down, handOvers }: AimeeStatistics['total']) =>
    [messages, answered, unanswered, up, down, handOvers].map(String);
  return table(
    ['DAY', 'MESSAGES', 'ANSWERED', 'UNANSWERED', 'UP', 'DOWN', 'HAND-OVERS'],
    days.length === 0
      ? []
      : [...days.map(({ day, ...counters }) => [day, ...cells(counters)]), ['total', ...cells(total)]],
    'Nobody has written yet.',
  );
}

interface ExportOptions extends Days {
  readonly format: string;
  readonly output?: string;
}

function addExport(aimee: Command, context: Context): void {
  const command = withDays(aimee.command('export'))
    .description('export conversations as CSV or JSON, oldest first')
    .argument('<site>', 'id or name')
    .option('--format <format>', 'csv or json', 'csv')
    .option('-o, --output <file>', 'a new file that only you can read, instead of stdout')
    .action(async (word: string, { format, output, ...days }: ExportOptions) => {
      const api = connect(context, command);
      const { id } = await findSite(api, word);
      const query = `format=${encodeURIComponent(format)}&${daysQuery(days)}`;
      await saveAnswer(context, await api.open(sitePath(id, `/export?${query}`)), output);
    });
}
