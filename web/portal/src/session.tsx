import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, createContext, useContext } from 'react';
import type { SessionResource } from '../../../contract/session.ts';
import { ApiError, request } from './api.ts';

const SessionContext = createContext<SessionResource | undefined>(undefined);
export const SESSION_KEY = ['session'];

/** Who is signed in. Only below `SessionProvider`. */
export function useSession(): SessionResource {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('there is no session here');
  return session;
}

/** Shows `children` to whoever is signed in, `signedOut` to everybody else. */
export function SessionProvider(props: {
  readonly children: ReactNode;
  readonly signedOut: ReactNode;
  readonly waiting: ReactNode;
  readonly failed: (error: Error, retry: () => void) => ReactNode;
}): ReactNode {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: SESSION_KEY,
    queryFn: ({ signal }) => request<SessionResource>('/api/v1/session', { signal }),
    retry: false,
  });
  if (isPending) return props.waiting;
  if (error instanceof ApiError && error.status === 401) return props.signedOut;
  if (data === undefined) return props.failed(error ?? new Error('no answer'), () => void refetch());
  return <SessionContext value={data}>{props.children}</SessionContext>;
}

/** What has to happen after the session changed: everything that was read under the old one is forgotten. */
export function useSessionChanged(): (session: SessionResource | undefined) => void {
  const client = useQueryClient();
  return (session) => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] });
    if (session === undefined) void client.resetQueries({ queryKey: SESSION_KEY });
    else client.setQueryData(SESSION_KEY, session);
  };
}
