import { type ErrorOptions, PlatformError } from '../../kernel/errors.ts';
import { sqlErrors } from '../errors.ts';

function managedError(what: string, meaning: Omit<ErrorOptions, 'code'>): PlatformError {
  return new PlatformError({ ...meaning, code: `sql.${what}` });
}

/** What managed databases refuse or give up. */
export const managedErrors = {
  timeout: (): PlatformError =>
    managedError('timeout', {
      kind: 'deadline_exceeded',
      owner: 'caller',
      message:
        'The statement took longer than it may and was ended; nothing of it stays. Ask for less at once.',
    }),
  outOfMemory: (): PlatformError =>
    managedError('out_of_memory', {
      kind: 'resource_exhausted',
      message:
        'The statement needed more memory than there is and was ended; nothing of it stays. Ask for less at once.',
    }),
  interrupted: (): PlatformError =>
    managedError('interrupted', {
      kind: 'unavailable',
      message:
        'The process of this database ended meanwhile; what was not answered did not happen. Try again.',
      retryAfterSeconds: 1,
    }),
  notStarted: (): PlatformError =>
    managedError('not_started', {
      kind: 'unavailable',
      message:
        'The process of this database could not be started. Try again; if it stays, tell the operator.',
      retryAfterSeconds: 5,
    }),
  failedItself: (): PlatformError =>
    managedError('engine_failed', {
      kind: 'internal',
      message:
        'The database engine could not do this, and nothing of it was done. Tell the operator if it stays.',
    }),
  busy: (): PlatformError =>
    managedError('busy', {
      kind: 'resource_exhausted',
      message:
        'Too much waits for this database, or all places for databases are taken. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
  stalled: (): PlatformError =>
    managedError('stalled', {
      kind: 'deadline_exceeded',
      owner: 'caller',
      message:
        'Rows were not read, or text was not sent, for too long, so the work was ended; an import leaves nothing.',
    }),
  tooLarge: (part: string): PlatformError =>
    managedError('too_large', { kind: 'too_large', message: `The request is too large: ${part}.` }),
  badMigration: (): PlatformError =>
    managedError('bad_migration', {
      kind: 'invalid_argument',
      message:
        'A migration has an id of 1 to 64 letters, digits, "_" and "-", and no other one has the same.',
    }),
  wrongKey: (): PlatformError =>
    managedError('wrong_key', {
      kind: 'failed_precondition',
      owner: 'platform',
      message: 'The database does not open with its key. Restore key and database from one backup.',
    }),
  refused: (because: string): PlatformError =>
    managedError('refused', {
      kind: 'permission_denied',
      message: `The statement is not allowed${because}.`,
    }),
};

/** What the engine reports, by its own codes (guest/sqlite); `because` begins with a colon, or is empty. */
const FAULTS = new Map<string, (because: string) => PlatformError>([
  ['refused', managedErrors.refused],
  ['unknown_table', () => sqlErrors.unknownTable()],
  ['out_of_memory', managedErrors.outOfMemory],
  ['writing_elsewhere', managedErrors.busy],
  ['too_many_readers', managedErrors.busy],
  [
    'failed',
    (because) =>
      managedError('failed', { kind: 'invalid_argument', message: `The statement cannot be run${because}.` }),
  ],
  [
    'constraint',
    (because) =>
      managedError('constraint', { kind: 'conflict', message: `The database does not take it${because}.` }),
  ],
  [
    'bad_parameters',
    () =>
      managedError('bad_parameters', {
        kind: 'invalid_argument',
        message: 'The parameters do not fit the statement: one value for each, of a kind that SQLite knows.',
      }),
  ],
  [
    'bad_import',
    (because) =>
      managedError('bad_import', {
        kind: 'invalid_argument',
        message: `The text cannot be imported${because}.`,
      }),
  ],
  [
    'migration_changed',
    () =>
      managedError('migration_changed', {
        kind: 'conflict',
        message:
          'A migration that was applied has another text now. Leave it as it was, and add another one.',
      }),
  ],
  [
    'database_full',
    () =>
      managedError('database_full', {
        kind: 'resource_exhausted',
        message: 'The database has reached its size, or the disk is full. Delete what is not needed.',
      }),
  ],
  [
    'value_too_large',
    () =>
      managedError('value_too_large', { kind: 'too_large', message: 'A value is longer than SQLite takes.' }),
  ],
  [
    'row_too_large',
    () =>
      managedError('row_too_large', {
        kind: 'too_large',
        message:
          'A row is longer than can be sent in one piece. Ask for fewer columns, or for parts of them.',
      }),
  ],
  ['wrong_key', managedErrors.wrongKey],
  [
    'damaged',
    () =>
      managedError('damaged', {
        kind: 'unavailable',
        message: 'The file of the database is damaged or missing. Restore a backup.',
      }),
  ],
  [
    'not_secured',
    () =>
      managedError('not_secured', {
        kind: 'unavailable',
        message: 'The database cannot be opened with all its protections, so it is not opened at all.',
      }),
  ],
]);

export interface FaultFrame {
  readonly code: string;
  /** Without values, and without names that the caller did not write. */
  readonly reason: string;
  /** Which of several statements, or where in a text. */
  readonly where: string;
}

/** Says what the engine reports; what is not in the table is a fault of the engine itself. */
export function errorOfFault({ code, reason, where }: FaultFrame): PlatformError {
  const said = [where, reason].filter((part) => part !== '').join(', ');
  return FAULTS.get(code)?.(said === '' ? '' : `: ${said.slice(0, 500)}`) ?? managedErrors.failedItself();
}
