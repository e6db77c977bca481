import type { Scheduler, Timer } from './scheduler.ts';

export interface HourlyWork extends Timer {
  /** Settles with the first run. */
  readonly first: Promise<void>;
}

const HOUR_MS = 3_600_000;

/** Runs `work`, which never rejects, now and an hour after each end: a clock that was set is noticed by then. */
export function hourly(scheduler: Scheduler, work: () => Promise<void>): HourlyWork {
  let timer: Timer | undefined;
  let isClosed = false;
  const run = async (): Promise<void> => {
    await work();
    if (!isClosed) timer = scheduler.after(HOUR_MS, () => void run());
  };
  return {
    first: run(),
    close() {
      isClosed = true;
      timer?.close();
    },
  };
}
