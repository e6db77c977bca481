import { type Clock, createCautiousTime, utcDay } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import { type HourlyWork, hourly } from '../kernel/hourly.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { CallStore } from './call-record.ts';

export interface CallRetentionOptions {
  readonly calls: Pick<CallStore, 'expire'>;
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
}

const DAY_MS = 86_400_000;

/** Destroys partitions older than the retention, now and once an hour; a failure is told and tried again. */
export function keepCallRetention(options: CallRetentionOptions): HourlyWork {
  const { calls, retentionDays, clock, scheduler, events } = options;
  const cautiousTime = createCautiousTime(clock);
  return hourly(scheduler, async () => {
    try {
      const now = cautiousTime();
      const { destroyed, resting, ahead } = await calls.expire({
        oldestDay: utcDay(now - retentionDays * DAY_MS),
        today: utcDay(now),
      });
      if (destroyed > 0) events.emit('calls.partition_expired', { count: destroyed });
      if (resting > 0) events.emit('rights.retention_rests', { area: 'calls', count: resting });
      if (ahead > 0) events.emit('calls.partition_ahead', { count: ahead });
    } catch {
      events.emit('server.failed', { code: 'calls.expiry_failed', area: 'retention' });
    }
  });
}
