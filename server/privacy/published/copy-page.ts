import type { Statement } from '../../privacy-statement/statement.ts';
import type { DataRow } from '../data-map/row.ts';
import { PEERS } from '../places.ts';
import { documentOf, escape, section, table } from './html.ts';
import { tablesOf } from './linked-data.ts';

/** What a page beside a copy tells of it. */
export interface CopyFacts {
  /** RFC 3339. */
  readonly createdAt: string;
  readonly subject: string;
  readonly files: readonly {
    readonly path: string;
    readonly title: string;
    readonly nature: string;
    readonly isImportable: boolean;
    readonly rows: number;
  }[];
  /** What could not be read. */
  readonly missing: readonly { readonly path: string; readonly name: string | null; readonly code: string }[];
}

/** What Art. 15(1) GDPR has a copy say beside the data: purposes, categories, recipients, retention, rights. */
export function copyPage(
  { createdAt, subject, files, missing }: CopyFacts,
  { version, recipients }: Pick<Statement, 'version' | 'recipients'>,
  rows: readonly DataRow[],
): string {
  const own = rows.filter((row) => row.subject !== 'nobody');
  return documentOf(
    'Copy of your data',
    [
      '<h1>Copy of your data</h1>',
      `<p>Made on ${escape(createdAt)} by JellyFaaS ${escape(version)} for account ${escape(subject)}. It holds what you gave and what was observed; secrets and keys are left out.</p>`,
      section(
        'files',
        'What is in it',
        table(
          ['file', 'holds', 'nature', 'rows', 'another installation takes it over'],
          files.map(fileCells),
        ),
      ),
      ...(missing.length > 0 ? [section('missing', 'What is missing', missingTable(missing))] : []),
      section('form', 'How it is read', FORM),
      section('data', 'What is stored, and why', tablesOf(own).map(dataTable).join('')),
      section(
        'recipients',
        'Who may get it',
        table(
          ['who', 'name', 'keeps'],
          recipients.map(({ kind, name, retention }) => [
            kind,
            name ?? 'named by you',
            retention ?? 'up to it',
          ]),
        ) +
          table(
            ['where connections go', 'gets', 'chosen by'],
            PEERS.map(({ who, gets, chosenBy }) => [who, gets, chosenBy]),
          ),
      ),
      section('rights', 'What you can do about it', RIGHTS),
    ].join('\n'),
  );
}

const FORM =
  '<p>Each <code>.jsonl</code> file has one JSON object on a line; its form is the JSON Schema of the same name in <code>schema/</code>, what its fields mean stands in <code>context.jsonld</code>. <code>manifest.json</code> lists the files with their SHA-256 hashes, and the whole is a BagIt bag (RFC 8493). Spreadsheets take texts that begin with <code>=</code>, <code>+</code>, <code>-</code> or <code>@</code> for formulas: import columns as text.</p>';

const RIGHTS =
  '<p>You may have wrong data corrected (Art. 16 GDPR), have it erased (Art. 17), have its use restricted (Art. 18), hand it over to another controller (Art. 20), object to what rests on legitimate interest (Art. 21), and complain to a supervisory authority (Art. 77). The portal, the command line and the interface of this installation do the first five: <code>jellyfaas rights</code>. Nothing here is decided about you by a machine alone. All of it came from you, from your requests, or, where you sign in through one, from your identity provider.</p>';

type File = CopyFacts['files'][number];

const fileCells = ({ path, title, nature, rows, isImportable }: File): string[] => [
  path,
  title,
  nature,
  String(rows),
  isImportable ? 'yes' : 'no',
];

function missingTable(missing: CopyFacts['missing']): string {
  const cells = missing.map(({ path, name, code }) => [path, name ?? 'the rest of the file', code]);
  return `<p>This was there and could not be read, most likely because a file of the installation is damaged. Its operator was told. Ask for the copy again once he has mended it, from a backup for example.</p>${table(['file', 'what', 'why'], cells)}`;
}

function dataTable([name, columns]: [string, readonly DataRow[]]): string {
  const cells = columns.map((row) => [
    row.column,
    row.subject,
    row.category,
    row.purpose,
    row.basis,
    row.retention,
    row.recipients.join(', ') || 'none',
  ]);
  return table(['column', 'of whom', 'category', 'purpose', 'basis', 'how long', 'recipients'], cells, name);
}
