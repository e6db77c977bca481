import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
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

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

/**
 * Purges what sites do not keep any longer, and calls out visitors' requests that wait for too long: now, and once an hour.
 * Nothing of restricted accounts is touched. A failure is told and tried again.
 */
export function keepRetention(options: RetentionOptions): { close(): void } {
  const { scheduler, events } = options;
  let timer: Timer | undefined;
  let isClosed = false;
  const run = async (): Promise<void> => {
    try {
      await purgeOld(options, () => isClosed);
    } catch {
      events.emit('server.failed', { code: 'aimee.retention_failed', area: 'retention' });
    }
    if (!isClosed) timer = scheduler.after(HOUR_MS, () => void run());
  };
  void run();
  return {
    close() {
      isClosed = true;
      timer?.close();
    },
  };
}

async function purgeOld(
  { sites, purges, visitorRequests, restriction, clock, events }: RetentionOptions,
  isClosed: () => boolean,
): Promise<void> {
  let count = 0;
  let resting = 0;
  for (const accountId of sites.accounts()) {
    if (isClosed()) return;
    if (restriction.isRestricted(accountId)) {
      resting++;
      continue;
    }
    await visitorRequests.remind(accountId);
    for (const site of await sites.list(accountId)) {
      if (site.retentionDays === null) continue;
      const before = Math.floor(clock.now() / 1000) - site.retentionDays * DAY_SECONDS;
      count += await purges.purgeBefore(site, before);
    }
  }
  if (count > 0) events.emit('aimee.expired', { count });
  if (resting > 0) events.emit('rights.retention_rests', { area: 'aimee', count: resting });
}
