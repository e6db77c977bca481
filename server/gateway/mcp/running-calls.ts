import type { AccountId } from '../../kernel/ids.ts';

/** Names one request of one client: the account, the session id that we gave the client, and the request's id. */
export interface RequestName {
  readonly accountId: AccountId;
  readonly sessionId: string;
  readonly requestId: string | number;
}

/**
 * Where a cancellation finds its request. Only the protocol up to 2025-11-25 needs it: there a request is cancelled
 * by another one. An entry lives as long as its request; a session is nothing but a name in it.
 */
export interface RunningCalls {
  /** Returns what takes the entry out. */
  add(name: RequestName, cancel: () => void): () => void;
  cancel(name: RequestName): void;
}

export function createRunningCalls(): RunningCalls {
  const running = new Map<string, () => void>();
  const keyOf = ({ accountId, sessionId, requestId }: RequestName): string =>
    JSON.stringify([accountId, sessionId, requestId]);
  return {
    add(name, cancel) {
      const key = keyOf(name);
      running.set(key, cancel);
      return () => {
        if (running.get(key) === cancel) running.delete(key);
      };
    },
    cancel: (name) => running.get(keyOf(name))?.(),
  };
}
