import { PlatformError } from '../kernel/errors.ts';

/** What the service refuses or gives up; guards and engines have further errors of their own. */
export const sqlErrors = {
  cancelled: (): PlatformError =>
    new PlatformError({
      kind: 'cancelled',
      code: 'sql.cancelled',
      message: 'The request was cancelled: its client has left.',
    }),
  deadline: (deadlineMs: number): PlatformError =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'sql.deadline',
      owner: 'provider',
      message: `The request was not complete within ${deadlineMs / 1000} seconds. Ask for less.`,
    }),
  noTables: (): PlatformError =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'sql.no_tables',
      message: 'A question to an outside database names the tables that it may read.',
    }),
  unknownTable: (): PlatformError =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'sql.unknown_table',
      message: 'The database has no table or view of a name that was given. Look at its schema.',
    }),
  schemaTooLarge: (): PlatformError =>
    new PlatformError({
      kind: 'too_large',
      code: 'sql.schema_too_large',
      message: 'The named tables have more columns than a model can be shown. Name fewer tables.',
    }),
  /** `reason` is the guard's or the database's, without values. */
  noStatement: (reason: string): PlatformError =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sql.no_statement',
      owner: 'provider',
      message:
        'The model wrote no statement that could be run, not even when it was told what was wrong. ' +
        `Ask more precisely, or choose a stronger model. The last reason: ${reason}`,
    }),
};
