import { Refused } from './guard/refused.mjs';
import { Unreachable } from './tunnel.mjs';
import { TooLarge } from './values.mjs';

/** A failure that says itself what it is. */
export class Told extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * What a driver threw, as a code and a reason of server/sql/external/external-errors.ts. Texts of drivers and servers
 * hold values, hosts and names, and go no further than here; only a name that stands in the statement itself is told.
 */
export function failureOf(error, { isConnecting, sql = '' }) {
  if (error instanceof Told) return { code: error.code };
  if (error instanceof Refused) return { code: 'sql.refused', reason: error.reason, near: error.near };
  if (error instanceof TooLarge) return { code: 'sql.failed', reason: 'too_large' };
  if (error instanceof Unreachable) return { code: error.isRefused ? 'sql.address_refused' : 'sql.unreachable' };
  const told = String(error?.code ?? '');
  if (isConnecting) return { code: connectingCode(error, told) };
  if (TIMEOUTS.has(told) || TIMEOUTS.has(error?.errno)) return { code: 'sql.timeout' };
  if (error?.fatal === true || !(error?.errno || error?.severity)) return { code: 'sql.unreachable' };
  const reason = POSTGRES_REASONS[told] ?? MYSQL_REASONS[error.errno] ?? classOf(told) ?? 'other';
  return { code: 'sql.failed', reason, near: nameIn(sql, error) };
}

const LOGIN = new Set([1044, 1045, 1049, 1130, 1698, 1862, 3118, 3955]);
const TLS_CODES = /^(CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_|HANDSHAKE_NO_SSL|HANDSHAKE_SSL|EPROTO)/;
const TLS_TEXTS = /SSL connection|does not support secure/;

function connectingCode(error, told) {
  if (LOGIN.has(error?.errno) || /^(28|3D)/.test(told)) return 'sql.login_failed';
  const texts = `${error?.message ?? ''} ${error?.cause?.code ?? ''}`;
  if (TLS_CODES.test(told) || TLS_TEXTS.test(texts)) return 'sql.tls_failed';
  // A login that the driver did not want to go on with: a plugin that would tell the password, for example.
  if (/^AUTH_SWITCH|SASL|authentication/i.test(`${told} ${texts}`)) return 'sql.login_failed';
  return 'sql.unreachable';
}

/** MariaDB's max_statement_time, MySQL's max_execution_time, killed; Postgres' query_canceled, lock_not_available. */
const TIMEOUTS = new Set([1969, 3024, 1317, 1205, '57014', '55P03']);

const POSTGRES_REASONS = {
  '42703': 'no_such_column',
  '42P01': 'no_such_table',
  '42883': 'no_such_function',
  '42702': 'ambiguous_column',
  '42P09': 'ambiguous_column',
  '42803': 'grouping',
  '42601': 'syntax',
  '42804': 'types',
  '42846': 'types',
  '42725': 'types',
  '42501': 'no_permission',
  '25006': 'read_only',
  '22012': 'division_by_zero',
  '21000': 'several_rows',
  '53200': 'too_large',
};

const MYSQL_REASONS = {
  1054: 'no_such_column',
  1146: 'no_such_table',
  1305: 'no_such_function',
  1630: 'no_such_function',
  1052: 'ambiguous_column',
  1055: 'grouping',
  1056: 'grouping',
  1111: 'grouping',
  1140: 'grouping',
  1064: 'syntax',
  1060: 'duplicate_name',
  1066: 'duplicate_name',
  1222: 'columns_differ',
  1241: 'columns_differ',
  1242: 'several_rows',
  1142: 'no_permission',
  1143: 'no_permission',
  1370: 'no_permission',
  1227: 'no_permission',
  1792: 'read_only',
  1365: 'division_by_zero',
  1690: 'bad_value',
};

/** Values that do not fit, by the class that the standard gives them. */
const classOf = (state) => (/^22/.test(state) ? 'bad_value' : undefined);

/** Quoted in MySQL's text, pointed at in Postgres' position. */
function nameIn(sql, { position, sqlMessage, sqlState }) {
  if (position !== undefined) return /^[\w."]+/.exec(sql.slice(Number(position) - 1))?.[0];
  const [, quoted] = /'([\w.$ ]+)'/.exec(sqlMessage ?? '') ?? [];
  return sqlState === '42S22' && quoted !== undefined && sql.includes(quoted) ? quoted : undefined;
}
