import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.ts';

/** Work of one database keeps the thread no longer than this at a time. */
const TURN_MS = 8;

/** Lets others have the thread if this work has had it for long; `check` runs each time and may throw. */
export function createPause(clock: Clock, check: () => void): () => Promise<void> {
  let from = clock.monotonicMs();
  return async () => {
    check();
    // A pause long ago tells nothing of this turn, so that the first pause of new work may be an early one.
    if (clock.monotonicMs() - from < TURN_MS) return;
    await setImmediate();
    from = clock.monotonicMs();
    check();
  };
}
