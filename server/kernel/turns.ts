export interface TurnLimits {
  readonly atOnce: number;
  readonly perHolder: number;
}

/** Resolves when it is this one's turn, with what gives the turn back; rejects with the signal's reason while it waits. */
export type TakeTurn = (holder: string, signal: AbortSignal) => Promise<() => void>;

/** Lets so many work at once, together and for each holder. The others wait; of those that may begin the first does. */
export function createTurns({ atOnce, perHolder }: TurnLimits): TakeTurn {
  const working = new Map<string, number>();
  const waiting = new Set<{ readonly holder: string; readonly begin: () => void }>();
  let total = 0;

  function next(): void {
    for (const entry of waiting) {
      if (total >= atOnce) return;
      const own = working.get(entry.holder) ?? 0;
      if (own >= perHolder) continue;
      waiting.delete(entry);
      working.set(entry.holder, own + 1);
      total++;
      entry.begin();
    }
  }

  function leave(holder: string): void {
    const rest = (working.get(holder) ?? 1) - 1;
    if (rest === 0) working.delete(holder);
    else working.set(holder, rest);
    total--;
    next();
  }

  return async (holder, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { holder, begin: resolve };
    const giveUp = (): void => {
      if (waiting.delete(entry)) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    waiting.add(entry);
    next();
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
    return () => leave(holder);
  };
}
