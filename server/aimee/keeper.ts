import type { Keeper } from '../rights/keepers.ts';
import type { Aimee } from './create-aimee.ts';

export function createAimeeKeeper(aimee: Pick<Aimee, 'erase'>): Keeper {
  return {
    area: 'aimee',
    tables: [
      'aimee-sites.site',
      'aimee.customer',
      'aimee.site',
      'aimee.conversation',
      'aimee.entry',
      'aimee.note',
      'aimee.visitor_request',
      'aimee.counter',
      'aimee.support_grant',
      'aimee.access',
    ],
    erase: (accountId) => aimee.erase(accountId),
  };
}
