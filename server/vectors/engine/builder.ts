import { setImmediate } from 'node:timers/promises';

/** Has many of them build something, each a few milliseconds at a time, between whatever else there is to do. */
export interface Builder<T extends Buildable> {
  add(item: T): void;
  has(item: T): boolean;
  remove(item: T): void;
}

export interface Buildable {
  /** Goes on for a few milliseconds. Whether there is more to do. */
  build(): boolean;
}

export function createBuilder<T extends Buildable>(): Builder<T> {
  const waiting = new Set<T>();
  let isRunning = false;

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    while (waiting.size > 0) {
      for (const item of waiting) {
        if (!item.build()) waiting.delete(item);
        await setImmediate();
      }
    }
    isRunning = false;
  }

  return {
    add(item) {
      waiting.add(item);
      void run();
    },
    has: (item) => waiting.has(item),
    remove: (item) => void waiting.delete(item),
  };
}
