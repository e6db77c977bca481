import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccounts } from '../accounts/create-accounts.ts';
import { createEventLog } from '../kernel/events.ts';
import { type AccountId, newId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import { type Receipts, createReceipts, openReceipt } from '../keys/receipts.ts';
import { type OpenAccountStore, openAccountStore } from '../stores/account-store.ts';
import { openKeyStore } from '../stores/key-store.ts';
import type { RequestId } from './request.ts';
import { type Requests, createRequests } from './requests.ts';

/** Requests over the real store; only time is ours. */
const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };

let dir: string;
let today: string;
let due: (() => void)[];
let log: string[];
let done: string[];
let store: OpenAccountStore;
let keys: Awaited<ReturnType<typeof openKeyStore>>;
let receipts: Receipts;
let requests: Requests;
let ada: AccountId;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'requests-'));
  today = '2026-11-23';
  [log, done] = [[], []];
  await start();
  const person = { name: 'Ada', email: 'ada@example.org' };
  ada = (await accounts().then((all) => all.signUp({ issuer: 'i', subject: 's' }, person))).account.id;
});
afterEach(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

const clock = { now: () => Date.parse(`${today}T10:00:00Z`), monotonicMs: () => 0 };

async function accounts() {
  return await createAccounts({ store, keyRing: createKeyRing({ root, store: keys }), clock });
}

async function start(): Promise<void> {
  due = [];
  keys = await openKeyStore({ path: join(dir, 'keys.db'), root });
  const keyRing = createKeyRing({ root, store: keys });
  receipts = await createReceipts(keyRing);
  store = await openAccountStore({ path: join(dir, 'accounts.db'), keyRing });
  const own = await accounts();
  requests = createRequests({
    rows: store.rightsRequests,
    accounts: { get: (id) => own.get(id), find: (email) => store.findAccountByEmail(email) },
    acts: {
      restriction: async (accountId) => void done.push(`restrict ${accountId}`),
      objection: async (_, purpose) => void done.push(`object ${purpose}`),
    },
    erase: (accountId) => store.forgetAccount(accountId),
    receipts,
    holidays: new Set(['12-25']),
    clock,
    scheduler: { after: (_, task) => (due.push(task), { close: () => undefined }) },
    events: createEventLog((line) => log.push(line), clock.now),
  });
}

async function stop(): Promise<void> {
  requests.close();
  await store.close();
  await keys.close();
}

/** Reminders of this day, which come without anybody asking. */
async function remindedOn(day: string): Promise<string[]> {
  today = day;
  log.length = 0;
  await stop();
  await start();
  await requests.listOpen();
  return log.map((line) => JSON.stringify({ ...JSON.parse(line), at: undefined }));
}

const copyByOperator = { kind: 'access', purpose: null, byOperator: true } as const;
const erasure = { kind: 'erasure', purpose: null } as const;

describe('a request', () => {
  test('for what the platform does itself is done when it answers, with a receipt that names nobody', async () => {
    const request = await requests.begin(ada, { kind: 'restriction', purpose: null, byOperator: false });
    expect(done).toEqual([`restrict ${ada}`]);
    expect(request).toMatchObject({ state: 'done', receivedOn: today, endedOn: today, daysLeft: null });
    expect(await openReceipt(String(request.receipt), receipts.publicKey)).toEqual({
      event: 'rights.request_ended',
      request: request.id,
      kind: 'restriction',
      result: 'done',
      receivedOn: today,
      endedOn: today,
    });
  });

  test('that a step of the person ends waits for it, and is not noted twice', async () => {
    const begun = await requests.begin(ada, { ...erasure, byOperator: false });
    expect(begun).toMatchObject({ state: 'running', dueOn: '2026-12-23', daysLeft: 30 });
    expect(await requests.begin(ada, { ...erasure, byOperator: false })).toEqual(begun);
    const ended = await requests.carriedOut(ada, 'erasure');
    expect(ended).toMatchObject({ id: begun.id, state: 'done' });
    expect(await requests.list(ada)).toEqual([ended]);
  });

  test('that was carried out without being asked for is noted all the same', async () => {
    await requests.carriedOut(ada, 'objection', { purpose: 'statistics' });
    expect(await requests.list(ada)).toMatchObject([
      { kind: 'objection', purpose: 'statistics', state: 'done' },
    ]);
  });

  test('names a purpose when it objects, and only then', async () => {
    for (const asked of [
      { kind: 'objection', purpose: null },
      { kind: 'erasure', purpose: 'statistics' },
    ] as const)
      await expect(requests.begin(ada, { ...asked, byOperator: false })).rejects.toMatchObject({
        code: 'rights.bad_purpose',
      });
    expect(done).toEqual([]);
  });

  test('whose act fails is not called done', async () => {
    const own = await accounts();
    const failing = createRequests({
      rows: store.rightsRequests,
      receipts,
      clock,
      holidays: new Set(),
      accounts: { get: (id) => own.get(id), find: async () => undefined },
      acts: { restriction: () => Promise.reject(new Error('disk')) },
      scheduler: { after: () => ({ close: () => undefined }) },
      events: { emit: () => undefined },
    });
    await expect(
      failing.begin(ada, { kind: 'restriction', purpose: null, byOperator: false }),
    ).rejects.toThrow('disk');
    expect(await failing.list(ada)).toEqual([]);
  });

  test('survives a restart, and goes with its account', async () => {
    const begun = await requests.begin(ada, copyByOperator);
    await stop();
    await start();
    expect(await requests.list(ada)).toEqual([begun]);
    await store.forgetAccount(ada);
    expect(await requests.list(ada)).toEqual([]);
    expect(await requests.listOpen()).toEqual([]);
    for (const name of readdirSync(dir).filter((one) => one.startsWith('accounts')))
      expect(readFileSync(join(dir, name)).includes(begun.id)).toBe(false);
  });

  test('is one of at most two hundred that have ended', async () => {
    const open = await requests.begin(ada, copyByOperator);
    for (let count = 0; count < 205; count++) await requests.carriedOut(ada, 'rectification');
    const all = await requests.list(ada);
    expect(all).toHaveLength(201);
    expect(all.at(-1)).toEqual(open);
  });
});

describe('a request to the operator', () => {
  test('keeps its reminders when the clock is a year ahead or behind for a look', async () => {
    await requests.begin(ada, copyByOperator);
    const begun = today;
    for (const wrong of ['2027-11-24', '2025-11-23', '2026-11-24']) {
      today = wrong;
      for (const look of due.splice(0)) look();
      await requests.listOpen();
      today = begun;
      await expect.poll(() => due.length).toBe(1);
      for (const look of due.splice(0)) look();
      await expect.poll(() => due.length).toBe(1);
    }
    expect(log.filter((line) => line.includes('request_waits'))).toEqual([]);
    expect(await remindedOn('2026-12-28')).toHaveLength(1);
  });

  test('is told once when it is late in its month, without a name, and again in its last week', async () => {
    await requests.begin(ada, copyByOperator);
    const waits = (day: number) => `{"event":"rights.request_waits","day":${day}}`;
    expect(await remindedOn('2026-12-12')).toEqual([]);
    expect(await remindedOn('2026-12-13')).toEqual([waits(20)]);
    expect(await remindedOn('2026-12-14')).toEqual([]);
    expect((await requests.listOpen())[0]).toMatchObject({ reminder: 20, daysLeft: 9 });
    expect(await remindedOn('2026-12-28')).toEqual([waits(27)]);
    expect((await requests.listOpen())[0]).toMatchObject({ reminder: 27, daysLeft: -5 });
  });

  test('is told in a running platform, too, and not when it is late twice', async () => {
    await requests.begin(ada, copyByOperator);
    today = '2026-12-20';
    due.shift()?.();
    await expect.poll(() => due.length).toBe(1);
    expect(log).toEqual([]);
    due.shift()?.();
    await expect.poll(() => log.map((line) => JSON.parse(line).day)).toEqual([27]);
  });

  test('is extended once, by two months, inside the first, with a reason that the person reads', async () => {
    const { id } = await requests.begin(ada, copyByOperator);
    today = '2026-12-23';
    const extended = await requests.extend(id, 'There is much to look at.');
    expect(extended).toMatchObject({ state: 'extended', dueOn: '2027-02-23', daysLeft: 62 });
    expect((await requests.list(ada))[0]?.extension).toEqual({
      on: today,
      reason: 'There is much to look at.',
    });
    await expect(requests.extend(id, 'And even more.')).rejects.toMatchObject({
      code: 'rights.already_extended',
    });
  });

  test('is not extended after the first month', async () => {
    const { id } = await requests.begin(ada, copyByOperator);
    today = '2026-12-24';
    await expect(requests.extend(id, 'Forgotten.')).rejects.toMatchObject({ code: 'rights.extension_late' });
  });

  test('is refused with a reason and a receipt, and that is its end', async () => {
    const { id } = await requests.begin(ada, copyByOperator);
    const refused = await requests.refuse(id, 'It was answered last week.');
    expect(refused).toMatchObject({
      state: 'refused',
      refusal: 'It was answered last week.',
      endedOn: today,
    });
    expect(await openReceipt(String(refused.receipt), receipts.publicKey)).toMatchObject({
      result: 'refused',
    });
    for (const attempt of [
      () => requests.extend(id, 'Later.'),
      () => requests.refuse(id, 'Twice.'),
      () => requests.complete(id),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'rights.request_ended' });
    expect(await requests.listOpen()).toEqual([]);
  });

  test('is carried out by the platform where it can, and the answer outlives an erased account', async () => {
    const { id } = await requests.begin(ada, { ...erasure, byOperator: true });
    const completed = await requests.complete(id);
    expect(completed).toMatchObject({ state: 'done', account: { id: ada, email: 'ada@example.org' } });
    expect(await openReceipt(String(completed.receipt), receipts.publicKey)).toMatchObject({
      kind: 'erasure',
    });
    expect(await store.findAccount(ada)).toBeUndefined();
    await expect(requests.complete(id)).rejects.toMatchObject({ code: 'rights_request.not_found' });
  });

  test('that came by letter cannot be carried out before the person has confirmed it', async () => {
    const noted = await requests.note('ADA@example.org', erasure);
    expect(noted).toMatchObject({ state: 'received', byOperator: true });
    await expect(requests.complete(noted.id)).rejects.toMatchObject({ code: 'rights.not_verified' });
    await requests.extend(noted.id, 'The letter says little.');
    await expect(requests.complete(noted.id)).rejects.toMatchObject({ code: 'rights.not_verified' });
    expect(await store.findAccount(ada)).toBeDefined();

    today = '2026-12-01';
    const confirmed = await requests.begin(ada, { ...erasure, byOperator: true });
    expect(confirmed).toMatchObject({ id: noted.id, state: 'extended', receivedOn: '2026-11-23' });
    expect((await requests.complete(noted.id)).state).toBe('done');
  });

  test('that came by letter counts from the day on which it arrived, which is at most 90 ago', async () => {
    const noted = await requests.note('ada@example.org', erasure, '2026-11-02');
    expect(noted).toMatchObject({ receivedOn: '2026-11-02', dueOn: '2026-12-02' });
    for (const day of ['2026-11-24', '2026-08-01'])
      await expect(requests.note('ada@example.org', copyByOperator, day)).rejects.toMatchObject({
        code: 'rights.bad_day',
      });
  });

  test('that came by letter from nobody with an account is not noted', async () => {
    await expect(requests.note('eve@example.org', erasure)).rejects.toMatchObject({
      code: 'account.not_found',
    });
    await expect(requests.refuse(newId<RequestId>('req'), 'Who?')).rejects.toMatchObject({
      code: 'rights_request.not_found',
    });
  });

  test('comes after those that are more urgent', async () => {
    await requests.begin(ada, copyByOperator);
    today = '2026-11-30';
    await requests.begin(ada, { ...erasure, byOperator: true });
    expect((await requests.listOpen()).map(({ kind }) => kind)).toEqual(['access', 'erasure']);
  });
});
