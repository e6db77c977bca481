import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type {
  CarriedOut as CarriedOutSchema,
  ObjectionPurpose,
  OpenRequests,
  RightsRequests,
  RightsState,
} from '../../../../../contract/rights.ts';
import type * as z from 'zod';
import { request } from '../../api.ts';

export const RIGHTS_API = '/api/v1/rights';
const RIGHTS_KEY = ['rights'];

export type CarriedOut = z.infer<typeof CarriedOutSchema>;

export function useRightsState(): UseQueryResult<RightsState> {
  return useQuery({
    queryKey: [...RIGHTS_KEY, 'state'],
    queryFn: ({ signal }) => request<RightsState>(RIGHTS_API, { signal }),
  });
}

export function useRequests(): UseQueryResult<RightsRequests> {
  return useQuery({
    queryKey: [...RIGHTS_KEY, 'requests'],
    queryFn: ({ signal }) => request<RightsRequests>(`${RIGHTS_API}/requests`, { signal }),
  });
}

/** For the owner of the installation. */
export function useOpenRequests(): UseQueryResult<OpenRequests> {
  return useQuery({
    queryKey: [...RIGHTS_KEY, 'open'],
    queryFn: ({ signal }) => request<OpenRequests>(`${RIGHTS_API}/all-requests`, { signal }),
  });
}

export async function forgetRights(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: RIGHTS_KEY });
}

export async function restrict(isOn: boolean): Promise<CarriedOut> {
  return await request<CarriedOut>(`${RIGHTS_API}/restriction`, { method: isOn ? 'POST' : 'DELETE' });
}

export async function object(purpose: ObjectionPurpose, isOn: boolean): Promise<CarriedOut> {
  return await request<CarriedOut>(`${RIGHTS_API}/objections/${purpose}`, {
    method: isOn ? 'POST' : 'DELETE',
  });
}
