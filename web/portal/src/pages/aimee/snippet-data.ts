import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { AimeeSnippet } from '../../../../../contract/aimee.ts';
import { request } from '../../api.ts';
import { siteApi, siteKey } from './data.ts';

/** What to paste into the site, as its saved settings have it. */
export function useSnippet(siteId: string): UseQueryResult<AimeeSnippet> {
  return useQuery({
    queryKey: siteKey(siteId, 'snippet'),
    queryFn: ({ signal }) => request<AimeeSnippet>(siteApi(siteId, '/snippet'), { signal }),
  });
}
