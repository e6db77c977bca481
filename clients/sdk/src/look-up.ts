import type { Lookup } from './functions.ts';
import type { Session } from './session.ts';

/** Where a function is called and what it takes; rejects with status 404 if it is not visible to the caller. */
export function lookUp(
  session: Session,
  name: string,
  { version, signal }: { version?: number | undefined; signal?: AbortSignal | undefined },
): Promise<Lookup> {
  const query = new URLSearchParams({ id: name });
  if (version !== undefined) query.set('version', String(version));
  return session.getWithKey(`/auth-service/v1/lookup?${query.toString()}`, signal);
}
