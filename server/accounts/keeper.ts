import type { Keeper } from '../rights/keepers.ts';
import type { AccountStore } from './account-store.ts';

/** Comes last: until then the account is there to be finished with. */
export function createAccountsKeeper(store: Pick<AccountStore, 'forgetAccount'>): Keeper {
  return {
    area: 'accounts',
    tables: [
      'accounts.account',
      'accounts.api_key',
      'accounts.identity',
      'accounts.account_model',
      'accounts.rights_request',
      'accounts.erasure',
      'accounts.restriction',
      'accounts.objection',
    ],
    erase: (accountId) => store.forgetAccount(accountId),
  };
}
