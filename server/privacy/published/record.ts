import type { Statement } from '../../privacy-statement/statement.ts';
import type { DataRow, UseCase } from '../data-map/row.ts';

/** The record of processing activities (Art. 30 GDPR) of an installation, as Markdown. */
export function processingRecord(statement: Statement, rows: readonly DataRow[]): string {
  const { facts, version } = statement;
  return [
    '# Record of processing activities (Art. 30 GDPR)',
    '',
    `Made by JellyFaaS ${version} from its data map and settings. Controller for accounts and call records, and processor for`,
    `what customers keep in databases and conversations: ${controllerOf(facts)}`,
    '',
    'Security (Art. 32): all stores encrypted, a random key each, keys apart from the data; deletion destroys the key;',
    `functions ${facts.sandbox === 'none' ? 'run WITHOUT a sandbox' : 'run in a sandbox for one account each'}; no log holds content;`,
    'TLS up to this server or the proxy before it. Transfers outside the Union: those of the recipients below, if they are there.',
    '',
    ...ACTIVITIES.flatMap(([useCase, title]) =>
      activity(
        title,
        rows.filter((row) => row.useCase === useCase && row.basis !== 'no personal data'),
        statement,
      ),
    ),
  ].join('\n');
}

const ACTIVITIES: readonly (readonly [UseCase, string])[] = [
  ['sign-in', 'Accounts and sign-in'],
  ['functions', 'Deploying functions'],
  ['calls', 'Calling functions, asking models and databases'],
  ['vectors', 'Vector databases, and the catalogue of all databases'],
  ['visitors', 'AI.Mee: answering visitors of customers’ websites'],
];

function controllerOf({ controller }: Statement['facts']): string {
  if (controller === null)
    return 'the operator of the installation, who has NOT been named (setting `controllerName`).';
  const { name, contact, dataProtectionOfficer } = controller;
  return `${name}, ${contact}. Data protection officer: ${dataProtectionOfficer ?? 'none named'}.`;
}

function activity(title: string, rows: readonly DataRow[], statement: Statement): string[] {
  const kinds = new Set(rows.flatMap(({ recipients }) => recipients));
  const named = statement.recipients.filter(({ kind }) => kinds.has(kind));
  const list = (values: Iterable<string>): string => [...new Set(values)].join('; ') || 'none';
  return [
    `## ${title}`,
    '',
    '| | |',
    '|---|---|',
    `| Purposes | ${list(rows.map(({ purpose }) => purpose))} |`,
    `| Data subjects | ${list(rows.map(({ subject }) => subject))} |`,
    `| Categories of data | ${list(rows.map(({ category }) => category))} |`,
    `| Legal basis | ${list(rows.map(({ basis }) => basis))} |`,
    `| Recipients | ${list(named.map(({ kind, name }) => (name === null ? kind : `${kind} (${name})`)))} |`,
    `| Time limits | ${list(rows.map(({ retention }) => timeLimit(retention, statement)))} |`,
    `| Stored in | ${list(rows.map(({ store, table }) => `${store}.${table}`))} |`,
    '',
  ];
}

function timeLimit(retention: string, { facts }: Statement): string {
  return retention.replace('The days that the installation is set to', `${facts.callRetentionDays} days`);
}
