import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ManualTime, createManualTime } from '../calls/testing/manual-time.ts';
import type { AccountId } from '../kernel/ids.ts';
import { keepRetention } from './retention.ts';
import type { Site } from './sites.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

/** One site that keeps 30 days, and by what time of the world its retention last looked. */
function looking(time: ManualTime): { look: () => Promise<number>; restart: () => Promise<number> } {
  let before = Number.NaN;
  const start = (): { close(): void } =>
    keepRetention({
      sites: {
        accounts: () => new Set(['acct_ada' as AccountId]),
        list: async () => [{ retentionDays: 30 } as Site],
      },
      purges: {
        async purgeBefore(_, seconds) {
          before = seconds * 1000;
          return 0;
        },
      },
      visitorRequests: { remind: async () => undefined },
      restriction: { isRestricted: () => false },
      clock: time,
      scheduler: time,
      events: { emit: () => undefined },
    });
  let running = start();
  onTestFinished(() => running.close());
  const lookedAt = async (): Promise<number> => {
    await setImmediate();
    return before + 30 * DAY_MS;
  };
  return {
    async look() {
      await setImmediate();
      time.advance(HOUR_MS);
      return await lookedAt();
    },
    async restart() {
      running.close();
      running = start();
      return await lookedAt();
    },
  };
}

describe('conversations', () => {
  it.each([
    ['a day', DAY_MS],
    ['a year', YEAR_MS],
  ])('age by the right time though the clock is %s ahead for less than an hour', async (_, jump) => {
    const time = createManualTime();
    const { look } = looking(time);
    time.jump(jump);
    const right = time.now() - jump;
    expect(await look()).toBe(right + HOUR_MS);
    time.jump(-jump);
    expect(await look()).toBe(right + 2 * HOUR_MS);
  });

  it.each([
    ['a day', DAY_MS],
    ['a year', YEAR_MS],
  ])(
    'go no earlier while the clock is %s behind, and in time within two hours of its being right',
    async (_, jump) => {
      const time = createManualTime();
      const { look, restart } = looking(time);
      time.jump(-jump);
      expect(await look()).toBe(time.now());
      expect(await restart()).toBe(time.now());
      time.jump(jump);
      await look();
      expect(await look()).toBe(time.now());
    },
  );

  it('go too early by what the clock is ahead when it stays so, and stay while it stands still', async () => {
    const time = createManualTime();
    const { look } = looking(time);
    const from = time.now();
    time.jump(DAY_MS);
    await look();
    expect(await look()).toBe(from + DAY_MS + 2 * HOUR_MS);
    const standing = time.now();
    for (let hours = 0; hours < 3; hours++) {
      time.jump(-HOUR_MS);
      expect(await look()).toBe(standing);
    }
  });

  it('know no daylight saving time', async () => {
    const time = createManualTime(Date.UTC(2026, 9, 25));
    const { look } = looking(time);
    for (let hour = 1; hour < 4; hour++) expect(await look()).toBe(Date.UTC(2026, 9, 25, hour));
  });

  it('of others go though the file of one customer does not open, which is told', async () => {
    const time = createManualTime();
    const [ada, bob, eve] = ['acct_ada', 'acct_bob', 'acct_eve'] as AccountId[];
    const purged: AccountId[] = [];
    const told: unknown[] = [];
    const retention = keepRetention({
      sites: {
        accounts: () => new Set([ada, bob, eve].filter((id) => id !== undefined)),
        async list(accountId) {
          if (accountId === bob) throw new Error('stores.wrong_key');
          return [{ accountId, retentionDays: 30 } as Site];
        },
      },
      purges: { purgeBefore: async ({ accountId }) => purged.push(accountId) },
      visitorRequests: { remind: async () => undefined },
      restriction: { isRestricted: () => false },
      clock: time,
      scheduler: time,
      events: { emit: (...event) => void told.push(event) },
    });
    onTestFinished(() => retention.close());
    await setImmediate();
    expect(purged).toEqual([ada, eve]);
    expect(told).toContainEqual(['server.failed', { code: 'aimee.retention_failed', area: 'retention' }]);
  });
});
