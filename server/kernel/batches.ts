import { setImmediate } from 'node:timers/promises';

/**
 * Does together what comes at the same time, or while earlier work is being done: one write to the disk instead of many.
 * `work` answers for each item in order; if it fails, all of its items do.
 */
export function createBatches<I, O>(
  work: (items: readonly I[]) => Promise<readonly O[]>,
  sizeMax: number,
): (item: I) => Promise<O> {
  interface Waiting extends PromiseWithResolvers<O> {
    readonly item: I;
  }
  const waiting: Waiting[] = [];
  let isWorking = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      await setImmediate();
      const batch = waiting.splice(0, sizeMax);
      try {
        const outcomes = await work(batch.map(({ item }) => item));
        for (const [at, { resolve }] of batch.entries()) resolve(outcomes[at] as O);
      } catch (thrown) {
        for (const { reject } of batch) reject(thrown);
      }
    }
    isWorking = false;
  }

  return (item) => {
    const entry = { item, ...Promise.withResolvers<O>() };
    waiting.push(entry);
    if (!isWorking) {
      isWorking = true;
      void drain();
    }
    return entry.promise;
  };
}
