import { createHash, randomBytes } from 'node:crypto';
import type { Holder } from '../accounts/principal.ts';
import { type Clock, type Moment, elapsedMs, momentOf } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { deriveKey, unwrapKey, wrapKey } from '../keys/key-wrap.ts';
import type { TakenCopy } from './copies.ts';

/**
 * Lets another controller send one copy into an account. The token carries the account key, as tokens do: what lies here
 * opens with it alone. They live in memory, so a restart ends them.
 */
export interface Invitations {
  /** In place of the account's former one. */
  create(holder: Holder): { readonly token: Secret; readonly expiresAt: number };
  /** The account's present one, and what came of it. */
  find(accountId: AccountId): Invitation | undefined;
  revoke(accountId: AccountId): void;
  /**
   * Does `work` for whom the token invites to. It is used up when that has succeeded; one that fails may be tried again, a
   * few times. Rejects with `rights.invitation_unknown`, `rights.invitation_in_use`.
   */
  use(token: string, work: (holder: Holder) => Promise<TakenCopy>): Promise<TakenCopy>;
}

export interface Invitation {
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** What was taken over, once it was used. */
  readonly outcome: TakenCopy | undefined;
}

interface Kept {
  readonly hash: string;
  readonly accountId: AccountId;
  readonly wrappedKey: Uint8Array;
  readonly begun: Moment;
  readonly expiresAt: number;
  triesLeft: number;
  isInUse: boolean;
  outcome: TakenCopy | undefined;
}

const LIFETIME_MS = 24 * 3_600_000;
const TRIES_MAX = 5;
/** Accounts that have one; the oldest goes for one more. */
const INVITATIONS_MAX = 10_000;

export interface InvitationsOptions {
  readonly clock: Clock;
  /** Whether the account has not been erased since. */
  readonly exists: (accountId: AccountId) => Promise<boolean>;
}

export function createInvitations({ clock, exists }: InvitationsOptions): Invitations {
  const byAccount = new Map<AccountId, Kept>();
  const byHash = new Map<string, Kept>();

  function forget({ accountId, hash }: Kept): void {
    byHash.delete(hash);
    byAccount.delete(accountId);
  }

  function present(kept: Kept | undefined): Kept | undefined {
    if (kept === undefined || elapsedMs(clock, kept.begun) < LIFETIME_MS) return kept;
    forget(kept);
    return undefined;
  }

  return {
    create({ accountId, accountKey }) {
      const former = byAccount.get(accountId);
      if (former !== undefined) forget(former);
      const [oldest] = byAccount.values();
      if (oldest !== undefined && byAccount.size >= INVITATIONS_MAX) forget(oldest);
      const token = `rcv_${randomBytes(32).toString('base64url')}`;
      const begun = momentOf(clock);
      const kept: Kept = {
        hash: hashOf(token),
        accountId,
        wrappedKey: wrapKey(keyOf(token), accountKey.reveal(), contextOf(accountId)),
        begun,
        expiresAt: begun.wallMs + LIFETIME_MS,
        triesLeft: TRIES_MAX,
        isInUse: false,
        outcome: undefined,
      };
      byAccount.set(accountId, kept);
      byHash.set(kept.hash, kept);
      return { token: new Secret(token), expiresAt: kept.expiresAt };
    },
    find: (accountId) => present(byAccount.get(accountId)),
    revoke(accountId) {
      const kept = byAccount.get(accountId);
      if (kept !== undefined) forget(kept);
    },
    async use(token, work) {
      const kept = present(byHash.get(hashOf(token)));
      if (kept === undefined) throw unknown();
      if (kept.isInUse) throw inUse();
      const { accountId } = kept;
      const accountKey = unwrapKey(keyOf(token), kept.wrappedKey, contextOf(accountId));
      if (accountKey === undefined) throw unknown();
      kept.isInUse = true;
      kept.triesLeft--;
      try {
        if (!(await exists(accountId))) throw unknown();
        kept.outcome = await work({ accountId, accountKey: new Secret(accountKey) });
        byHash.delete(kept.hash);
        return kept.outcome;
      } finally {
        accountKey.fill(0);
        kept.isInUse = false;
        if (kept.triesLeft === 0) byHash.delete(kept.hash);
      }
    },
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function keyOf(token: string): Uint8Array {
  return deriveKey(Buffer.from(token, 'utf8'), 'rights-invitation');
}

function contextOf(accountId: AccountId): string {
  return `rights-invitation\n${accountId}`;
}

function unknown(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'rights.invitation_unknown',
    message: 'The token is wrong, used, revoked or expired. Ask for a new invitation.',
  });
}

function inUse(): PlatformError {
  return new PlatformError({
    kind: 'conflict',
    code: 'rights.invitation_in_use',
    message: 'A copy is arriving under this invitation already. Wait for its end.',
  });
}
