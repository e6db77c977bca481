import type { Acquirer } from './call-group.ts';
import type { Instance } from './instance.ts';

export interface Source {
  acquire(acquirer: Acquirer): void;
  withdraw(acquirer: Acquirer): void;
}

/** Rejects with the error of the acquisition, or with the signal's reason. */
export async function untilInstance(source: Source, signal: AbortSignal): Promise<Instance> {
  const { promise, resolve, reject } = Promise.withResolvers<Instance>();
  const acquirer: Acquirer = { onInstance: resolve, onUnavailable: reject };
  const onAbort = () => {
    source.withdraw(acquirer);
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  source.acquire(acquirer);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
