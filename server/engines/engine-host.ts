import type { Scheduler, Timer } from '../kernel/scheduler.ts';

/** Keeps one process while it is used: started with the first use, ended when nobody used it for a while. */
export interface EngineHost<E> {
  /** The running one, or one that is started now; every `use`, even a failed one, is followed by `release`. */
  use(): Promise<E>;
  release(): void;
  close(): Promise<void>;
}

export interface EngineHostOptions<E> {
  readonly start: () => Promise<E>;
  readonly scheduler: Scheduler;
  /** From the last release to the end of the process. */
  readonly idleMs: number;
}

export function createEngineHost<
  E extends { readonly exited: Promise<unknown>; readonly stop: () => Promise<void> },
>({ start, scheduler, idleMs }: EngineHostOptions<E>): EngineHost<E> {
  let engine: Promise<E> | undefined;
  let users = 0;
  let idle: Timer | undefined;

  function startNew(): Promise<E> {
    const starting = start();
    const forget = (): void => {
      if (engine === starting) engine = undefined;
    };
    starting.then(({ exited }) => void exited.then(forget), forget);
    return starting;
  }

  async function stop(): Promise<void> {
    const stopping = engine;
    engine = undefined;
    await (await stopping?.catch(() => undefined))?.stop();
  }

  return {
    use() {
      users++;
      idle?.close();
      return (engine ??= startNew());
    },
    release() {
      if (--users === 0) idle = scheduler.after(idleMs, () => void stop());
    },
    async close() {
      idle?.close();
      await stop();
    },
  };
}
