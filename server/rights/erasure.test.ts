import { describe, expect, test } from 'vitest';
import { createManualTime } from '../calls/testing/manual-time.ts';
import type { AccountId } from '../kernel/ids.ts';
import { type ErasureOptions, createErasure, keepErasing } from './erasure.ts';
import type { Area, Keeper } from './keepers.ts';

const ADA = 'acct_ada00000000000000000' as AccountId;
const BOB = 'acct_bob00000000000000000' as AccountId;
const AREAS: readonly Area[] = ['keys', 'functions', 'calls', 'accounts'];

const HOUR_MS = 3_600_000;

class PowerCut extends Error {}

/** What has been done, in order. Whatever is on the disk stays there when `cutAfter` steps are done and the power goes. */
function rig({ cutAfter = Infinity, others = [] as { id: AccountId; role: 'owner' | 'member' }[] } = {}) {
  const disk = { left: new Set<string>(AREAS), pending: new Set<AccountId>() };
  const done: string[] = [];
  const step = (name: string, write: () => void): void => {
    if (done.length >= cutAfter) throw new PowerCut();
    write();
    done.push(name);
  };
  const keeperOf = (area: Area): Keeper => ({
    area,
    tables: [],
    erase: async () => step(area, () => disk.left.delete(area)),
    ...(area === 'calls' && { retained: [{ what: 'Something', reason: 'The law' }] }),
  });
  const options: ErasureOptions = {
    keepers: AREAS.map(keeperOf),
    store: {
      begin: async (accountId) => step('begin', () => disk.pending.add(accountId)),
      pending: async () => [...disk.pending],
      end: async (accountId) => step('end', () => disk.pending.delete(accountId)),
    },
    accounts: { listAccounts: async () => [{ id: ADA, role: 'owner' }, ...others] },
    restriction: { asOwnAct: (_accountId, work) => work() },
    endAccess: () => void done.push('access'),
    ensureOwner: async () => void done.push('owner'),
    receipts: { sign: async (claims) => JSON.stringify(claims) },
    clock: { now: () => Date.UTC(2026, 10, 23) },
    events: { emit: () => undefined },
  };
  return { disk, done, options };
}

async function full(): Promise<void> {
  throw new Error('ENOSPC');
}

describe('an erasure', () => {
  test('ends access, destroys keys and then goes through the areas, and says what stays', async () => {
    const { options, done, disk } = rig();
    const { receipt, retained } = await createErasure(options).erase(ADA);
    expect(done).toEqual(['begin', 'access', 'keys', 'functions', 'calls', 'accounts', 'owner', 'end']);
    expect(disk.pending.size).toBe(0);
    expect(JSON.parse(receipt)).toEqual({
      event: 'account.erased',
      account: ADA,
      at: '2026-11-23T00:00:00.000Z',
    });
    expect(retained).toEqual([{ what: 'Something', reason: 'The law' }]);
  });

  test.each([1, 3, 4, 5, 6, 7])(
    'that a power cut stops after step %i is finished by the next start',
    async (cut) => {
      const { options, disk } = rig({ cutAfter: cut });
      await expect(createErasure(options).erase(ADA)).rejects.toMatchObject({
        code: 'account.erasure_unfinished',
      });
      expect([...disk.pending]).toEqual([ADA]);
      const next = rig();
      const store = { ...next.options.store, pending: async () => [...disk.pending] };
      const keepers = next.options.keepers.map((keeper) => ({
        ...keeper,
        erase: async () => void disk.left.delete(keeper.area),
      }));
      const end = async (accountId: AccountId): Promise<void> => void disk.pending.delete(accountId);
      await createErasure({ ...next.options, keepers, store: { ...store, end } }).goOn();
      expect([disk.left.size, disk.pending.size]).toEqual([0, 0]);
    },
  );

  test('that fails is tried again every hour, and each time is told without saying whose it is', async () => {
    const { options, disk } = rig();
    const log: unknown[] = [];
    const events: ErasureOptions['events'] = { emit: (name, fields) => void log.push([name, fields]) };
    let isDiskFull = true;
    const keepers = options.keepers.map((keeper) => ({
      ...keeper,
      erase: (accountId: AccountId) => (isDiskFull && accountId === ADA ? full() : keeper.erase(accountId)),
    }));
    const erasure = createErasure({ ...options, keepers, events });
    await expect(erasure.erase(ADA)).rejects.toMatchObject({ code: 'account.erasure_unfinished' });
    disk.pending.add(BOB);
    const time = createManualTime();
    const told = async (): Promise<void> => await expect.poll(() => log).not.toEqual([]);
    const unfinished = keepErasing({ erasure, scheduler: time, events });
    await unfinished.first;
    expect(log.splice(0)).toEqual([
      ['rights.erasure_resumed', { count: 1 }],
      ['rights.erasure_unfinished', { count: 1 }],
    ]);
    isDiskFull = false;
    time.advance(HOUR_MS - 1);
    expect([log, [...disk.pending]]).toEqual([[], [ADA]]);
    time.advance(1);
    await told();
    expect(log).toEqual([['rights.erasure_resumed', { count: 1 }]]);
    expect(disk.pending.size).toBe(0);
    unfinished.close();
  });

  test('that is asked for twice at once is done once', async () => {
    const { options, done } = rig();
    const erasure = createErasure(options);
    const [first, second] = await Promise.all([erasure.erase(ADA), erasure.erase(ADA)]);
    expect(second).toBe(first);
    expect(done.filter((name) => name === 'keys')).toHaveLength(1);
  });

  test('of the last owner is refused while others have accounts, and nothing is touched', async () => {
    const { options, done } = rig({ others: [{ id: BOB, role: 'member' }] });
    await expect(createErasure(options).erase(ADA)).rejects.toMatchObject({ code: 'account.last_owner' });
    expect(done).toEqual([]);
    const two = rig({ others: [{ id: BOB, role: 'owner' }] });
    await createErasure(two.options).erase(ADA);
    expect(two.disk.left.size).toBe(0);
  });
});
