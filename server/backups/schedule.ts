import type { Clock } from '../kernel/clock.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { BackupSettings } from './backup-settings.ts';
import type { BackupStore } from './backup-store.ts';

export interface ScheduleOptions {
  readonly settings: Pick<BackupSettings, 'everyMs'>;
  readonly store: Pick<BackupStore, 'generations'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Between looks at the clock: a schedule in one long timer would be lost with each restart of the server. */
export const LOOK_MS = 10 * 60_000;

export interface ScheduledWork {
  readonly run: () => Promise<void>;
  readonly expire: () => Promise<void>;
}

/** Runs when the newest generation is older than the interval, or from the future. A failure is told and tried again. */
export function startSchedule(
  { settings, store, clock, scheduler }: ScheduleOptions,
  { run, expire }: ScheduledWork,
): Timer {
  let timer: Timer | undefined;
  let isClosed = false;
  let lastRun = clock.monotonicMs() - settings.everyMs;

  async function look(): Promise<void> {
    const newest = (await store.generations()).at(-1);
    const isDue = newest === undefined || Math.abs(clock.now() - newest.at) >= settings.everyMs;
    // By the clock that cannot jump, too: one that stands still or goes back must not keep backups from being made.
    if (isDue || clock.monotonicMs() - lastRun >= settings.everyMs) {
      lastRun = clock.monotonicMs();
      await run();
    } else {
      await expire();
    }
  }

  function next(delayMs: number): void {
    timer = scheduler.after(delayMs, () => {
      const again = (): void => (isClosed ? undefined : next(LOOK_MS));
      look().then(again, again);
    });
  }

  next(Math.min(LOOK_MS, settings.everyMs));
  return {
    close() {
      isClosed = true;
      timer?.close();
    },
  };
}
