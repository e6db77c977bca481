/** The value, or the signal's reason as soon as it aborts; if it has, not even a value that is there already. */
export async function orAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    // The first of the settled ones wins.
    return await Promise.race([aborted, value]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
