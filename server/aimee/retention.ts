import { type Clock, createCautiousTime, utcDay } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import { type HourlyWork, hourly } from '../kernel/hourly.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Restriction } from '../rights/restriction.ts';
import type { Purges } from './purges.ts';
import type { Sites } from './sites.ts';
import type { VisitorRequests } from './visitor-requests.ts';

export interface RetentionOptions {
  readonly sites: Pick<Sites, 'accounts' | 'list'>;
  readonly purges: Pick<Purges, 'purgeBefore'>;
  readonly visitorRequests: Pick<VisitorRequests, 'remind'>;
  readonly restriction: Pick<Restriction, 'isRestricted'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
}

const DAY_SECONDS = 86_400;

/**
 * Purges what sites do not keep any longer, and calls out visitors' requests that wait for too long: now, and once an hour.
 * Nothing of restricted accounts is purged. A failure is told and tried again.
 */
export function keepRetention(options: RetentionOptions): Pick<HourlyWork, 'close'> {
  const { clock, scheduler, events } = options;
  const cautiousTime = createCautiousTime(clock);
  let isClosed = false;
  const work = hourly(scheduler, async () => {
    try {
      await purgeOld(options, { now: cautiousTime(), isClosed: () => isClosed });
    } catch {
      events.emit('server.failed', { code: 'aimee.retention_failed', area: 'retention' });
    }
  });
  return {
    close() {
      isClosed = true;
      work.close();
    },
  };
}

async function purgeOld(
  { sites, purges, visitorRequests, restriction, events }: RetentionOptions,
  { now, isClosed }: { readonly now: number; readonly isClosed: () => boolean },
): Promise<void> {
  let count = 0;
  let resting = 0;
  for (const accountId of sites.accounts()) {
    if (isClosed()) return;
    // A visitor's month runs on while his customer rests; Art. 18(2) GDPR lets data be used for another person's rights.
    await visitorRequests.remind(accountId, utcDay(now));
    if (restriction.isRestricted(accountId)) {
      resting++;
      continue;
    }
    for (const site of await sites.list(accountId)) {
      if (site.retentionDays === null) continue;
      const before = Math.floor(now / 1000) - site.retentionDays * DAY_SECONDS;
      count += await purges.purgeBefore(site, before);
    }
  }
  if (count > 0) events.emit('aimee.expired', { count });
  if (resting > 0) events.emit('rights.retention_rests', { area: 'aimee', count: resting });
}
