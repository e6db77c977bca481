import type { AccountId } from '../kernel/ids.ts';
import type { Restriction } from './restriction.ts';

/**
 * A store, or a service over one, each of whose operations first asks whether the account that it is for may be used. Which
 * account that is says its first argument: an id, or whatever carries one.
 */
export function guarded<Store extends object>(store: Store, { check }: Pick<Restriction, 'check'>): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        const accountId = accountOf(given[0]);
        if (accountId !== undefined) check(accountId);
        return Reflect.apply(member, target, given);
      };
    },
  });
}

function accountOf(given: unknown): AccountId | undefined {
  if (typeof given === 'string') return given.startsWith('acct_') ? (given as AccountId) : undefined;
  if (typeof given !== 'object' || given === null) return undefined;
  if ('accountId' in given) return accountOf(given.accountId);
  return 'principal' in given ? accountOf(given.principal) : undefined;
}
