import { DATA_MAP } from '../../server/privacy/data-map/data-map.ts';
import { tablesOf } from '../../server/privacy/published/linked-data.ts';
import { processingRecord } from '../../server/privacy/published/record.ts';
import {
  BROWSER_ITEMS,
  CONVERSATION_READERS,
  LASTING_PLACES,
  PASSING_PLACES,
  PEERS,
} from '../../server/privacy/places.ts';
import { CLAUSES, OPEN_CLAUSES } from '../../server/privacy/registry.ts';
import { createStatement } from '../../server/privacy-statement/statement.ts';
import { MUTANTS } from '../mutants.ts';
import { AIMEE_MUTANTS, AI_MUTANTS, DATABASE_MUTANTS } from '../service-mutants.ts';
import { DEFAULT_FACTS } from './default-facts.ts';
import { STATIC_MUTANTS } from './mutants.ts';

/** `docs/privacy-report.md`: what is promised, what keeps it, what attacks it, and what is stored. */
export function privacyReport(): string {
  const statement = createStatement(DEFAULT_FACTS, OPEN_CLAUSES);
  const open = Object.entries(OPEN_CLAUSES);
  return [
    '# Privacy report',
    '',
    'Written by `npm run privacy:report` from the registry of promises, the data map and the statement of an installation',
    'without settings. A running installation publishes its own at `/.well-known/privacy-contract`, signed.',
    '',
    '## Promises',
    '',
    `Of ${CLAUSES.length} promises ${CLAUSES.length - open.length} are kept. A promise is kept when modules enforce it and tests that attack`,
    'it pass; a test that is gone, renamed or may be skipped, and a wording that changed without its hash, turn the build red.',
    '',
    ...table(['', 'state', 'kept by', 'attacked by'], CLAUSES.map(clauseRow)),
    '## Not kept yet, or not in full',
    '',
    ...open.map(
      ([id, { en }]) => `- **${id}** ${en.replace(/^Not kept (?:in full )?yet(?: in full)?: /, '')}`,
    ),
    '',
    '## Negative controls',
    '',
    'Builds that break a promise, one way each. A harness that lets one pass proves nothing.',
    '',
    ...mutantLists(),
    '## Where files lie',
    '',
    ...table(
      ['where', 'what', 'protection', 'how long'],
      [...LASTING_PLACES, ...PASSING_PLACES].map(({ where, what, protection, retention }) => [
        where,
        what,
        protection,
        retention,
      ]),
    ),
    '## What browsers of people who sign in keep',
    '',
    ...table(
      ['name', 'kind', 'purpose', 'how long'],
      BROWSER_ITEMS.map(({ name, kind, purpose, retention }) => [name, kind, purpose, retention]),
    ),
    '## Where connections go',
    '',
    ...table(
      ['who', 'gets', 'chosen by'],
      PEERS.map(({ who, gets, chosenBy }) => [who, gets, chosenBy]),
    ),
    '## Who opens conversations',
    '',
    ...table(
      ['modules', 'what for', 'with which key'],
      CONVERSATION_READERS.map(({ modules, purpose, key }) => [
        modules.map((path) => `\`${path}\``).join('<br>'),
        purpose,
        key,
      ]),
    ),
    processingRecord(statement, DATA_MAP).replaceAll(/^(#+) /gm, '#$1 '),
    '## Data map',
    '',
    ...tablesOf(DATA_MAP).flatMap(([name, rows]) => [
      `### ${name}`,
      '',
      ...table(
        ['column', 'of whom', 'category', 'purpose', 'how long', 'copy', 'erasure', 'restriction'],
        rows.map((row) => [
          row.column,
          row.subject,
          row.category,
          row.purpose,
          row.retention,
          row.exporter,
          row.eraser,
          row.restrictor,
        ]),
      ),
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function clauseRow({ id, open, modules, tests }: (typeof CLAUSES)[number]): string[] {
  return [
    id,
    open === undefined ? 'kept' : 'open',
    modules.map((path) => `\`${path}\``).join('<br>'),
    tests.join('<br>'),
  ];
}

function mutantLists(): string[] {
  const lists: [where: string, mutants: readonly { readonly name: string }[]][] = [
    [
      'Calls: the platform is built and used, and its disk, logs, processes and answers are searched',
      MUTANTS,
    ],
    ['Questions to models', AI_MUTANTS],
    ['Databases', DATABASE_MUTANTS],
    ['Conversations', AIMEE_MUTANTS],
    ['Contract: sources, schemas and texts are compared', STATIC_MUTANTS],
  ];
  const count = lists.reduce((sum, [, mutants]) => sum + mutants.length, 0);
  return [
    `${count} in all.`,
    '',
    ...lists.flatMap(([where, mutants]) => [`${where}:`, '', ...mutants.map(({ name }) => `- ${name}`), '']),
  ];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line), ''];
}
