import type { Clock } from '../../kernel/clock.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';

/** Time that moves only when a test says so. */
export interface ManualTime extends Clock, Scheduler {
  /** Runs every timer that is due within the next `ms`, in order. */
  advance(ms: number): void;
  /** Puts the clock on the wall forwards or back; the steady one and the timers notice nothing. */
  jump(ms: number): void;
}

export function createManualTime(startMs = Date.UTC(2026, 10, 23, 12)): ManualTime {
  const timers = new Set<{ at: number; task: () => void }>();
  let elapsedMs = 0;
  let wallMs = startMs;
  return {
    now: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, task) {
      const timer = { at: elapsedMs + delayMs, task };
      timers.add(timer);
      return { close: () => void timers.delete(timer) };
    },
    jump: (ms) => void (wallMs += ms),
    advance(ms) {
      const until = elapsedMs + ms;
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        elapsedMs = due.at;
        due.task();
      }
      elapsedMs = until;
    },
  };
}
