import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { AimeeStatistics } from '../../../../../contract/aimee-conversations.ts';
import { request } from '../../api.ts';
import { queryOf, siteApi, siteKey } from './data.ts';

/** Counters since a day of UTC, or all there are. */
export function useStatistics(siteId: string, from: string | undefined): UseQueryResult<AimeeStatistics> {
  return useQuery({
    queryKey: siteKey(siteId, 'statistics', from),
    queryFn: ({ signal }) =>
      request<AimeeStatistics>(siteApi(siteId, `/statistics${queryOf({ from })}`), { signal }),
  });
}
