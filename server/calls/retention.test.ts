import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utcDay } from '../kernel/clock.ts';
import type { HourlyWork } from '../kernel/hourly.ts';
import { type AccountId, type FunctionId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import { createCallStore } from '../stores/call-store.ts';
import { openKeyStore } from '../stores/key-store.ts';
import { keepCallRetention } from './retention.ts';
import { type ManualTime, createManualTime } from './testing/manual-time.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const RETENTION_DAYS = 30;
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
const record = {
  accountId: newId<AccountId>('acct'),
  functionId: newId<FunctionId>('fn'),
  version: 1,
  originIp: '192.0.2.7',
  durationMs: 12,
  ok: true,
};

let directory: string;
let keys: Awaited<ReturnType<typeof openKeyStore>>;
let store: ReturnType<typeof createCallStore>;
let time: ManualTime;
let work: HourlyWork;
let looked: Promise<unknown>;
let told: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'call-retention-'));
  keys = await openKeyStore({ path: join(directory, 'keys.db'), root });
  time = createManualTime();
  told = [];
  await start();
});
afterEach(async () => {
  work.close();
  await store.close();
  await keys.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  store = createCallStore({ dir: directory, keyRing: createKeyRing({ root, store: keys }) });
  work = keepCallRetention({
    calls: { expire: (span) => (looked = store.expire(span)) as ReturnType<typeof store.expire> },
    retentionDays: RETENTION_DAYS,
    clock: time,
    scheduler: time,
    events: { emit: (name) => void told.push(name) },
  });
  await work.first;
}

async function restart(): Promise<void> {
  work.close();
  await store.close();
  await start();
}

/** A call at this moment; the file carries the time of the clock that is moved here. */
async function call(): Promise<string> {
  const day = utcDay(time.now());
  await store.append(day, [record]);
  await store.close();
  utimesSync(join(directory, `${day}.db`), new Date(time.now()), new Date(time.now()));
  return day;
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= HOUR) {
    time.advance(Math.min(left, HOUR));
    await looked;
    await setImmediate();
  }
}

describe('call records', () => {
  it('go when their days are over, within an hour of the day’s end', async () => {
    const day = await call();
    await pass(RETENTION_DAYS * DAY);
    expect(await store.days()).toEqual([day]);
    await pass(13 * HOUR);
    expect(await store.days()).toEqual([]);
    expect(told).toEqual(['calls.partition_expired']);
  });

  it('survive a clock that is wrong for less than an hour, by a day or a year, forwards or back', async () => {
    await call();
    await pass(29 * DAY);
    await call();
    const days = await store.days();
    for (const jump of [DAY, -DAY, YEAR, -YEAR, 2 * YEAR]) {
      time.jump(jump);
      await pass(HOUR);
      time.jump(-jump);
      await pass(HOUR);
      expect(await store.days()).toEqual(days);
    }
    await pass(2 * DAY);
    expect(await store.days()).toEqual(days.slice(0, 1));
  });

  it('go too early by what the clock is ahead, once it stays so, and no earlier', async () => {
    const old = await call();
    await pass(27 * DAY);
    const young = await call();
    time.jump(DAY);
    await pass(2 * HOUR);
    expect(await store.days()).toEqual([young, old]);
    time.jump(3 * DAY);
    await pass(2 * HOUR);
    expect(await store.days()).toEqual([young]);
  });

  it.each([
    ['a day', DAY],
    ['a year', YEAR],
  ])(
    'made while the clock was %s ahead are told of, and go in their time by the right one',
    async (_, jump) => {
      time.jump(jump);
      const ahead = await call();
      time.jump(-jump);
      await pass(HOUR);
      expect(told).toEqual(['calls.partition_ahead']);
      await restart();
      await pass(29 * DAY);
      expect(await store.days()).toEqual([ahead]);
      await pass(3 * DAY);
      expect(await store.days()).toEqual([]);
    },
  );

  it.each([
    ['a day', DAY],
    ['a year', YEAR],
  ])(
    'stay while the clock is %s behind, over a restart, and go in time when it is right',
    async (_, jump) => {
      const day = await call();
      time.jump(-jump);
      await restart();
      await pass(3 * DAY);
      expect(await store.days()).toEqual([day]);
      time.jump(jump);
      await pass(26 * DAY);
      expect(await store.days()).toEqual([day]);
      await pass(2 * DAY);
      expect(await store.days()).toEqual([]);
    },
  );

  it('that lie ahead of a clock that stays behind go when they have lain there for their days', async () => {
    const day = await call();
    time.jump(-YEAR);
    await pass(30 * DAY);
    expect(await store.days()).toEqual([day]);
    await pass(2 * DAY);
    expect(await store.days()).toEqual([]);
  });

  it('are not held for older than they are when the clock goes back twice', async () => {
    const day = await call();
    for (const jump of [-YEAR, -300 * DAY]) {
      time.jump(jump);
      await pass(HOUR);
      time.jump(-jump);
      await pass(2 * HOUR);
    }
    expect(await store.days()).toEqual([day]);
  });

  it('stay while the clock stands still, and go when it is right again', async () => {
    const day = await call();
    for (let hour = 0; hour < 31 * 24; hour++) {
      time.jump(-HOUR);
      await pass(HOUR);
    }
    expect(await store.days()).toEqual([day]);
    time.jump(31 * DAY + 12 * HOUR);
    await pass(2 * HOUR);
    expect(await store.days()).toEqual([]);
  });

  it('go within two hours of the end of a long sleep of the machine', async () => {
    await call();
    time.jump(40 * DAY);
    await pass(2 * HOUR);
    expect(await store.days()).toEqual([]);
  });

  it('know no daylight saving time', async () => {
    const now = Date.UTC(2026, 9, 25, 0, 30);
    time.jump(now - time.now());
    await restart();
    const day = await call();
    await pass(3 * HOUR);
    expect(await call()).toBe(day);
    await pass((RETENTION_DAYS - 1) * DAY);
    expect(await store.days()).toEqual([day]);
    await pass(2 * DAY);
    expect(await store.days()).toEqual([]);
  });
});
