import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../kernel/clock.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';

/** Durable when a promise resolves. */
export interface RestrictionStore {
  list(): Promise<readonly { readonly accountId: AccountId; readonly since: number }[]>;
  insert(accountId: AccountId, since: number): Promise<void>;
  /** No error if there is none. */
  remove(accountId: AccountId): Promise<void>;
}

/**
 * Accounts whose data is kept and not used (Article 18 GDPR). Whatever gives or changes something of an account asks here
 * first; what the person himself wants with it is marked as his own act.
 */
export interface Restriction {
  /** Throws `account.restricted` outside of the account's own acts. */
  check(accountId: AccountId): void;
  /** For what goes over many accounts and leaves these out. */
  isRestricted(accountId: AccountId): boolean;
  accounts(): AccountId[];
  /** Since when, in epoch milliseconds. */
  since(accountId: AccountId): number | undefined;
  /** Runs `work` as an act of the account itself: `check` lets it pass. */
  asOwnAct<T>(accountId: AccountId, work: () => Promise<T>): Promise<T>;
  /** In force when it resolves. No error if it is already. */
  restrict(accountId: AccountId): Promise<void>;
  lift(accountId: AccountId): Promise<void>;
  /** Hears of each change before it is answered: what runs by itself for the account rests, and goes on. */
  onChanged(listener: (accountId: AccountId, isRestricted: boolean) => Promise<void>): void;
}

export interface RestrictionOptions {
  readonly store: RestrictionStore;
  readonly clock: Pick<Clock, 'now'>;
}

/** Restrictions are all in memory, so that asking costs nothing. */
export async function createRestriction({ store, clock }: RestrictionOptions): Promise<Restriction> {
  const restricted = new Map((await store.list()).map(({ accountId, since }) => [accountId, since]));
  const acting = new AsyncLocalStorage<AccountId>();
  const listeners: ((accountId: AccountId, isRestricted: boolean) => Promise<void>)[] = [];
  const tell = async (accountId: AccountId): Promise<void> => {
    for (const listener of listeners) await listener(accountId, restricted.has(accountId));
  };
  return {
    check(accountId) {
      if (restricted.has(accountId) && acting.getStore() !== accountId) throw accountRestricted();
    },
    isRestricted: (accountId) => restricted.has(accountId),
    accounts: () => [...restricted.keys()],
    since: (accountId) => restricted.get(accountId),
    asOwnAct: (accountId, work) => acting.run(accountId, work),
    async restrict(accountId) {
      if (restricted.has(accountId)) return;
      const since = clock.now();
      restricted.set(accountId, since);
      try {
        await store.insert(accountId, since);
      } catch (thrown) {
        restricted.delete(accountId);
        throw thrown;
      }
      await tell(accountId);
    },
    async lift(accountId) {
      await store.remove(accountId);
      restricted.delete(accountId);
      await tell(accountId);
    },
    onChanged: (listener) => void listeners.push(listener),
  };
}

function accountRestricted(): PlatformError {
  return new PlatformError({
    kind: 'locked',
    code: 'account.restricted',
    message:
      'The data of this account is restricted (Article 18 GDPR): it is kept and not used. Its holder can lift that in the portal, or with DELETE /api/v1/rights/restriction.',
  });
}
