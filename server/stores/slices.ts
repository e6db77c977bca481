import { setImmediate } from 'node:timers/promises';

/** Rows of one statement: SQLite takes 32,766 parameters. */
const SLICE = 1000;

/** Many items for one transaction, a statement's worth at a time; in between others have the thread. */
export async function* slices<T>(items: readonly T[]): AsyncGenerator<T[]> {
  for (let at = 0; at < items.length; at += SLICE) {
    if (at > 0) await setImmediate();
    yield items.slice(at, at + SLICE);
  }
}
