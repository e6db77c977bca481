import type { Holder } from '../accounts/principal.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import {
  type Conversation,
  type ConversationFacts,
  ConversationReader,
  cursorOf,
  factsOf,
  firstQuestionOf,
  parseCursor,
} from './conversation-reader.ts';
import type { ConversationQuery, Counters } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { type Days, spanOf } from './days.ts';
import { type ExportFormat, exported } from './export.ts';
import type { AimeeLimits } from './limits.ts';
import type { OpenedTexts } from './opened-texts.ts';
import { type Found, search } from './search.ts';
import type { Site, Sites } from './sites.ts';
import { type UnansweredQuestions, unanswered } from './unanswered.ts';

export interface Filters extends Days {
  readonly answered?: 'all' | 'yes' | 'no';
  readonly rating?: 'all' | 'up' | 'down';
}

export interface ListedConversation extends ConversationFacts {
  readonly firstQuestion: string;
}

/**
 * What customers see of conversations. Whatever reads takes the account key, without which nothing opens; what is missing,
 * purged or another account's rejects with `site.not_found` or `conversation.not_found`.
 */
export interface Conversations {
  list(
    holder: Holder,
    siteId: string,
    page: Filters & { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ conversations: ListedConversation[]; next: string | null }>;
  search(
    holder: Holder,
    siteId: string,
    page: Filters & { readonly text: string; readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<Found>;
  get(holder: Holder, siteId: string, id: string): Promise<Conversation>;
  /** Pieces of text, as they are opened. */
  export(
    holder: Holder,
    siteId: string,
    what: Days & { format: ExportFormat },
  ): Promise<AsyncIterable<string>>;
  unanswered(holder: Holder, siteId: string): Promise<UnansweredQuestions>;
  statistics(
    accountId: AccountId,
    siteId: string,
    days: Days,
  ): Promise<{ days: (Counters & { day: string })[]; total: Counters }>;
}

export interface ConversationsOptions {
  readonly sites: Pick<Sites, 'get'>;
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'findAll'>;
  readonly texts: OpenedTexts;
  readonly limits: AimeeLimits;
}

export function createConversations(options: ConversationsOptions): Conversations {
  const { sites, customers, keyRing } = options;

  return {
    async list(holder, siteId, { cursor, limit, ...filters }) {
      const site = await sites.get(holder.accountId, siteId);
      const reader = await ConversationReader.of(keyRing, holder);
      return await customers.use(site.accountId, async (store) => {
        const query = queryOf(site, filters, { cursor, limit: limit + 1 });
        const rows = await store.conversations.list(query);
        const page = rows.slice(0, limit);
        const last = page.at(-1);
        const opened = await reader.all(store, page);
        return {
          conversations: opened.map(({ stored, entries }) => ({
            ...factsOf(stored),
            firstQuestion: firstQuestionOf(entries),
          })),
          next: rows.length > limit && last !== undefined ? cursorOf(last) : null,
        };
      });
    },
    async search(holder, siteId, { text, cursor, limit, ...filters }) {
      const site = await sites.get(holder.accountId, siteId);
      const reader = await ConversationReader.of(keyRing, holder);
      return await customers.use(site.accountId, (store) =>
        search(
          options,
          { store, reader, site },
          { text, limit, query: queryOf(site, filters, { cursor, limit }) },
        ),
      );
    },
    async get(holder, siteId, id) {
      const site = await sites.get(holder.accountId, siteId);
      const reader = await ConversationReader.of(keyRing, holder);
      return await customers.use(site.accountId, async (store) => {
        const stored = await store.conversations.find(site.id, id as ConversationId);
        if (stored === undefined) throw notFound('conversation');
        return await reader.read(store, stored);
      });
    },
    async export(holder, siteId, { format, ...days }) {
      const site = await sites.get(holder.accountId, siteId);
      const reader = await ConversationReader.of(keyRing, holder);
      return exported(options, { site, reader, format, query: queryOf(site, days, { limit: 1 }) });
    },
    async unanswered(holder, siteId) {
      const site = await sites.get(holder.accountId, siteId);
      const reader = await ConversationReader.of(keyRing, holder);
      return await customers.use(site.accountId, (store) => unanswered(options, { store, reader, site }));
    },
    async statistics(accountId, siteId, days) {
      const site = await sites.get(accountId, siteId);
      const rows = await customers.use(accountId, (store) => store.counters.list(site.id, days));
      return { days: rows, total: sum(rows) };
    },
  };
}

function queryOf(
  { id: siteId }: Site,
  { answered = 'all', rating = 'all', ...days }: Filters,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): ConversationQuery {
  return {
    siteId,
    limit,
    ...spanOf(days),
    ...(answered !== 'all' && { answered }),
    ...(rating !== 'all' && { rating }),
    ...(cursor !== undefined && { after: parseCursor(cursor) }),
  };
}

function sum(rows: readonly Counters[]): Counters {
  const total = { conversations: 0, messages: 0, answered: 0, unanswered: 0, up: 0, down: 0, handOvers: 0 };
  for (const row of rows) for (const key of Object.keys(total) as (keyof Counters)[]) total[key] += row[key];
  return total;
}
