import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { SqlDatabaseDetails, SqlDatabases, SqlSchema } from '../../../../../contract/sql.ts';
import { request } from '../../api.ts';

export const SQL_API = '/api/v1/sql';
export const SQL_KEY = ['sql'];

export function sqlApi(name: string, rest = ''): string {
  return `${SQL_API}/${encodeURIComponent(name)}${rest}`;
}

/** Where a database has its page; beside those there is the page for outside ones. */
export function pageOf(name: string): string {
  return `/sql/databases/${encodeURIComponent(name)}`;
}

/** Everything that was read of one database lies below this key. */
export function sqlKey(name: string, ...rest: readonly unknown[]): readonly unknown[] {
  return [...SQL_KEY, 'database', name, ...rest];
}

const LIST_KEY = [...SQL_KEY, 'list'];

export function useSqlDatabases(): UseQueryResult<SqlDatabases> {
  return useQuery({
    queryKey: LIST_KEY,
    queryFn: ({ signal }) => request<SqlDatabases>(SQL_API, { signal }),
  });
}

export function useSqlDatabase(name: string): UseQueryResult<SqlDatabaseDetails> {
  return useQuery({
    queryKey: sqlKey(name, 'details'),
    queryFn: ({ signal }) => request<SqlDatabaseDetails>(sqlApi(name), { signal }),
  });
}

export function useSqlSchema(name: string): UseQueryResult<SqlSchema> {
  return useQuery({
    queryKey: sqlKey(name, 'schema'),
    queryFn: ({ signal }) => request<SqlSchema>(sqlApi(name, '/schema'), { signal }),
  });
}

/** The list without a database that was dropped. */
export function unlist(client: QueryClient, name: string): void {
  client.setQueryData<SqlDatabases>(
    LIST_KEY,
    (known) => known && { databases: known.databases.filter((one) => one.name !== name) },
  );
}
