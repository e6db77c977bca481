import { type EventEmitter, once } from 'node:events';

/** Waits for whichever comes first, as `once` does, and leaves no listener behind. */
export async function firstEvent(...events: readonly (readonly [EventEmitter, string])[]): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(events.map(([emitter, name]) => once(emitter, name, { signal: over.signal })));
  } finally {
    over.abort();
  }
}
