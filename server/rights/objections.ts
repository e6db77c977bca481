import type { AccountId } from '../kernel/ids.ts';

/** What rests on legitimate interest, and may therefore be objected to (Article 21 GDPR). */
export type ObjectionPurpose = 'origin-ip' | 'statistics';

/** Durable when a promise resolves. */
export interface ObjectionStore {
  list(): Promise<readonly { readonly accountId: AccountId; readonly purpose: ObjectionPurpose }[]>;
  /** No error if it is there. */
  insert(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
  /** No error if there is none. */
  remove(accountId: AccountId, purpose: ObjectionPurpose): Promise<void>;
}

/** Who has objected to what; asked wherever data is used for one of these purposes. */
export interface Objections {
  has(accountId: AccountId, purpose: ObjectionPurpose): boolean;
  of(accountId: AccountId): ObjectionPurpose[];
  /** All who have. */
  accounts(purpose: ObjectionPurpose): ReadonlySet<AccountId>;
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
    of: (accountId) =>
      (['origin-ip', 'statistics'] as const).filter((purpose) => made[purpose].has(accountId)),
    accounts: (purpose) => made[purpose],
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
