import { createHmac, randomBytes } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { type Clock, utcDay } from '../kernel/clock.ts';
import type { SiteId } from '../kernel/ids.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { aimeeErrors } from './errors.ts';

export interface BudgetOptions {
  readonly clock: Clock;
  /** Messages of one network (/24, or /48 for IPv6) to one site. */
  readonly perNetworkPerMinute: number;
  readonly networksMax: number;
}

export interface Spending {
  readonly siteId: SiteId;
  readonly originIp: string;
  readonly perMinute: number;
  readonly perDay: number;
}

/**
 * How many messages sites and networks may send. All of it is in memory, networks under a keyed hash whose key goes with the
 * process.
 */
export interface Budgets {
  /** Throws `aimee.too_many_messages`, and spends nothing then. */
  spend(spending: Spending): void;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Fills steadily up to what one minute allows. */
interface Bucket {
  tokens: number;
  at: number;
}

export function createBudgets({ clock, perNetworkPerMinute, networksMax }: BudgetOptions): Budgets {
  const salt = randomBytes(32);
  const networks = new LruMap<string, Bucket>(networksMax);
  const sites = new LruMap<SiteId, Bucket>(networksMax);
  const days = new LruMap<SiteId, { day: string; spent: number }>(networksMax);

  function bucket<K>(buckets: LruMap<K, Bucket>, key: K, perMinute: number): Bucket {
    const now = clock.monotonicMs();
    const known = buckets.get(key) ?? { tokens: perMinute, at: now };
    known.tokens = Math.min(perMinute, known.tokens + ((now - known.at) * perMinute) / MINUTE_MS);
    known.at = now;
    buckets.set(key, known);
    return known;
  }

  return {
    spend({ siteId, originIp, perMinute, perDay }) {
      const now = clock.now();
      const network = createHmac('sha256', salt)
        .update(`${siteId}\n${networkOf(originIp)}`)
        .digest('base64');
      const limits = [
        { bucket: bucket(networks, network, perNetworkPerMinute), perMinute: perNetworkPerMinute },
        { bucket: bucket(sites, siteId, perMinute), perMinute },
      ];
      for (const limit of limits) {
        if (limit.bucket.tokens >= 1) continue;
        throw aimeeErrors.tooMany(Math.ceil(((1 - limit.bucket.tokens) * 60) / limit.perMinute));
      }
      const known = days.get(siteId);
      const today = known?.day === utcDay(now) ? known : { day: utcDay(now), spent: 0 };
      if (today.spent >= perDay) throw aimeeErrors.tooMany(Math.ceil((DAY_MS - (now % DAY_MS)) / 1000));
      days.set(siteId, { ...today, spent: today.spent + 1 });
      for (const limit of limits) limit.bucket.tokens--;
    },
  };
}

/** What a household or company has: /24 of IPv4, /48 of IPv6. */
function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  return address
    .toByteArray()
    .slice(0, address.kind() === 'ipv4' ? 3 : 6)
    .join('.');
}
