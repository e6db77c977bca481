import type { Holder } from '../accounts/principal.ts';
import type { Database, DatabaseFile, Databases, DatabaseSettings } from '../databases/databases.ts';
import type { VectorDatabase } from './vectors.ts';

/** A database with the key that opens its file. */
export interface OpenedVectors {
  readonly database: VectorDatabase;
  readonly file: DatabaseFile;
}

/** Opens a database for some work and wipes the key after it. */
export async function withDatabase<T>(
  databases: Pick<Databases, 'open'>,
  holder: Holder,
  name: string,
  work: (opened: OpenedVectors) => Promise<T>,
): Promise<T> {
  const { database, file } = await databases.open(holder, 'vector', name);
  try {
    return await work({ database: vectorDatabase(database), file });
  } finally {
    file.key.fill(0);
  }
}

export function settingsOf(database: Omit<VectorDatabase, 'name' | 'createdAt'>): DatabaseSettings {
  const { kind, dimensions, metric, model, resolver } = database;
  return { kind, dimensions, metric, model, resolver };
}

/** Settings come back as `settingsOf` wrote them: they are sealed. */
export function vectorDatabase({ name, createdAt, settings }: Database): VectorDatabase {
  return { name, createdAt, ...(settings as unknown as Omit<VectorDatabase, 'name' | 'createdAt'>) };
}
