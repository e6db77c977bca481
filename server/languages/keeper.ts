import type { Keeper } from '../rights/keepers.ts';
import type { Languages } from './languages.ts';

export function createLayersKeeper(languages: Pick<Languages, 'forget'>): Keeper {
  return {
    area: 'layers',
    tables: [],
    erase: (accountId) => languages.forget(accountId),
    retained: [
      {
        what: 'Public packages that functions depended on, which name nobody',
        reason: 'They are shared by content; a start removes those that no function uses any more.',
      },
    ],
  };
}
