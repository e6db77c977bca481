import {
  type ConversationFacts,
  type ConversationReader,
  cursorOf,
  factsOf,
  firstQuestionOf,
} from './conversation-reader.ts';
import type { ConversationQuery, CustomerStore, StoredConversation } from './customer-store.ts';
import type { Entry } from './entries.ts';
import type { AimeeLimits } from './limits.ts';
import type { OpenedText, OpenedTexts } from './opened-texts.ts';
import type { Site } from './sites.ts';

export interface Found {
  readonly conversations: (ConversationFacts & { readonly firstQuestion: string })[];
  /** How many were looked into; with `next` there are older ones. */
  readonly searched: number;
  readonly next: string | null;
}

export interface Opening {
  readonly store: CustomerStore;
  readonly reader: ConversationReader;
  readonly site: Site;
}

interface SearchOptions {
  readonly texts: OpenedTexts;
  readonly limits: Pick<AimeeLimits, 'searchedMax'>;
}

const PAGE = 100;

/** Opens conversations in memory, newest first, until enough are found or looked into. There is no index of words. */
export async function search(
  { texts, limits }: SearchOptions,
  opening: Opening,
  {
    text,
    limit,
    query,
  }: { readonly text: string; readonly limit: number; readonly query: ConversationQuery },
): Promise<Found> {
  const wanted = fold(text);
  const conversations: Found['conversations'] = [];
  let searched = 0;
  let after = query.after;
  for (;;) {
    const page = await opening.store.conversations.list({
      ...query,
      ...(after && { after }),
      forAnalysis: true,
      limit: PAGE,
    });
    const opened = await openPage(texts, opening, page);
    for (const stored of page) {
      after = stored;
      searched++;
      const found = opened.get(stored);
      if (found?.text.includes(wanted) === true)
        conversations.push({ ...factsOf(stored), firstQuestion: found.firstQuestion });
      if (conversations.length >= limit || searched >= limits.searchedMax)
        return { conversations, searched, next: cursorOf(stored) };
    }
    if (page.length < PAGE) return { conversations, searched, next: null };
  }
}

async function openPage(
  texts: OpenedTexts,
  { store, reader, site: { accountId } }: Opening,
  page: readonly StoredConversation[],
): Promise<Map<StoredConversation, OpenedText>> {
  const opened = new Map<StoredConversation, OpenedText>();
  for (const stored of page) {
    const known = texts.get(accountId, stored.id, versionOf(stored));
    if (known !== undefined) opened.set(stored, known);
  }
  const unknown = page.filter((stored) => !opened.has(stored));
  for (const { stored, entries } of await reader.all(store, unknown)) {
    const text = {
      text: fold(entries.flatMap(wordsOf).join('\n')),
      firstQuestion: firstQuestionOf(entries),
      version: versionOf(stored),
    };
    texts.keep(accountId, stored.id, text);
    opened.set(stored, text);
  }
  return opened;
}

function versionOf({ messages, handedOver }: StoredConversation): string {
  return `${messages} ${handedOver}`;
}

function wordsOf(entry: Entry): string[] {
  return entry.kind === 'answer' ? [entry.question, entry.answer] : [entry.email, entry.text];
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
