import { type Clock, utcDay } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { Objections } from '../rights/objections.ts';
import type { Restriction } from '../rights/restriction.ts';
import type { CallRecord, CallStore } from './call-record.ts';
import type { CallLimits } from './limits.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';

/**
 * Collects call records in memory and hands them to the store in batches: a call never waits on a disk, and the
 * sudden end of the process loses at most the last flush interval. While the store fails, rows wait and are
 * tried again; at the bound new calls wait too, so that none goes unrecorded.
 */
export interface Recorder {
  /** Throws `account.restricted` for an account for which nothing is done, and of which nothing is recorded. */
  admit(accountId: AccountId): void;
  add(record: CallRecord): void;
  /** Runs `task` as soon as there is room for another call's record: at once, normally. */
  whenRoom(task: () => void): void;
  /** Writes everything that is waiting. Rejects when the store does. */
  flush(): Promise<void>;
  /** Final flush. Rejects when rows could not be written. */
  close(): Promise<void>;
}

/** In the place of the address of whoever has objected to its being kept (RFC 1122, 3.2.1.3). */
const UNSPECIFIED_ADDRESS = '0.0.0.0';

export interface RecorderOptions {
  readonly store: Pick<CallStore, 'append'>;
  readonly restriction: Pick<Restriction, 'check'>;
  readonly objections: Pick<Objections, 'has'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  readonly limits: Pick<CallLimits, 'recordFlushMs' | 'recordFlushRows' | 'recordRowsMax'>;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { store, restriction, objections, clock, scheduler, events, limits } = options;
  const days = new Map<string, CallRecord[]>();
  const waiting: (() => void)[] = [];
  let held = 0;
  let timer: Timer | undefined;
  let flushing: Promise<void> | undefined;
  let isFailing = false;

  function arm(): void {
    timer ??= scheduler.after(limits.recordFlushMs, () => {
      timer = undefined;
      void flushInBackground();
    });
  }

  async function flushInBackground(): Promise<void> {
    const from = clock.monotonicMs();
    const rows = held;
    try {
      await flush();
      isFailing = false;
      const took = clock.monotonicMs() - from;
      if (took > limits.recordFlushMs * 10) events.emit('calls.flushed_late', { took, rows });
    } catch {
      // Tried again on the timer only: a store in trouble is not helped by haste.
      isFailing = true;
      events.emit('calls.flushed_late', { took: clock.monotonicMs() - from, rows });
    }
  }

  async function writeDays(): Promise<void> {
    try {
      for (const [day, rows] of days) {
        const batch = rows.slice();
        await store.append(day, batch);
        rows.splice(0, batch.length);
        if (rows.length === 0) days.delete(day);
        held -= batch.length;
      }
    } finally {
      flushing = undefined;
      if (held > 0) arm();
      while (waiting.length > 0 && held < limits.recordRowsMax) waiting.shift()?.();
    }
  }

  function flush(): Promise<void> {
    timer?.close();
    timer = undefined;
    return (flushing ??= writeDays());
  }

  return {
    admit: (accountId) => restriction.check(accountId),
    add(record) {
      const day = utcDay(clock.now());
      const kept = objections.has(record.accountId, 'origin-ip') ? withoutOrigin(record) : record;
      const rows = days.get(day);
      if (rows === undefined) days.set(day, [kept]);
      else rows.push(kept);
      held++;
      if (held >= limits.recordFlushRows && flushing === undefined && !isFailing) void flushInBackground();
      else arm();
    },
    whenRoom(task) {
      if (held < limits.recordRowsMax) task();
      else waiting.push(task);
    },
    flush,
    async close() {
      while (held > 0) await flush();
      timer?.close();
    },
  };
}

const withoutOrigin = (record: CallRecord): CallRecord => ({ ...record, originIp: UNSPECIFIED_ADDRESS });
