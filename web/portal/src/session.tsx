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

/**
 * What has to happen after the session changed: what was read as somebody else is forgotten. Unlocking leaves the page as it
 * stands, with the dialog that asked for it, and tries again what was refused.
 */
export function useSessionChanged(): (session: SessionResource | undefined) => void {
  const client = useQueryClient();
  return (session) => {
    const before = client.getQueryData<SessionResource>(SESSION_KEY);
    if (session !== undefined && session.account.id === before?.account.id)
      void client.invalidateQueries({ predicate: ({ state }) => state.status === 'error' });
    else client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION_KEY[0] });
    if (session === undefined) void client.resetQueries({ queryKey: SESSION_KEY });
    else client.setQueryData(SESSION_KEY, session);
  };
}
