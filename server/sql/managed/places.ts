import type { Scheduler } from '../../kernel/scheduler.ts';

/** How many databases may be open at once. */
export interface Places {
  /** Resolves when there is one; rejects with what `late` gives when there is none in time. */
  take(): Promise<void>;
  give(): void;
  /** Somebody has become idle and could be asked to leave. */
  tellOfIdle(): void;
}

export interface PlacesOptions {
  readonly count: number;
  readonly waitMs: number;
  readonly scheduler: Scheduler;
  /** Asks one that nobody uses to leave; false when there is none. */
  readonly evict: () => Promise<boolean>;
  readonly late: () => Error;
}

export function createPlaces({ count, waitMs, scheduler, evict, late }: PlacesOptions): Places {
  let free = count;
  let changed = Promise.withResolvers<void>();

  function tellOfChange(): void {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  return {
    async take() {
      let isLate = false;
      const timer = scheduler.after(waitMs, () => {
        isLate = true;
        tellOfChange();
      });
      try {
        while (free === 0) {
          if (isLate) throw late();
          // Taken before, so that a change meanwhile is not missed.
          const { promise } = changed;
          if (!(await evict())) await promise;
        }
        free--;
      } finally {
        timer.close();
      }
    },
    give() {
      free++;
      tellOfChange();
    },
    tellOfIdle: tellOfChange,
  };
}
