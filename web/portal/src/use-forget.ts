import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

/** Forgets what pages that were left have read below this key: what was dropped there is not shown to its namesake. */
export function useForget(queryKey: QueryKey): void {
  const client = useQueryClient();
  useEffect(() => client.removeQueries({ queryKey, type: 'inactive' }), [client, queryKey]);
}
