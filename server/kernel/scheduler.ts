/** Timers are a port like the clock, so that tests can move time instead of waiting for it. */
export interface Scheduler {
  /** Runs `task` once, `delayMs` from now, unless the timer is closed before. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  close(): void;
}

export const systemScheduler: Scheduler = {
  after: (delayMs, task) => setTimeout(task, delayMs),
};

/** The value, or undefined when it takes longer than `delayMs`. */
export async function within<T>(
  scheduler: Scheduler,
  delayMs: number,
  value: Promise<T>,
): Promise<T | undefined> {
  let timer: Timer | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = scheduler.after(delayMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    timer?.close();
  }
}
