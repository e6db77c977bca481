import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { DescribedVectorDatabase, VectorDatabase } from '../../../../../contract/vectors.ts';
import { request } from '../../api.ts';

export const VECTORS_API = '/api/v1/vectors';
export const VECTORS_KEY = ['vectors'];

export function vectorApi(name: string, rest = ''): string {
  return `${VECTORS_API}/${encodeURIComponent(name)}${rest}`;
}

/** Everything that was read of one database lies below this key. */
export function vectorKey(name: string, ...rest: readonly unknown[]): readonly unknown[] {
  return [...VECTORS_KEY, 'database', name, ...rest];
}

interface VectorDatabases {
  readonly databases: readonly VectorDatabase[];
}
const LIST_KEY = [...VECTORS_KEY, 'list'];

export function useVectorDatabases(): UseQueryResult<VectorDatabases> {
  return useQuery({
    queryKey: LIST_KEY,
    queryFn: ({ signal }) => request<VectorDatabases>(VECTORS_API, { signal }),
  });
}

export function useVectorDatabase(name: string): UseQueryResult<DescribedVectorDatabase> {
  return useQuery({
    queryKey: vectorKey(name, 'description'),
    queryFn: ({ signal }) => request<DescribedVectorDatabase>(vectorApi(name), { signal }),
  });
}

/** The list without a database that was dropped. */
export function unlist(client: QueryClient, name: string): void {
  client.setQueryData<VectorDatabases>(
    LIST_KEY,
    (known) => known && { databases: known.databases.filter((one) => one.name !== name) },
  );
}
