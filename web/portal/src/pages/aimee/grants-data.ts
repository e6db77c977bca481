import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type * as z from 'zod';
import type {
  AimeeAccessLog,
  AimeeConversation,
  AimeeGrant,
  AimeeGrantForm,
  AimeeSupportGrants,
} from '../../../../../contract/aimee-conversations.ts';
import { request } from '../../api.ts';
import { AIMEE_API } from './data.ts';

const GRANTS = `${AIMEE_API}/grants`;
const SUPPORT = `${AIMEE_API}/support/grants`;
const GRANTS_KEY = ['aimee', 'grants'];
const LOG_KEY = ['aimee', 'access-log'];

/** While somebody may read, whoever lent it watches. */
const WATCH_MS = 3000;

export async function createGrant(form: z.infer<typeof AimeeGrantForm>): Promise<AimeeGrant> {
  return await request<AimeeGrant>(GRANTS, { method: 'POST', body: form });
}

export async function endGrant(id: string): Promise<AimeeGrant> {
  return await request<AimeeGrant>(`${GRANTS}/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

export async function forgetGrants(client: QueryClient): Promise<void> {
  await Promise.all([GRANTS_KEY, LOG_KEY].map((queryKey) => client.invalidateQueries({ queryKey })));
}

export function useGrants(): UseQueryResult<AimeeGrant[]> {
  return useQuery({
    queryKey: GRANTS_KEY,
    queryFn: async ({ signal }) => (await request<{ grants: AimeeGrant[] }>(GRANTS, { signal })).grants,
    refetchInterval: ({ state }) => (state.data?.some(({ ended }) => ended === null) ? WATCH_MS : false),
  });
}

/** `isWatched`: while a grant is open, reads appear as they happen. */
export function useAccessLog(isWatched: boolean): UseQueryResult<AimeeAccessLog> {
  return useQuery({
    queryKey: LOG_KEY,
    queryFn: ({ signal }) => request<AimeeAccessLog>(`${AIMEE_API}/access-log`, { signal }),
    refetchInterval: isWatched ? WATCH_MS : false,
  });
}

/** What customers lend to the staff at present. */
export function useSupportGrants(): UseQueryResult<AimeeSupportGrants['grants']> {
  return useQuery({
    queryKey: ['aimee', 'support'],
    queryFn: async ({ signal }) => (await request<AimeeSupportGrants>(SUPPORT, { signal })).grants,
  });
}

/** Every request is a read that the customer sees: it happens once, when it is asked for, and is not kept. */
export function useSupportConversation(grantId: string, id: string): UseQueryResult<AimeeConversation> {
  return useQuery({
    queryKey: ['aimee', 'support', grantId, id],
    queryFn: () =>
      request<AimeeConversation>(
        `${SUPPORT}/${encodeURIComponent(grantId)}/conversations/${encodeURIComponent(id)}`,
      ),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnReconnect: false,
  });
}
