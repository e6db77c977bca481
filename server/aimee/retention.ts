import { type Clock, createCautiousTime, utcDay } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import { type HourlyWork, hourly } from '../kernel/hourly.ts';
import type { AccountId } from '../kernel/ids.ts';
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
  const { clock, scheduler } = options;
  const cautiousTime = createCautiousTime(clock);
  let isClosed = false;
  const work = hourly(scheduler, () => purgeOld(options, { now: cautiousTime(), isClosed: () => isClosed }));
  return {
    close() {
      isClosed = true;
      work.close();
    },
  };
}

async function purgeOld(
  options: RetentionOptions,
  { now, isClosed }: { readonly now: number; readonly isClosed: () => boolean },
): Promise<void> {
  const { sites, restriction, visitorRequests, events } = options;
  let count = 0;
  let resting = 0;
  let hasFailed = false;
  for (const accountId of sites.accounts()) {
    if (isClosed()) return;
    try {
      // A visitor's month runs on while his customer rests; Art. 18(2) GDPR lets data be used for another person's rights.
      await visitorRequests.remind(accountId, utcDay(now));
      if (restriction.isRestricted(accountId)) resting++;
      else count += await purgeAccount(options, accountId, now);
    } catch {
      // One customer's file that does not open keeps nobody else's conversations.
      hasFailed = true;
    }
  }
  if (count > 0) events.emit('aimee.expired', { count });
  if (resting > 0) events.emit('rights.retention_rests', { area: 'aimee', count: resting });
  if (hasFailed) events.emit('server.failed', { code: 'aimee.retention_failed', area: 'retention' });
}

async function purgeAccount(
  { sites, purges }: RetentionOptions,
  accountId: AccountId,
  now: number,
): Promise<number> {
  let count = 0;
  for (const site of await sites.list(accountId)) {
    if (site.retentionDays === null) continue;
    count += await purges.purgeBefore(site, Math.floor(now / 1000) - site.retentionDays * DAY_SECONDS);
  }
  return count;
}
