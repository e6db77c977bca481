export interface Run<T> {
  readonly key: string;
  readonly first: T;
  /** The first one among them. */
  readonly items: AsyncIterable<T>;
}

/** Items with the same key that follow each other, a run at a time. What nobody takes of a run is passed over. */
export async function* runs<T>(items: AsyncIterable<T>, keyOf: (item: T) => string): AsyncGenerator<Run<T>> {
  const source = items[Symbol.asyncIterator]();
  try {
    let ahead = await source.next();
    while (ahead.done !== true) {
      const first = ahead.value;
      const key = keyOf(first);
      const run = (async function* (): AsyncGenerator<T> {
        while (ahead.done !== true && keyOf(ahead.value) === key) {
          const item = ahead.value;
          ahead = await source.next();
          yield item;
        }
      })();
      yield { key, first, items: run };
      for await (const _left of run);
      // A run that was given up in its midst is over, and the rest of it is not.
      while (ahead.done !== true && keyOf(ahead.value) === key) ahead = await source.next();
    }
  } finally {
    await source.return?.();
  }
}
