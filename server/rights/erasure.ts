import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import { PlatformError } from '../kernel/errors.ts';
import { type HourlyWork, hourly } from '../kernel/hourly.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Restriction } from './restriction.ts';
import type { Keeper, Retained } from './keepers.ts';

/** Erasures that have begun and are not finished. Durable when a promise resolves. */
export interface ErasureStore {
  /** From here on nobody can sign in as the account, and there is no way back. No error if it has begun already. */
  begin(accountId: AccountId): Promise<void>;
  pending(): Promise<AccountId[]>;
  end(accountId: AccountId): Promise<void>;
}

export interface Erased {
  /** Compact JWS: that the account was erased, and when. */
  readonly receipt: string;
  readonly retained: readonly Retained[];
}

export interface Erasure {
  /**
   * Resolves when nothing of the account is left but what is named. Rejects with `account.last_owner`, and with
   * `account.erasure_unfinished` when its access and keys are gone and something else is not: `goOn` does the rest.
   */
  erase(accountId: AccountId): Promise<Erased>;
  /** Once more what was interrupted or has failed. What fails again is told, and hinders nothing else. */
  goOn(): Promise<void>;
}

export interface ErasureOptions {
  /** In the order in which they erase: keys first, the account itself last. */
  readonly keepers: readonly Keeper[];
  readonly store: ErasureStore;
  readonly accounts: { listAccounts(): Promise<readonly Pick<Account, 'id' | 'role'>[]> };
  /** Erasing is an act of the account itself, and goes on while its data may not be used otherwise. */
  readonly restriction: Pick<Restriction, 'asOwnAct'>;
  /** Tokens, sessions and instances of the account end at once. */
  readonly endAccess: (accountId: AccountId) => void;
  /** Whoever owned the installation alone is followed by a new owner, also after a crash. */
  readonly ensureOwner: () => Promise<void>;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly events: Pick<EventLog, 'emit'>;
}

export function createErasure(options: ErasureOptions): Erasure {
  const { keepers, store, restriction, endAccess, ensureOwner, receipts, clock, events } = options;
  const running = new Map<AccountId, Promise<Erased>>();

  async function finish(accountId: AccountId): Promise<Erased> {
    await restriction.asOwnAct(accountId, async () => {
      for (const keeper of keepers) await keeper.erase(accountId);
    });
    await ensureOwner();
    await store.end(accountId);
    const at = new Date(clock.now()).toISOString();
    return {
      receipt: await receipts.sign({ event: 'account.erased', account: accountId, at }),
      retained: keepers.flatMap(({ retained }) => retained ?? []),
    };
  }

  /** Together with whoever does the same already. */
  function finishOnce(accountId: AccountId): Promise<Erased> {
    const known = running.get(accountId);
    if (known !== undefined) return known;
    const work = finish(accountId).finally(() => running.delete(accountId));
    running.set(accountId, work);
    return work;
  }

  return {
    async erase(accountId) {
      await refuseLastOwner(options, accountId);
      await store.begin(accountId);
      endAccess(accountId);
      try {
        return await finishOnce(accountId);
      } catch (cause) {
        throw unfinished(cause);
      }
    },
    async goOn() {
      const count = { finished: 0, left: 0 };
      for (const accountId of await store.pending()) {
        if (running.has(accountId)) continue;
        const end = await finishOnce(accountId).then(
          () => 'finished' as const,
          () => 'left' as const,
        );
        count[end]++;
      }
      if (count.finished > 0) events.emit('rights.erasure_resumed', { count: count.finished });
      if (count.left > 0) events.emit('rights.erasure_unfinished', { count: count.left });
    },
  };
}

/** Goes on with unfinished erasures: before anybody is served, and once an hour. */
export function keepErasing({
  erasure,
  scheduler,
  events,
}: {
  readonly erasure: Pick<Erasure, 'goOn'>;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
}): HourlyWork {
  return hourly(scheduler, async () => {
    await erasure
      .goOn()
      .catch(() => events.emit('server.failed', { code: 'rights.erasure_failed', area: 'rights' }));
  });
}

/** Others would have nobody left who can help them. */
async function refuseLastOwner({ accounts }: ErasureOptions, accountId: AccountId): Promise<void> {
  const all = await accounts.listAccounts();
  const others = all.filter(({ id }) => id !== accountId);
  const isOwner = all.some(({ id, role }) => id === accountId && role === 'owner');
  if (!isOwner || others.length === 0 || others.some(({ role }) => role === 'owner')) return;
  throw new PlatformError({
    kind: 'failed_precondition',
    code: 'account.last_owner',
    message:
      'You are the only owner of this installation, and there are other accounts in it. They have to be erased first.',
  });
}

function unfinished(cause: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'account.erasure_unfinished',
    message:
      'The account is closed for good, but not all of it could be removed yet. The platform tries again every hour; its operator was told.',
    cause,
  });
}
