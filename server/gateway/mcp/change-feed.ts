import type { LibraryChange } from '../../calls/deployment.ts';
import type { AccountId } from '../../kernel/ids.ts';

/** Tells whoever watches an account's tools that their list is another one now. In memory, and without detail. */
export interface ChangeFeed {
  /** Returns what ends it; idempotent. */
  subscribe(accountId: AccountId, listener: () => void): () => void;
}

export function createChangeFeed(
  onLibraryChanged: (listener: (change: LibraryChange) => void) => void,
): ChangeFeed {
  const subscribers = new Set<{ readonly accountId: AccountId; readonly listener: () => void }>();
  onLibraryChanged(({ ownerId, isPublic }) => {
    for (const { accountId, listener } of subscribers) {
      if (isPublic || accountId === ownerId) listener();
    }
  });
  return {
    subscribe(accountId, listener) {
      const subscriber = { accountId, listener };
      subscribers.add(subscriber);
      return () => void subscribers.delete(subscriber);
    },
  };
}
