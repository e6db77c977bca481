import { describe, expect, it } from 'vitest';
import { createManualTime } from '../calls/testing/manual-time.ts';
import type { SiteId } from '../kernel/ids.ts';
import { createBudgets } from './budgets.ts';

const SITE = 'site_00000000000000000001' as SiteId;
const OTHER = 'site_00000000000000000002' as SiteId;

function start(perNetworkPerMinute: number) {
  const time = createManualTime();
  const budgets = createBudgets({ clock: time, perNetworkPerMinute, networksMax: 100 });
  const spend = (originIp: string, more: { siteId?: SiteId; perMinute?: number; perDay?: number } = {}) =>
    budgets.spend({ siteId: SITE, originIp, perMinute: 1000, perDay: 1000, ...more });
  return { time, spend };
}

describe('a network', () => {
  it.each([
    ['203.0.113.7', '203.0.113.200', '203.0.114.7'],
    ['2001:db8:1:2::3', '2001:db8:1:ffff::1', '2001:db8:2::1'],
    ['::ffff:203.0.113.7', '203.0.113.8', '::ffff:203.0.114.8'],
  ])('of %s and %s has one budget, %s another', (one, same, other) => {
    const { spend } = start(2);
    spend(one);
    spend(same);
    expect(() => spend(one)).toThrow('too many messages');
    spend(other);
    spend(one, { siteId: OTHER });
  });

  it('gets its budget back steadily, never more than a minute’s', () => {
    const { time, spend } = start(6);
    for (let count = 0; count < 6; count++) spend('203.0.113.7');
    expect(() => spend('203.0.113.7')).toThrow(expect.objectContaining({ retryAfterSeconds: 10 }));
    time.advance(10_000);
    spend('203.0.113.7');
    expect(() => spend('203.0.113.7')).toThrow('too many');
    time.advance(3_600_000);
    for (let count = 0; count < 6; count++) spend('203.0.113.7');
    expect(() => spend('203.0.113.7')).toThrow('too many');
  });
});

describe('a site', () => {
  it('has a budget for all networks together, each minute and each day', () => {
    const { time, spend } = start(1000);
    for (let network = 0; network < 3; network++) spend(`203.0.${network}.1`, { perMinute: 3 });
    expect(() => spend('203.0.99.1', { perMinute: 3 })).toThrow('too many');
    spend('203.0.99.1', { siteId: OTHER, perDay: 1 });
    expect(() => spend('203.0.98.1', { siteId: OTHER, perDay: 1 })).toThrow(
      expect.objectContaining({ retryAfterSeconds: 12 * 3600 }),
    );
    time.advance(12 * 3_600_000);
    spend('203.0.98.1', { siteId: OTHER, perDay: 1 });
  });
});
