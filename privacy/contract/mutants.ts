import { EVENTS } from '../../server/kernel/events.ts';
import type { Clause } from '../../server/privacy/clauses/clause.ts';
import { DATA_MAP } from '../../server/privacy/data-map/data-map.ts';
import { LOG_FIELDS } from '../../server/privacy/log-fields.ts';
import {
  BROWSER_ITEMS,
  CONVERSATION_READERS,
  COOKIE_FILTERS,
  LASTING_PLACES,
  PASSING_PLACES,
  PEERS,
  WRITTEN_REQUESTS,
} from '../../server/privacy/places.ts';
import { CLAUSES, wordingHashes } from '../../server/privacy/registry.ts';
import { USE_CASES } from '../../server/privacy-statement/clauses.ts';
import { clauseFaults } from './check-clauses.ts';
import { handlerFaults } from './check-handlers.ts';
import { undeclaredBrowserItems, undeclaredDiallers, undeclaredReaders, undeclaredWriters } from './scan.ts';
import { type Column, undescribedColumns, undescribedFields } from './schemas.ts';
import type { Source } from './sources.ts';

/** The platform as it is; a mutant is the same with one thing changed, and no word of it in the contract. */
export interface Platform {
  readonly sources: readonly Source[];
  readonly columns: readonly Column[];
  readonly read: (path: string) => string | undefined;
}

/** What each check says of the platform as it is given: nothing, where all is declared. */
export const CHECKS = {
  clauses: ({ read }: Platform) => clauseFaults({ clauses: CLAUSES, wordings: wordingHashes(), read }),
  columns: ({ columns }: Platform) => undescribedColumns(columns, DATA_MAP),
  handlers: ({ read }: Platform) => handlerFaults(DATA_MAP, read),
  events: () => undescribedFields(EVENTS, LOG_FIELDS),
  writers: ({ sources }: Platform) => undeclaredWriters(sources, [...LASTING_PLACES, ...PASSING_PLACES]),
  diallers: ({ sources }: Platform) => undeclaredDiallers(sources, PEERS, WRITTEN_REQUESTS),
  readers: ({ sources }: Platform) => undeclaredReaders(sources, CONVERSATION_READERS),
  browsers: ({ sources }: Platform) => undeclaredBrowserItems(sources, BROWSER_ITEMS, COOKIE_FILTERS),
};

export interface StaticMutant {
  readonly name: string;
  /** What the check finds. */
  readonly faults: (platform: Platform) => readonly string[];
}

/** One more line at the end of a module. */
function withLine(platform: Platform, path: string, line: string): Platform {
  const source = platform.sources.find((one) => one.path === path);
  if (source === undefined) throw new Error(`${path} is gone`);
  const changed = { path, text: `${source.text}\n${line}\n` };
  return { ...platform, sources: [...platform.sources.filter((one) => one !== source), changed] };
}

function withColumn(platform: Platform, column: Column): Platform {
  return { ...platform, columns: [...platform.columns, column] };
}

/** Another text of one file. */
function withText({ read, ...platform }: Platform, path: string, edit: (text: string) => string): Platform {
  return { ...platform, read: (asked) => (asked === path ? edit(read(path) ?? '') : read(asked)) };
}

function withClause(id: string, change: Partial<Clause>): (platform: Platform) => string[] {
  const clauses = CLAUSES.map((clause) => (clause.id === id ? { ...clause, ...change } : clause));
  return ({ read }) => clauseFaults({ clauses, wordings: wordingHashes(), read });
}

const INVOKE = 'server/calls/invoke.ts';
const ANSWER = 'server/vectors/answers.ts';
const PORTAL = 'server/gateway/portal/serve-portal.ts';
const CHAT = 'web/widget/src/frame/chat.ts';
const CALLS_TEST = 'privacy/calls.test.ts';

export const STATIC_MUTANTS: readonly StaticMutant[] = [
  {
    name: 'a column for the user agent in call records',
    faults: (platform) =>
      CHECKS.columns(withColumn(platform, { store: 'calls', table: 'call', column: 'user_agent' })),
  },
  {
    name: 'a table for questions that were asked',
    faults: (platform) =>
      CHECKS.columns(withColumn(platform, { store: 'accounts', table: 'question', column: 'text' })),
  },
  {
    name: 'a last sign-in in accounts',
    faults: (platform) =>
      CHECKS.columns(withColumn(platform, { store: 'accounts', table: 'account', column: 'last_sign_in' })),
  },
  {
    name: 'a column that nobody can erase',
    faults: ({ read }) =>
      handlerFaults(
        DATA_MAP.map((row) => ({ ...row, eraser: 'route:eraseEverything' as const })),
        read,
      ),
  },
  {
    name: 'a recipient that is not declared',
    faults: ({ read }) =>
      handlerFaults(
        DATA_MAP.map((row) => ({ ...row, recipients: ['advertiser'] })),
        read,
      ),
  },
  {
    name: 'a path in a log event',
    faults: () =>
      undescribedFields(
        { ...EVENTS, 'request.failed': { ...EVENTS['request.failed'], path: 'code' } },
        LOG_FIELDS,
      ),
  },
  {
    name: 'a log event for each call',
    faults: () => undescribedFields({ ...EVENTS, 'call.ended': { account: 'id' } }, LOG_FIELDS),
  },
  {
    name: 'a cache of answers on disk',
    faults: (platform) =>
      CHECKS.writers(withLine(platform, ANSWER, `import { writeFile } from 'node:fs/promises';`)),
  },
  {
    name: 'calls that are kept to be tried again',
    faults: (platform) =>
      CHECKS.writers(withLine(platform, INVOKE, `const { appendFile } = await import('node:fs/promises');`)),
  },
  {
    name: 'a database beside the stores',
    faults: (platform) =>
      CHECKS.writers(withLine(platform, INVOKE, `import { DatabaseSync } from 'node:sqlite';`)),
  },
  {
    name: 'files by a way past imports',
    faults: (platform) =>
      CHECKS.writers(
        withLine(platform, INVOKE, `process.getBuiltinModule('node:fs').appendFileSync('a', 'b');`),
      ),
  },
  {
    name: 'telemetry',
    faults: (platform) =>
      CHECKS.diallers(withLine(platform, INVOKE, `void fetch('https://telemetry.example.com');`)),
  },
  {
    name: 'a tracing library of somebody else',
    faults: (platform) =>
      CHECKS.diallers(withLine(platform, INVOKE, `import { request } from 'node:https';`)),
  },
  {
    name: 'names that are looked up',
    faults: (platform) => CHECKS.diallers(withLine(platform, ANSWER, `import { lookup } from 'node:dns';`)),
  },
  {
    name: 'a cookie that counts visits',
    faults: (platform) =>
      CHECKS.browsers(withLine(platform, PORTAL, `reply.header('set-cookie', 'visits=1; Path=/');`)),
  },
  {
    name: 'a second cookie beside a declared one',
    faults: (platform) =>
      CHECKS.browsers(
        withLine(platform, 'server/gateway/portal/serve-sessions.ts', `const SEEN = '__Host-seen';`),
      ),
  },
  {
    name: 'a chat that remembers its visitor',
    faults: (platform) =>
      CHECKS.browsers(withLine(platform, CHAT, `localStorage.setItem('visitor', crypto.randomUUID());`)),
  },
  {
    name: 'a job that looks for topics in conversations',
    faults: (platform) =>
      CHECKS.readers(
        withLine(
          platform,
          'server/aimee/retention.ts',
          `await (await ConversationReader.of(ring, holder)).all();`,
        ),
      ),
  },
  {
    name: 'answers that are kept to train a model',
    faults: (platform) =>
      CHECKS.readers(
        withLine(platform, 'server/aimee/answering.ts', `samples.push(openEntry(key, id, entry));`),
      ),
  },
  {
    name: 'a promise in other words',
    faults: ({ read }) =>
      clauseFaults({
        clauses: CLAUSES,
        wordings: wordingHashes(
          USE_CASES.map((useCase) => ({
            ...useCase,
            clauses: useCase.clauses.map((clause) =>
              clause.id === 'P33'
                ? { ...clause, text: { ...clause.text, en: 'Deleted within a month.' } }
                : clause,
            ),
          })),
        ),
        read,
      }),
  },
  {
    name: 'a promise that is left out of the statement',
    faults: ({ read }) =>
      clauseFaults({
        clauses: CLAUSES,
        wordings: new Map([...wordingHashes()].filter(([id]) => id !== 'P24')),
        read,
      }),
  },
  { name: 'a promise that no test attacks', faults: withClause('P5', { tests: [] }) },
  { name: 'a promise whose module is gone', faults: withClause('P5', { modules: ['server/calls/gone.ts'] }) },
  {
    name: 'a test that is skipped',
    faults: (platform) =>
      CHECKS.clauses(
        withText(platform, CALLS_TEST, (text) => text.replace("  it('but its", "  it.skip('but its")),
      ),
  },
  {
    name: 'a test that skips itself where it likes',
    faults: (platform) =>
      CHECKS.clauses(
        withText(platform, CALLS_TEST, (text) => `${text}\ndescribe.skipIf(!process.env['CI'])`),
      ),
  },
  {
    name: 'a test that is called otherwise, or gone',
    faults: (platform) =>
      CHECKS.clauses(
        withText(platform, CALLS_TEST, (text) => text.replace('but its record', 'but a record')),
      ),
  },
];
