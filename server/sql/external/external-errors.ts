import { type ErrorKind, PlatformError } from '../../kernel/errors.ts';
import { sqlErrors } from '../errors.ts';

/** What outside databases and the way to them fail with; none of them holds a word of the connection or of a row. */
export const externalErrors = {
  badConnection: (reason: string) =>
    caller('bad_connection', 'invalid_argument', `The connection string cannot be used. ${reason}`),
  addressRefused: () =>
    caller(
      'address_refused',
      'permission_denied',
      'The address of the database is not a public one. The operator can open private addresses with the setting sqlAllowedHosts.',
    ),
  unreachable: () =>
    caller(
      'unreachable',
      'bad_gateway',
      'The database cannot be reached, or ended the connection. Check host, port and firewall.',
    ),
  loginFailed: () =>
    caller(
      'login_failed',
      'permission_denied',
      'The database refused the login. Check user, password and the name of the database.',
    ),
  tlsFailed: () =>
    caller(
      'tls_failed',
      'bad_gateway',
      'No connection with a trusted certificate could be made. Check the certificate; the connection string can also say that TLS is not verified, or off.',
    ),
  tooPowerful: () =>
    caller(
      'too_powerful',
      'failed_precondition',
      'The account of the database may do more than work with its tables (FILE, SUPER, PROCESS, superuser and the like). Use one that may only read the tables in question.',
    ),
  timeout: () =>
    caller(
      'timeout',
      'deadline_exceeded',
      'The statement took longer than it may and was ended. Ask for less, or add an index.',
    ),
  busy: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'sql.busy',
      message: 'Too many questions to databases are being answered. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
  notStarted: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'sql.not_started',
      message:
        'The process that asks the database could not be started. Try again; if it stays, tell the operator.',
      retryAfterSeconds: 5,
    }),
  refused: (reason: string) =>
    caller('refused', 'permission_denied', `The statement is not allowed: ${reason}.`),
  failed: (reason: string) => caller('failed', 'invalid_argument', `The statement cannot be run: ${reason}.`),
};

function caller(what: string, kind: ErrorKind, message: string): PlatformError {
  return new PlatformError({ kind, code: `sql.${what}`, message, owner: 'caller' });
}

/** What the jail tells of a failure: words of the lists below, and one of the statement. */
export interface Failure {
  readonly code: string;
  readonly reason?: unknown;
  readonly near?: unknown;
}

/** Why the guard said no, for whoever writes the next statement. */
const REFUSALS: Readonly<Record<string, string>> = {
  not_one_statement: 'it has to be one statement',
  not_a_select: 'only SELECT statements are',
  table: 'it reads a table that was not named',
  function: 'it calls a function that is not among those allowed',
  type: 'it casts to a type that is not among those allowed',
  padding: 'the length has to be a number of at most 10,000, written out',
  lock: 'it locks rows',
  into: 'it writes with INTO',
  variable: 'it uses a variable',
  executable_comment: 'it has a comment that would be run',
  unparsable: 'it cannot be read as a plain SELECT statement',
  construct: 'it has a part that is not among those allowed',
  too_long: 'it is too long',
  bad_text: 'it has characters that no statement has',
};

/** Why the database said no. */
const FAILURES: Readonly<Record<string, string>> = {
  no_such_column: 'there is no such column',
  no_such_table: 'there is no such table',
  no_such_function: 'there is no such function for these arguments',
  ambiguous_column: 'a column is in more than one table; say of which',
  grouping: 'a column has to be in GROUP BY or in an aggregate',
  syntax: 'it has a syntax error',
  types: 'the types do not fit; use a cast',
  columns_differ: 'the queries or values do not have the same number of columns',
  duplicate_name: 'a name is given twice',
  several_rows: 'a subquery gives more than one row',
  division_by_zero: 'it divides by zero; use NULLIF',
  bad_value: 'a value does not fit its type',
  no_permission: 'the account may not read that',
  read_only: 'it would write',
  too_large: 'a value, or what it needs in memory, is too large',
  other: 'the database gave no reason that can be told',
};

/** `sql` is the statement that was sent: only a word of it is ever repeated. */
export function externalFailure({ code, reason, near }: Failure, sql = ''): PlatformError {
  if (code === 'sql.refused')
    return externalErrors.refused(sentence(REFUSALS, reason, 'construct') + nearby(near, sql));
  if (code === 'sql.failed')
    return externalErrors.failed(sentence(FAILURES, reason, 'other') + nearby(near, sql));
  return (OTHERS[code] ?? externalErrors.unreachable)();
}

const OTHERS: Readonly<Partial<Record<string, () => PlatformError>>> = {
  'sql.address_refused': externalErrors.addressRefused,
  'sql.login_failed': externalErrors.loginFailed,
  'sql.tls_failed': externalErrors.tlsFailed,
  'sql.too_powerful': externalErrors.tooPowerful,
  'sql.timeout': externalErrors.timeout,
  'sql.unknown_table': sqlErrors.unknownTable,
};

function sentence(texts: Readonly<Record<string, string>>, reason: unknown, fallback: string): string {
  const known = typeof reason === 'string' && Object.hasOwn(texts, reason) ? reason : fallback;
  return texts[known] ?? '';
}

const NEAR_CHARACTERS_MAX = 64;

function nearby(near: unknown, sql: string): string {
  const isOfStatement =
    typeof near === 'string' &&
    near.length > 0 &&
    near.length <= NEAR_CHARACTERS_MAX &&
    sql.toLowerCase().includes(near.toLowerCase());
  return isOfStatement ? ` ("${near}")` : '';
}
