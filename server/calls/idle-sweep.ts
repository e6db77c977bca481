import type { Clock } from '../kernel/clock.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { CallGroups } from './call-groups.ts';
import type { CallLimits } from './limits.ts';

export interface IdleSweepOptions {
  readonly groups: readonly CallGroups[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limits: Pick<CallLimits, 'idleMs'>;
}

/** Scales to zero. A sweep instead of a timer for each instance: calls come and go too often to move timers. */
export interface IdleSweep {
  /** There may be something to end from now on. */
  ensure(): void;
  close(): void;
}

export function createIdleSweep({ groups, clock, scheduler, limits }: IdleSweepOptions): IdleSweep {
  let timer: Timer | undefined;

  function sweep(): void {
    timer = undefined;
    const idleBefore = clock.monotonicMs() - limits.idleMs;
    for (const instance of groups.flatMap((each) => each.list()).flatMap(({ instances }) => instances)) {
      if (instance.isIdle && instance.idleSince <= idleBefore) void instance.kill();
    }
    for (const each of groups) each.sweep();
    if (groups.some(({ isEmpty }) => !isEmpty)) ensure();
  }

  function ensure(): void {
    timer ??= scheduler.after(limits.idleMs / 4, sweep);
  }

  return { ensure, close: () => timer?.close() };
}
