import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { Secret } from '../kernel/secret.ts';
import { type KeyHolder, type Sessions, type SignedIn, createSessions } from './sessions.ts';
import { SingleUse } from './single-use.ts';

const HOUR = 3_600_000;
const ada = 'acct_ada' as AccountId;
let now: number;
/** How far the clock on the wall is off. */
let off: number;
let timers: { at: number; task: () => void }[];
let revoked: Set<ApiKeyId>;
let sessions: Sessions;

const clock = { now: () => now + off, monotonicMs: () => now };
const scheduler: Scheduler = {
  after(delayMs, task) {
    const timer = { at: now + delayMs, task };
    timers.push(timer);
    return { close: () => void (timers = timers.filter((other) => other !== timer)) };
  },
};

function pass(ms: number): void {
  now += ms;
  for (const { task } of timers.filter(({ at }) => at <= now)) task();
}

beforeEach(() => {
  now = Date.UTC(2026, 10, 23);
  off = 0;
  timers = [];
  revoked = new Set();
  sessions = createSessions({ accounts: { isLiveKey: (id) => !revoked.has(id) }, clock, scheduler });
});

function key(id: string, accountId = ada): KeyHolder {
  const keyId = id as ApiKeyId;
  return {
    principal: { accountId, keyId, role: 'member' },
    holder: { accountId, accountKey: new Secret(new Uint8Array(32).fill(7)) },
  };
}

function begin(over: Partial<SignedIn> = {}): { cookie: string; session: ReturnType<Sessions['find']> } {
  const { cookie } = sessions.begin({
    accountId: ada,
    role: () => 'member',
    provedAt: now,
    by: 'provider',
    ...over,
  });
  return { cookie: cookie.reveal(), session: sessions.find(cookie.reveal()) };
}

describe('a session', () => {
  it('is over after twelve hours, however busy it was, and its timer with it', () => {
    const { cookie } = begin();
    pass(12 * HOUR - 1);
    expect(sessions.find(cookie)).toBeDefined();
    now += 1;
    expect(sessions.find(cookie)).toBeUndefined();
    pass(0);
    expect(timers).toEqual([]);
  });

  it('is found by its cookie alone, which says nothing', () => {
    const { cookie } = begin();
    expect(cookie).toMatch(/^[\w-]{43}$/);
    expect(begin().cookie).not.toBe(cookie);
    for (const other of ['', cookie.slice(1), `${cookie}A`, 'A'.repeat(43)])
      expect(sessions.find(other)).toBeUndefined();
  });

  it('is fresh for five minutes after the last proof', () => {
    const { session } = begin({ provedAt: now - 5 * 60_000 });
    expect(session?.isFresh()).toBe(false);
    session?.unlock(key('key_1'));
    expect(session?.isFresh()).toBe(true);
    pass(5 * 60_000);
    expect(session?.isFresh()).toBe(false);
    session?.renew(now - 1000);
    expect(session?.isFresh()).toBe(true);
  });

  it('forgets the account key with its end, and not under the hands of who works with it', () => {
    const { session } = begin({ key: key('key_1') });
    const used = session?.holder()?.accountKey.reveal();
    session?.end();
    expect(session?.holder()).toBeUndefined();
    expect(used).toEqual(new Uint8Array(32).fill(7));
  });

  it('of the provider is locked again when its key is revoked; one of the key is over', () => {
    const provided = begin({ key: key('key_1') });
    const keyed = begin({ key: key('key_1'), by: 'key' });
    expect(provided.session?.principal()).toMatchObject({ keyId: 'key_1' });
    revoked.add('key_1' as ApiKeyId);
    expect(sessions.find(provided.cookie)?.holder()).toBeUndefined();
    expect(sessions.find(provided.cookie)?.principal()).toEqual({ accountId: ada, role: 'member' });
    expect(sessions.find(keyed.cookie)).toBeUndefined();
  });

  it('shows the first key of its account once', () => {
    const { session } = begin({ firstApiKey: new Secret('sk_first') });
    expect(session?.takeFirstApiKey()?.reveal()).toBe('sk_first');
    expect(session?.takeFirstApiKey()).toBeUndefined();
  });

  it('ends with its account, and others do not', () => {
    const mine = begin();
    const other = begin({ accountId: 'acct_bob' as AccountId });
    sessions.endAccount(ada);
    expect(sessions.find(mine.cookie)).toBeUndefined();
    expect(sessions.find(other.cookie)).toBeDefined();
  });

  it('makes room for the next when its account has too many', () => {
    const first = begin();
    for (let count = 0; count < 49; count++) begin();
    expect(sessions.find(first.cookie)).toBeDefined();
    begin();
    expect(sessions.find(first.cookie)).toBeUndefined();
  });
});

describe.each([
  ['a day', 24 * HOUR],
  ['a year', 365 * 24 * HOUR],
])('a clock that is put by %s', (_, jump) => {
  it('forwards ends sessions and sign-in links, and its way back revives none that was seen to end', () => {
    const { cookie } = begin();
    const links = new SingleUse({ lifetimeMs: 600_000, entriesMax: 2, clock, scheduler });
    const { secret } = links.put('value');
    off = jump;
    expect(sessions.find(cookie)).toBeUndefined();
    expect(links.take(secret.reveal())).toBeUndefined();
    off = 0;
    expect(sessions.find(cookie)).toBeUndefined();
    expect(links.take(secret.reveal())).toBeUndefined();
    expect(timers).toEqual([]);
  });

  it('back prolongs no session, no proof of who it is and no sign-in link, even when a timer is late', () => {
    const { cookie, session } = begin();
    const links = new SingleUse({ lifetimeMs: 600_000, entriesMax: 2, clock, scheduler });
    const { secret } = links.put('value');
    off = -jump;
    now += 5 * 60_000;
    expect(session?.isFresh()).toBe(false);
    now += 5 * 60_000;
    expect(links.take(secret.reveal())).toBeUndefined();
    now += 12 * HOUR;
    expect(sessions.find(cookie)).toBeUndefined();
  });

  it('and right again leaves those of meanwhile no longer than any, and lets people prove who they are', () => {
    off = jump;
    const { cookie, session } = begin({ provedAt: clock.now() });
    off = 0;
    now += 5 * 60_000;
    expect(session?.isFresh()).toBe(false);
    session?.renew(clock.now());
    expect(session?.isFresh()).toBe(true);
    now += 12 * HOUR;
    expect(sessions.find(cookie)).toBeUndefined();
  });
});

describe('a single-use secret', () => {
  const create = (): SingleUse<string> =>
    new SingleUse({ lifetimeMs: 600_000, entriesMax: 2, clock, scheduler });

  it('opens its value once', () => {
    const links = create();
    const { secret } = links.put('value');
    expect(links.take('another')).toBeUndefined();
    expect(links.take(secret.reveal())).toBe('value');
    expect(links.take(secret.reveal())).toBeUndefined();
    expect(timers).toEqual([]);
  });

  it('opens nothing after its time', () => {
    const links = create();
    const { secret, expiresAt } = links.put('value');
    now = expiresAt;
    expect(links.take(secret.reveal())).toBeUndefined();
  });

  it('gives way to newer ones when there are too many', () => {
    const links = create();
    const [first, second] = [links.put('1'), links.put('2')];
    links.put('3');
    expect(links.take(first.secret.reveal())).toBeUndefined();
    expect(links.take(second.secret.reveal())).toBe('2');
    expect(timers).toHaveLength(1);
  });
});
