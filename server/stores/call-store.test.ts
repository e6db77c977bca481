import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallRecord, CallStore, CountedCall } from '../calls/call-record.ts';
import { newId } from '../kernel/ids.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { KeyRing, KeyStore } from '../keys/key-ring.ts';
import { createObjections } from '../rights/objections.ts';
import { createCallStore } from './call-store.ts';
import { openKeyStore } from './key-store.ts';

const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
const alice = newId<AccountId>('acct');
const bob = newId<AccountId>('acct');
const hello = newId<FunctionId>('fn');
const DAY = '2026-11-23';

let dir: string;
let keyStore: KeyStore & { close(): Promise<void> };
let keyRing: KeyRing;
let store: CallStore & { close(): Promise<void> };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'calls-'));
  keyStore = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  keyRing = createKeyRing({ root, store: keyStore });
  store = createCallStore({ dir: join(dir, 'calls'), keyRing, openDaysMax: 2 });
});
afterEach(async () => {
  await store.close();
  await keyStore.close();
  rmSync(dir, { recursive: true, force: true });
});

function call(change: Partial<CallRecord> = {}): CallRecord {
  return {
    accountId: alice,
    functionId: hello,
    version: 1,
    originIp: '192.0.2.7',
    durationMs: 12,
    ok: true,
    ...change,
  };
}

function files(): string[] {
  return readdirSync(join(dir, 'calls')).toSorted();
}

describe('the call store', () => {
  test('lists the caller’s own rows of a day, whole and over a restart', async () => {
    const mine = [call(), call({ version: 2, originIp: '2001:db8::1', durationMs: 0, ok: false })];
    await store.append(DAY, [...mine, call({ accountId: bob })]);
    await store.close();
    store = createCallStore({ dir: join(dir, 'calls'), keyRing });
    expect(await store.list(alice, DAY, 100)).toEqual(mine);
    expect(await store.list(bob, DAY, 100)).toHaveLength(1);
    expect(await store.list(alice, DAY, 1)).toHaveLength(1);
  });

  test('knows nothing of days without calls, and makes no file for them', async () => {
    expect(await store.days()).toEqual([]);
    expect(await store.list(alice, DAY, 10)).toEqual([]);
    expect(await store.expire({ oldestDay: DAY, today: DAY })).toEqual({
      destroyed: 0,
      resting: 0,
      ahead: 0,
    });
    await store.append(DAY, []);
    expect(await store.days()).toEqual([]);
  });

  test('adds statistics up over all days, by version', async () => {
    await store.append('2026-11-21', [call({ durationMs: 10 }), call({ durationMs: 20, ok: false })]);
    await store.append('2026-11-22', [call({ durationMs: 60, accountId: bob })]);
    await store.append(DAY, [
      call({ version: 2, durationMs: 5 }),
      call({ functionId: newId<FunctionId>('fn') }),
    ]);
    expect(await store.statistics(hello)).toEqual(
      new Map([
        [2, { invocations: 1, failures: 0, avgDurationMs: 5 }],
        [1, { invocations: 3, failures: 1, avgDurationMs: 30 }],
      ]),
    );
    expect(await store.days()).toEqual([DAY, '2026-11-22', '2026-11-21']);
  });

  test('counts the caller’s own calls of a day by how long they took and how they ended', async () => {
    await store.append(DAY, [
      call({ durationMs: 7 }),
      call({ durationMs: 3, functionId: newId<FunctionId>('fn') }),
      call({ durationMs: 7 }),
      call({ durationMs: 7, ok: false }),
      call({ accountId: bob }),
    ]);
    const ofHello = [
      { durationMs: 7, ok: false, calls: 1 },
      { durationMs: 7, ok: true, calls: 2 },
    ];
    expect(await store.durations(alice, DAY, hello)).toEqual(ofHello);
    expect(await store.durations(alice, DAY)).toEqual([{ durationMs: 3, ok: true, calls: 1 }, ...ofHello]);
    expect(await store.durations(alice, '2026-11-01')).toEqual([]);
  });

  test('keeps every row of many overlapping batches, with fewer open files than days', async () => {
    const days = ['2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'];
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        await store.append(
          days[index % days.length] ?? DAY,
          Array.from({ length: 25 }, () => call()),
        );
      }),
    );
    expect((await store.statistics(hello)).get(1)?.invocations).toBe(1000);
  });

  test.each(['', '../keys/keys', '2026-11-23.db', '2026-1-1', `${DAY}\n`, 'x'.repeat(65536)])(
    'takes nothing but days for a day',
    async (day) => {
      await expect(store.append(day, [call()])).rejects.toMatchObject({ code: 'calls.bad_day' });
      await expect(store.list(alice, day, 1)).rejects.toMatchObject({ code: 'calls.bad_day' });
    },
  );

  test('seals each day under a key of its own', async () => {
    await store.append('2026-11-22', [call()]);
    await store.append(DAY, [call()]);
    expect(await keyRing.find('calls/2026-11-22')).not.toEqual(await keyRing.find(`calls/${DAY}`));
    for (const file of files()) {
      const bytes = readFileSync(join(dir, 'calls', file));
      for (const plain of [alice, hello, '192.0.2.7', 'SQLite format'])
        expect(bytes.includes(plain)).toBe(false);
    }
  });
});

const text64k = 'a'.repeat(65536);
const freeText: [string, Partial<CallRecord>][] = [
  ['a sentence as account', { accountId: 'acct_how do I get here??' as AccountId }],
  ['an account id with more behind it', { accountId: `${alice}0` as AccountId }],
  ['an account id with text behind a NUL', { accountId: `${alice}\0secret` as AccountId }],
  ['another kind of id', { accountId: newId<AccountId>('fn') }],
  ['a name as function', { functionId: 'weather-compare' as FunctionId }],
  ['a function id with a letter that is not ASCII', { functionId: `fn_${'ä'.repeat(20)}` as FunctionId }],
  ['64 KiB as function', { functionId: `fn_${text64k}` as FunctionId }],
  ['a header as address', { originIp: '192.0.2.7, 10.0.0.1 (proxy)' }],
  ['a word as address', { originIp: 'localhost' }],
  ['an upper-case address', { originIp: '2001:DB8::1' }],
  ['a long address', { originIp: '1'.repeat(46) }],
  ['text behind a NUL as address', { originIp: '192.0.2.7\0secret' }],
  ['64 KiB as address', { originIp: text64k }],
  ['text as version', { version: 'one' as unknown as number }],
  ['version 0', { version: 0 }],
  ['a fraction as duration', { durationMs: 1.5 }],
  ['a negative duration', { durationMs: -1 }],
  ['text as duration', { durationMs: 'slow' as unknown as number }],
  ['an object as duration', { durationMs: { note: 'secret' } as unknown as number }],
];

describe('a call record has no room for content', () => {
  test.each(freeText)('%s is refused', async (_, change) => {
    await expect(store.append(DAY, [call(), call(change)])).rejects.toThrow(/CHECK|cannot store/);
    expect(await store.list(alice, DAY, 10)).toEqual([]);
  });

  test('a field that is not on the list is not stored', async () => {
    const withMore = { ...call(), path: '/secret', userAgent: 'curl' };
    await store.append(DAY, [withMore]);
    expect(await store.list(alice, DAY, 10)).toEqual([call()]);
  });
});

describe('rows of a caller', () => {
  test('outlive the days that are kept while their account is restricted', async () => {
    const restricted = new Set([alice]);
    const restriction = {
      accounts: () => [...restricted],
      isRestricted: (accountId: AccountId) => restricted.has(accountId),
    };
    store = createCallStore({ dir: join(dir, 'calls'), keyRing, restriction });
    await store.append(DAY, [call(), call({ accountId: bob })]);
    expect((await store.statistics(hello)).get(1)?.invocations).toBe(1);
    expect(await store.expire({ oldestDay: '2026-11-24', today: '2026-12-23' })).toMatchObject({
      destroyed: 0,
      resting: 1,
    });
    expect(await store.list(alice, DAY, 10)).toEqual([call()]);
    expect(await store.list(bob, DAY, 10)).toEqual([]);
    restricted.clear();
    expect(await store.expire({ oldestDay: '2026-11-24', today: '2026-12-23' })).toMatchObject({
      destroyed: 1,
      resting: 0,
    });
    expect(await store.list(alice, DAY, 10)).toEqual([]);
  });

  test('who has objected to statistics are counted by nobody', async () => {
    const objections = await createObjections({
      list: async () => [],
      insert: async () => undefined,
      remove: async () => undefined,
    });
    store = createCallStore({ dir: join(dir, 'calls'), keyRing, objections });
    await store.append(DAY, [call(), call({ accountId: bob })]);
    await objections.object(alice, 'statistics');
    expect((await store.statistics(hello)).get(1)?.invocations).toBe(1);
    await expect(store.durations(alice, DAY)).rejects.toMatchObject({ code: 'account.statistics_objected' });
    await objections.withdraw(alice, 'statistics');
    expect(await store.durations(alice, DAY)).toHaveLength(1);
  });
});

describe('an expired day', () => {
  test('leaves neither key nor file, and its ciphertext cannot be read again', async () => {
    await store.append('2026-11-21', [call()]);
    await store.append('2026-11-22', [call()]);
    const kept = readFileSync(join(dir, 'calls', '2026-11-21.db'));
    expect(await store.expire({ oldestDay: '2026-11-22', today: DAY })).toEqual({
      destroyed: 1,
      resting: 0,
      ahead: 0,
    });
    expect(await keyRing.find('calls/2026-11-21')).toBeUndefined();
    expect(files().filter((file) => file.startsWith('2026-11-21'))).toEqual([]);
    expect(await store.list(alice, '2026-11-22', 10)).toEqual([call()]);

    writeFileSync(join(dir, 'calls', '2026-11-21.db'), kept);
    expect(await store.list(alice, '2026-11-21', 10)).toEqual([]);
  });

  test('whose file survived a crash is removed by the next run', async () => {
    await store.append('2026-11-21', [call()]);
    await store.close();
    await keyRing.destroy('calls/2026-11-21');
    expect(await store.expire({ oldestDay: DAY, today: DAY })).toEqual({
      destroyed: 1,
      resting: 0,
      ahead: 0,
    });
    expect(files()).toEqual([]);
  });

  test('whose file survived a crash does not stand in the way of new calls', async () => {
    await store.append(DAY, [call(), call()]);
    await store.close();
    await keyRing.destroy(`calls/${DAY}`);
    await store.append(DAY, [call()]);
    expect(await store.list(alice, DAY, 10)).toEqual([call()]);
  });
});

test('an erased account has no row in any day, and others keep theirs', async () => {
  for (const day of ['2026-11-21', '2026-11-22', DAY]) {
    await store.append(day, [call(), call({ accountId: bob })]);
  }
  await store.eraseAccount(alice);
  for (const day of await store.days()) {
    expect(await store.list(alice, day, 10)).toEqual([]);
    expect(await store.list(bob, day, 10)).toHaveLength(1);
  }
});

test('all calls of an account come page by page, equal ones counted, and nobody else’s', async () => {
  const some = Array.from({ length: 25 }, (_, at) => call({ durationMs: at % 10, ok: at % 2 === 0 }));
  await store.append(DAY, [...some, call({ accountId: bob }), call({ originIp: '2001:db8::1' })]);
  const found: CountedCall[] = [];
  for (let after: CountedCall | undefined, more = true; more;) {
    const page = await store.counted(alice, DAY, { after, limit: 3 });
    found.push(...page);
    after = page.at(-1);
    more = page.length === 3;
  }
  expect(found).toHaveLength(11);
  expect(found.reduce((sum, { calls }) => sum + calls, 0)).toBe(26);
  expect(found.filter(({ originIp }) => originIp === '2001:db8::1')).toMatchObject([{ calls: 1 }]);
  expect(found.some(({ accountId }) => accountId !== alice)).toBe(false);
  expect(await store.counted(alice, '2026-11-22', { limit: 3 })).toEqual([]);
});
