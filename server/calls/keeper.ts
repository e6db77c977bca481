import type { Keeper } from '../rights/keepers.ts';
import type { CallStore } from './call-record.ts';

export function createCallsKeeper(store: Pick<CallStore, 'eraseAccount'>): Keeper {
  return {
    area: 'calls',
    tables: ['calls.call'],
    erase: (accountId) => store.eraseAccount(accountId),
  };
}
