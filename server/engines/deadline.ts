import type { Scheduler } from '../kernel/scheduler.ts';

/** One request's end, whichever comes first: its time is up, or the caller leaves. */
export interface Deadline {
  /** The value, unless one of the two comes before. */
  race<T>(value: Promise<T>): Promise<T>;
  close(): void;
}

export interface DeadlineOptions {
  readonly scheduler: Scheduler;
  readonly delayMs: number;
  readonly signal: AbortSignal;
  readonly timeout: () => Error;
  readonly cancelled: () => Error;
}

export function createDeadline({
  scheduler,
  delayMs,
  signal,
  timeout,
  cancelled,
}: DeadlineOptions): Deadline {
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const cancel = (): void => late.reject(cancelled());
  if (signal.aborted) cancel();
  const timer = scheduler.after(delayMs, () => late.reject(timeout()));
  signal.addEventListener('abort', cancel);
  return {
    race: (value) => Promise.race([late.promise, value]),
    close() {
      timer.close();
      signal.removeEventListener('abort', cancel);
    },
  };
}
