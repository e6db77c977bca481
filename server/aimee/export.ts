import { rfc3339 } from '../kernel/clock.ts';
import { type ConversationReader, factsOf } from './conversation-reader.ts';
import type { ConversationQuery, StoredConversation } from './customer-store.ts';
import type { Customers } from './customers.ts';
import type { Entry } from './entries.ts';
import type { AimeeLimits } from './limits.ts';
import type { Site } from './sites.ts';

export type ExportFormat = 'csv' | 'json';

interface Exporting {
  readonly site: Site;
  readonly reader: ConversationReader;
  readonly format: ExportFormat;
  readonly query: ConversationQuery;
}

/** All conversations of a span, oldest first, a page of them in memory at a time. */
export async function* exported(
  { customers, limits }: { readonly customers: Customers; readonly limits: Pick<AimeeLimits, 'exportPage'> },
  { site, reader, format, query }: Exporting,
): AsyncGenerator<string> {
  let after: Pick<StoredConversation, 'startedAt' | 'id'> | undefined;
  let count = 0;
  yield format === 'csv' ? row(COLUMNS) : '[';
  for (;;) {
    const limit = limits.exportPage;
    const { page, opened } = await customers.use(site.accountId, async (store) => {
      const rows = await store.conversations.list({
        ...query,
        ...(after && { after }),
        order: 'oldest-first',
        limit,
      });
      return { page: rows, opened: await reader.all(store, rows) };
    });
    for (const { stored, entries } of opened) {
      if (stored.restricted) continue;
      if (format === 'csv') yield entries.map((entry) => row(cellsOf(stored, entry))).join('');
      else yield `${count++ === 0 ? '\n' : ',\n'}${JSON.stringify(objectOf(stored, entries))}`;
    }
    after = page.at(-1);
    if (page.length < limit) break;
  }
  if (format === 'json') yield '\n]\n';
}

function objectOf(stored: StoredConversation, entries: readonly Entry[]): object {
  const { startedAt, ...facts } = factsOf(stored);
  return { ...facts, startedAt: rfc3339(startedAt * 1000), entries };
}

const COLUMNS = [
  'conversation',
  'reference',
  'started_at',
  'number',
  'kind',
  'question',
  'answer',
  'answered',
  'rating',
  'sources',
  'email',
  'text',
];

function cellsOf(stored: StoredConversation, entry: Entry): string[] {
  const { id, reference, startedAt } = factsOf(stored);
  const head = [id, reference, rfc3339(startedAt * 1000), String(entry.number), entry.kind];
  if (entry.kind === 'hand-over') return [...head, '', '', '', '', '', entry.email, entry.text];
  const sources = entry.sources.map(({ title, url }) => (url === null ? title : `${title} <${url}>`));
  return [
    ...head,
    entry.question,
    entry.answer,
    entry.answered ? 'yes' : 'no',
    entry.rating,
    sources.join('; '),
    '',
    '',
  ];
}

function row(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/** RFC 4180. A visitor's text that a spreadsheet would take for a formula begins with an apostrophe instead. */
function cell(text: string): string {
  const safe = /^[\s]*[=+\-@|%]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
