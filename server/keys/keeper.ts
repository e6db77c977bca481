import type { Keeper } from '../rights/keepers.ts';
import type { KeyRing } from './key-ring.ts';

/** Comes first: from here on nothing that the account has sealed opens, backups included. */
export function createKeysKeeper(keyRing: Pick<KeyRing, 'destroyAccount'>): Keeper {
  return {
    area: 'keys',
    tables: ['keys.wrapped_key'],
    erase: (accountId) => keyRing.destroyAccount(accountId),
  };
}
