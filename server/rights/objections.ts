import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { ObjectionPurpose } from './request-rows.ts';

/** Durable when a promise resolves. */
export interface ObjectionStore {
  list(): Promise<readonly { readonly accountId: AccountId; readonly purpose: ObjectionPurpose }[]>;
  /** No error if it is there. */
  insert(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
  /** No error if there is none. */
  remove(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
}

/** Who has objected to what (Article 21 GDPR); asked wherever data is used for one of these purposes. */
export interface Objections {
  has(accountId: AccountId, purpose: ObjectionPurpose): boolean;
  /** Throws `account.statistics_objected`. */
  checkStatistics(accountId: AccountId): void;
  of(accountId: AccountId): ObjectionPurpose[];
  /** In force when it resolves. */
  object(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
  withdraw(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
}

/** Objections are all in memory, so that asking costs nothing. */
export async function createObjections(store: ObjectionStore): Promise<Objections> {
  const made: Record<ObjectionPurpose, Set<AccountId>> = { 'origin-ip': new Set(), statistics: new Set() };
  for (const { accountId, purpose } of await store.list()) made[purpose].add(accountId);
  return {
    has: (accountId, purpose) => made[purpose].has(accountId),
    checkStatistics(accountId) {
      if (made.statistics.has(accountId)) throw statisticsObjected();
    },
    of: (accountId) =>
      (['origin-ip', 'statistics'] as const).filter((purpose) => made[purpose].has(accountId)),
    async object(accountId, purpose) {
      await store.insert(accountId, purpose);
      made[purpose].add(accountId);
    },
    async withdraw(accountId, purpose) {
      await store.remove(accountId, purpose);
      made[purpose].delete(accountId);
    },
  };
}

function statisticsObjected(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'account.statistics_objected',
    message:
      'You have objected to statistics (Article 21 GDPR), so nothing is computed from the records of your calls. You can take that back: DELETE /api/v1/rights/objections/statistics.',
  });
}
