import { PlatformError, notFound } from '../kernel/errors.ts';
import type { DatabaseKind } from './databases.ts';

export const databaseErrors = {
  /** Missing, foreign and dropped are the same. */
  notFound: (): PlatformError => notFound('database'),
  nameTaken: (): PlatformError =>
    new PlatformError({
      kind: 'already_exists',
      code: 'databases.name_taken',
      message: 'You have a database of this name already. Choose another name, or drop the old one first.',
    }),
  badName: (): PlatformError =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'databases.bad_name',
      message:
        'A database name has 1 to 64 letters, digits, "_", "." or "-" and begins with a letter or digit.',
    }),
  tooMany: (kind: DatabaseKind, max: number): PlatformError =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'databases.too_many',
      message: `An account can have ${max} ${kind} databases. Drop one that you no longer use.`,
    }),
  unreadable: (): PlatformError =>
    new PlatformError({
      kind: 'internal',
      code: 'databases.unreadable',
      message:
        'The list of databases was damaged: an entry does not open under its account’s key. Restore a backup.',
    }),
};
