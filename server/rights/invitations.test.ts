import { beforeEach, describe, expect, it } from 'vitest';
import type { Holder } from '../accounts/principal.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { TakenCopy } from './copies.ts';
import { type Invitations, createInvitations } from './invitations.ts';

const HOUR_MS = 3_600_000;
const KEY = Uint8Array.from({ length: 32 }, (_, at) => at);
const ADA: Holder = { accountId: 'acct_ada' as AccountId, accountKey: new Secret(KEY) };
const BOB: Holder = { accountId: 'acct_bob' as AccountId, accountKey: new Secret(new Uint8Array(32)) };
const TAKEN: TakenCopy = { taken: {}, left: [], leftCount: 0, receipt: 'a.b.c' };

let now: number;
let steady: number;
let invitations: Invitations;
let token: string;
let erased: AccountId | undefined;

beforeEach(() => {
  now = 1_000_000;
  steady = 0;
  erased = undefined;
  invitations = createInvitations({
    clock: { now: () => now, monotonicMs: () => steady },
    exists: async (accountId) => accountId !== erased,
  });
  token = invitations.create(ADA).token.reveal();
});

const use = (presented = token): Promise<string> =>
  invitations
    .use(presented, async () => TAKEN)
    .then(
      () => 'taken',
      (thrown: { code: string }) => thrown.code,
    );

describe('an invitation', () => {
  it('lives no longer because the clock goes back', async () => {
    now -= 24 * HOUR_MS;
    steady += 24 * HOUR_MS;
    expect(await use()).toBe('rights.invitation_unknown');
  });

  it('opens the account of who invited, and is used up by it', async () => {
    await invitations.use(token, async ({ accountId, accountKey }) => {
      expect([accountId, Buffer.from(accountKey.reveal())]).toEqual([ADA.accountId, Buffer.from(KEY)]);
      return TAKEN;
    });
    expect(invitations.find(ADA.accountId)?.outcome).toEqual(TAKEN);
    expect(await use()).toBe('rights.invitation_unknown');
  });

  it('is the last one of its account, for a day, and until it is revoked', async () => {
    const former = token;
    token = invitations.create(ADA).token.reveal();
    expect(await use(former)).toBe('rights.invitation_unknown');
    now += 24 * HOUR_MS;
    expect(await use()).toBe('rights.invitation_unknown');
    token = invitations.create(ADA).token.reveal();
    invitations.create(BOB);
    invitations.revoke(ADA.accountId);
    expect(await use()).toBe('rights.invitation_unknown');
    expect(invitations.find(BOB.accountId)).toBeDefined();
  });

  it('ends with its account', async () => {
    erased = ADA.accountId;
    expect(await use()).toBe('rights.invitation_unknown');
  });

  it('lets one in at a time, and what failed a few times more', async () => {
    const { promise, resolve } = Promise.withResolvers<TakenCopy>();
    const first = invitations.use(token, () => promise);
    expect(await use()).toBe('rights.invitation_in_use');
    resolve(TAKEN);
    await first;
    token = invitations.create(ADA).token.reveal();
    const failing = (): Promise<TakenCopy> =>
      invitations.use(token, () => Promise.reject(new Error('broke off')));
    for (let tries = 0; tries < 5; tries++) await expect(failing()).rejects.toThrow('broke off');
    expect(await use()).toBe('rights.invitation_unknown');
  });

  it.each(['', 'rcv_', 'rcv_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'])(
    'is not guessed: %s',
    async (guess) => {
      expect(await use(guess)).toBe('rights.invitation_unknown');
    },
  );
});
