import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type {
  BeginVisitorRequest,
  VisitorRequest,
  VisitorRequests,
} from '../../../../../contract/aimee-rights.ts';
import { request } from '../../api.ts';
import { forgetConversations, siteApi, siteKey } from './data.ts';

export function requestApi(siteId: string, id: string, end: string): string {
  return siteApi(siteId, `/requests/${encodeURIComponent(id)}/${end}`);
}

export function useVisitorRequests(siteId: string): UseQueryResult<VisitorRequests> {
  return useQuery({
    queryKey: siteKey(siteId, 'requests'),
    queryFn: ({ signal }) => request<VisitorRequests>(siteApi(siteId, '/requests'), { signal }),
  });
}

export async function beginVisitorRequest(
  siteId: string,
  form: BeginVisitorRequest,
): Promise<VisitorRequest> {
  return await request<VisitorRequest>(siteApi(siteId, '/requests'), { method: 'POST', body: form });
}

/** What was done to a conversation shows in the list of them, too. */
export async function forgetVisitorRequests(client: QueryClient, siteId: string): Promise<void> {
  await client.invalidateQueries({ queryKey: siteKey(siteId, 'requests') });
  await forgetConversations(client, siteId);
}
