import type { Keeper } from '../rights/keepers.ts';
import type { Databases } from './databases.ts';

const CATALOGUE = 'databases.database';

export function createVectorsKeeper(databases: Pick<Databases, 'erase'>): Keeper {
  return {
    area: 'vectors',
    tables: [
      CATALOGUE,
      'vectors.document',
      'vectors.record',
      'vectors.vector',
      'vectors.passage',
      'vectors.field',
      'vectors.words',
      'vectors.upload',
      'vectors.staged',
    ],
    erase: (accountId) => databases.erase(accountId, 'vector'),
  };
}

/** The tables in it are their owner's own. */
export function createSqlKeeper(databases: Pick<Databases, 'erase'>): Keeper {
  return {
    area: 'sql',
    tables: [CATALOGUE],
    erase: (accountId) => databases.erase(accountId, 'sql'),
  };
}
