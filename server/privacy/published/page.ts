import type { PrivacyContract } from '../../../contract/index.ts';
import type { DataRow } from '../data-map/row.ts';
import { LOG_FIELDS } from '../log-fields.ts';
import { BROWSER_ITEMS, LASTING_PLACES, PASSING_PLACES, PEERS } from '../places.ts';
import { STYLE_HASH, documentOf, escape, section, table } from './html.ts';
import { tablesOf } from './linked-data.ts';

export interface Page {
  readonly html: string;
  /** For `style-src`: the page brings its one style along, and loads nothing. */
  readonly styleHash: string;
}

/** The whole contract for people who read it closely: every clause with what proves it, every column, place and peer. */
export function contractPage(contract: PrivacyContract, rows: readonly DataRow[]): Page {
  const open = contract.clauses.filter(({ state }) => state === 'open').length;
  const body = [
    '<h1>Privacy contract of this installation</h1>',
    `<p>Made by JellyFaaS ${escape(contract.version)} from its settings, its data map and its registry of promises. ${contract.clauses.length - open} promises are kept; ${open} are not kept yet, or not in full, and say so.</p>`,
    section('facts', 'In force here', table(['setting', 'value'], factRows(contract))),
    section('clauses', 'Promises', contract.clauses.map(clause).join('')),
    section('recipients', 'Who gets anything', table(['who', 'name', 'keeps'], recipientRows(contract))),
    section('data', 'What is stored, column by column', tablesOf(rows).map(dataTable).join('')),
    section('places', 'Where files lie', table(['where', 'what', 'protection', 'how long'], placeRows())),
    section(
      'browser',
      'What browsers of people who sign in keep',
      table(['name', 'kind', 'purpose', 'how long'], browserRows()),
    ),
    section(
      'peers',
      'Where connections go',
      table(
        ['who', 'gets', 'chosen by'],
        PEERS.map(({ who, gets, chosenBy }) => [who, gets, chosenBy]),
      ),
    ),
    section('log', 'What the log can say', table(['event', 'field', 'what it says'], logRows())),
  ].join('\n');
  return {
    html: documentOf('Privacy contract', body),
    styleHash: STYLE_HASH,
  };
}

function clause({ id, text, limit, open, tests }: PrivacyContract['clauses'][number]): string {
  return [
    `<h3 id="${escape(id)}">${escape(id)}: ${open === null ? 'kept' : 'not kept yet, or not in full'}</h3>`,
    `<p>${escape(text.en)}</p>`,
    `<p lang="de">${escape(text.de)}</p>`,
    limit === null ? '' : `<p><strong>What this does not promise:</strong> ${escape(limit.en)}</p>`,
    open === null ? '' : `<p class="open"><strong>${escape(open.en)}</strong></p>`,
    `<details><summary>${tests.length} tests attack it</summary><ul>${tests.map((test) => `<li>${escape(test)}</li>`).join('')}</ul></details>`,
  ].join('');
}

function dataTable([name, columns]: [string, readonly DataRow[]]): string {
  const heads = [
    'column',
    'of whom',
    'category',
    'purpose',
    'basis',
    'how long',
    'recipients',
    'copy',
    'erasure',
    'restriction',
  ];
  const rows = columns.map((row) => [
    row.column,
    row.subject,
    row.category,
    row.purpose,
    row.basis,
    row.retention,
    row.recipients.join(', ') || 'none',
    row.exporter,
    row.eraser,
    row.restrictor,
  ]);
  return table(heads, rows, name);
}

const factRows = ({ facts, issuedAt }: PrivacyContract): string[][] => [
  ...controllerRows(facts),
  ['since', issuedAt],
  ['functions run', facts.sandbox === 'none' ? 'WITHOUT a sandbox' : `in a sandbox (${facts.sandbox})`],
  [
    'memory of the machine',
    facts.hasSwap ? 'MAY BE MOVED TO A DISK (swap), with what passes through it' : 'never moved to a disk',
  ],
  ['call records are kept', `${facts.callRetentionDays} days`],
  ['tokens live', `${facts.tokenHours} hours at most`],
  ['sessions of the portal live', `${facts.sessionHours} hours at most`],
  ['sign-in through', facts.signInProvider ?? 'links and API keys alone'],
  ...facts.models.map(({ use, name, isOutside }) => [
    `model for ${use}`,
    `${name}, ${isOutside ? 'outside' : 'within this installation'}`,
  ]),
];

function controllerRows({ controller }: PrivacyContract['facts']): string[][] {
  if (controller === null) return [['controller (Art. 13 GDPR)', 'THE OPERATOR HAS NOT SAID WHO HE IS']];
  const { name, contact, dataProtectionOfficer } = controller;
  return [
    ['controller (Art. 13 GDPR)', `${name}, ${contact}`],
    ['data protection officer', dataProtectionOfficer ?? 'none named'],
  ];
}

const recipientRows = ({ recipients }: PrivacyContract): string[][] =>
  recipients.map(({ kind, name, retention }) => [
    kind,
    name ?? (kind === 'name-server' ? 'those of the machine' : 'named by accounts or functions'),
    retention ?? 'up to it',
  ]);

const placeRows = (): string[][] =>
  [...LASTING_PLACES, ...PASSING_PLACES].map(({ where, what, protection, retention }) => [
    where,
    what,
    protection,
    retention,
  ]);

const browserRows = (): string[][] =>
  BROWSER_ITEMS.map(({ name, kind, purpose, retention }) => [name, kind, purpose, retention]);

const logRows = (): string[][] =>
  Object.entries(LOG_FIELDS).flatMap(([event, fields]) => {
    const described = Object.entries(fields);
    return described.length === 0
      ? [[event, '', 'that it happened']]
      : described.map(([field, what]) => [event, field, what]);
  });
