import type { Keeper } from '../rights/keepers.ts';

/** Backups hold ciphertext alone, which the destruction of keys has emptied. */
export const backupsKeeper: Keeper = {
  area: 'backups',
  tables: ['backups.access'],
  erase: async () => undefined,
  retained: [
    {
      what: 'The account’s id in the log of accesses to backups, where it has made, approved or read any',
      reason: 'Art. 17(3)(e) GDPR: an entry taken out would break the proof of all others.',
    },
  ],
};
