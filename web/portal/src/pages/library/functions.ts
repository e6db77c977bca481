import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import type { FunctionList, FunctionResource } from '../../../../../contract/api-v1.ts';
import type { BadBuild, FunctionDetails, Version } from '../../../../../contract/compatible.ts';
import { request } from '../../api.ts';

const FUNCTIONS = ['functions'];
const BAD_BUILDS = ['bad-builds'];

/** Own functions and published ones, by shortname. */
export function useFunctions(): UseQueryResult<readonly FunctionResource[]> {
  return useQuery({
    queryKey: [...FUNCTIONS, 'all'],
    queryFn: async ({ signal }) => (await request<FunctionList>('/api/v1/functions', { signal })).functions,
  });
}

export interface DocumentedFunction {
  readonly fn: FunctionResource;
  /** README, changelog, requirements and samples of each version, newest first. */
  readonly documents: readonly Version[];
}

export function useFunction(shortname: string): UseQueryResult<DocumentedFunction> {
  return useQuery({
    queryKey: [...FUNCTIONS, 'one', shortname],
    queryFn: async ({ signal }) => {
      const name = encodeURIComponent(shortname);
      const [fn, details] = await Promise.all([
        request<FunctionResource>(`/api/v1/functions/${name}`, { signal }),
        request<FunctionDetails>(`/core-service/v1/library/${name}`, { signal }),
      ]);
      return { fn, documents: details.versions };
    },
  });
}

/** Own builds that failed, newest first. */
export function useBadBuilds(): UseQueryResult<readonly BadBuild[]> {
  return useQuery({
    queryKey: BAD_BUILDS,
    queryFn: async ({ signal }) => {
      const { badBuilds } = await request<{ badBuilds: BadBuild[] }>('/core-service/v1/badbuilds', {
        signal,
      });
      return badBuilds.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
    },
  });
}

/** To be called when functions came, changed or went; one that is `gone` is not asked for again. */
export function useLibraryChanged(): (gone?: string) => Promise<void> {
  const client = useQueryClient();
  return async (gone) => {
    const isGone = ({ queryKey }: { queryKey: readonly unknown[] }): boolean =>
      gone !== undefined && queryKey[2] === gone;
    const others = (query: { queryKey: readonly unknown[] }): boolean => !isGone(query);
    await Promise.all(
      [FUNCTIONS, BAD_BUILDS].map((queryKey) => client.invalidateQueries({ queryKey, predicate: others })),
    );
    client.removeQueries({ queryKey: FUNCTIONS, predicate: isGone });
  };
}

/** Where the page of a function lies. */
export function functionPath(shortname: string): string {
  return `/library/functions/${encodeURIComponent(shortname)}`;
}

/** The compatible endpoints wrap longer texts. */
export function decodeText(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
