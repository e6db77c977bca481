import { ProviderSilence } from './provider-errors.ts';

/** 250 ms, doubled for each retry, and spread by half of it to either side. */
export function backOffMs(retries: number, random: () => number): number {
  return 250 * 2 ** retries * (0.5 + random());
}

/** The value, or `ProviderSilence` after `ms`, or the signal's reason. */
export async function within<T>(ms: number, signal: AbortSignal, value: PromiseLike<T>): Promise<T> {
  const first = Promise.withResolvers<never>();
  const timer = setTimeout(() => first.reject(new ProviderSilence()), Math.max(0, ms));
  const stop = (): void => first.reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([value, first.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
