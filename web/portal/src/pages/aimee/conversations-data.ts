import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import type {
  AimeeConversation,
  AimeeConversations,
  AimeeFound,
} from '../../../../../contract/aimee-conversations.ts';
import { request } from '../../api.ts';
import { queryOf, siteApi, siteKey } from './data.ts';

export interface Filters {
  /** Looked for in what was said; empty lists all. */
  readonly text: string;
  /** Days of UTC, both with them; empty is open. */
  readonly from: string;
  readonly to: string;
  readonly answered: 'all' | 'yes' | 'no';
  readonly rating: 'all' | 'up' | 'down';
}

export const NO_FILTERS: Filters = { text: '', from: '', to: '', answered: 'all', rating: 'all' };

export type ConversationPage = AimeeConversations & Partial<Pick<AimeeFound, 'searched'>>;

/** Newest first, page by page. A text goes in the body, where no log and no history of the browser keeps it. */
export function useConversations(
  siteId: string,
  { text, ...filters }: Filters,
): UseInfiniteQueryResult<InfiniteData<ConversationPage>> {
  return useInfiniteQuery({
    queryKey: siteKey(siteId, 'conversations', text, filters),
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const given = { ...filters, cursor: pageParam };
      if (text === '')
        return request<ConversationPage>(siteApi(siteId, `/conversations${queryOf(given)}`), { signal });
      const body = Object.fromEntries(Object.entries({ ...given, text }).filter(([, value]) => value !== ''));
      return request<ConversationPage>(siteApi(siteId, '/conversations/search'), {
        method: 'POST',
        body,
        signal,
      });
    },
    getNextPageParam: ({ next }) => next,
  });
}

export function useConversation(siteId: string, id: string): UseQueryResult<AimeeConversation> {
  return useQuery({
    queryKey: siteKey(siteId, 'conversation', id),
    queryFn: ({ signal }) =>
      request<AimeeConversation>(siteApi(siteId, `/conversations/${encodeURIComponent(id)}`), { signal }),
  });
}
