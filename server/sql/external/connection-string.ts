import { externalErrors } from './external-errors.ts';

/** Where an outside database is and how to enter it. Holds the password: keep it where the string was. */
export interface Target {
  readonly dialect: 'mysql' | 'postgres';
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `verified` unless the string says otherwise. */
  readonly tls: 'verified' | 'unverified' | 'off';
}

const CHARACTERS_MAX = 4096;

/**
 * Reads Go's MySQL form (`user:pass@tcp(host:3306)/db?tls=…`), `mysql://`, `mariadb://` and `postgres://` URLs.
 * Deliberately without the URL parser, which rewrites hosts that should be refused. Throws `sql.bad_connection`,
 * which says nothing of the string.
 */
export function parseConnectionString(text: string): Target {
  if (text.length > CHARACTERS_MAX || /\p{Cc}/u.test(text)) throw malformed();
  const url = /^([a-z]+):\/\/(.*)$/s.exec(text);
  const [, scheme = '', rest = ''] = url ?? [];
  const target = url === null ? parseGoForm(text) : parseUrl(dialectOf(scheme), rest);
  if (target.user === '') throw externalErrors.badConnection('It names no user.');
  if (target.database === '') throw externalErrors.badConnection('It names no database.');
  return target;
}

/** `host:port` as proxies and certificates of addresses write it. */
export function authorityOf({ host, port }: Pick<Target, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const malformed = (): Error =>
  externalErrors.badConnection(
    'It is written like "user:password@tcp(host:3306)/database" or "postgres://user:password@host/database".',
  );

function dialectOf(scheme: string): Target['dialect'] {
  if (scheme === 'mysql' || scheme === 'mariadb') return 'mysql';
  if (scheme === 'postgres' || scheme === 'postgresql') return 'postgres';
  throw externalErrors.badConnection('Its scheme is none of mysql, mariadb, postgres and postgresql.');
}

/**
 * As Go's driver reads it: the database is behind the last slash, the address before it, and only the first colon of
 * what is left ends the user's name. Passwords are written as they are.
 */
function parseGoForm(text: string): Target {
  const slash = text.lastIndexOf('/');
  const [, database, query] = /^([^?]*)(?:\?(.*))?$/.exec(text.slice(slash + 1)) ?? [];
  const left = text.slice(0, Math.max(slash, 0));
  const at = left.lastIndexOf('@');
  const [, protocol = '', address = ''] = /^([a-z0-9]*)\((.*)\)$/.exec(left.slice(at + 1)) ?? [];
  if (protocol === 'unix')
    throw externalErrors.badConnection('Unix sockets cannot be reached; use tcp(host:port).');
  if (slash < 0 || at < 0 || protocol !== 'tcp') throw malformed();
  return {
    dialect: 'mysql',
    ...hostAndPort(address, DEFAULT_PORTS.mysql),
    ...userAndPassword(left.slice(0, at), (part) => part),
    database: decoded(database ?? ''),
    tls: tlsOf('mysql', query),
  };
}

/** The last `@` ends the password, so that one that was not escaped is read all the same. */
function parseUrl(dialect: Target['dialect'], rest: string): Target {
  const at = rest.lastIndexOf('@');
  const [, address = '', database = '', query] =
    /^([^/?]+)\/([^/?]*)(?:\?(.*))?$/.exec(rest.slice(at + 1)) ?? [];
  if (at < 0 || address === '') throw malformed();
  return {
    dialect,
    ...hostAndPort(address, DEFAULT_PORTS[dialect]),
    ...userAndPassword(rest.slice(0, at), decoded),
    database: decoded(database),
    tls: tlsOf(dialect, query),
  };
}

const DEFAULT_PORTS = { mysql: 3306, postgres: 5432 } as const;

/** One host by name or address; lists of hosts and escaped socket paths have other characters. */
function hostAndPort(address: string, defaultPort: number): Pick<Target, 'host' | 'port'> {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::(\d{1,5}))?$/i.exec(address);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65_535) {
    throw externalErrors.badConnection('Its host and port are not those of one server.');
  }
  return { host: host.toLowerCase(), port };
}

function userAndPassword(text: string, decode: (part: string) => string): Pick<Target, 'user' | 'password'> {
  const colon = text.indexOf(':');
  if (colon < 0) return { user: decode(text), password: '' };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function decoded(part: string): string {
  try {
    const plain = decodeURIComponent(part);
    if (!plain.includes('\0')) return plain;
  } catch {
    // Said below.
  }
  throw externalErrors.badConnection(
    'A part of it has a "%" that is not followed by two hexadecimal digits.',
  );
}

/** By name and value: what a parameter means for TLS. */
type TlsValues = Readonly<Record<string, Target['tls']>>;

const GO_TLS: TlsValues = { true: 'verified', false: 'off', 'skip-verify': 'unverified' };
const MYSQL_MODE: TlsValues = {
  disabled: 'off',
  required: 'unverified',
  verify_ca: 'verified',
  verify_identity: 'verified',
};
const POSTGRES_MODE: TlsValues = {
  disable: 'off',
  require: 'unverified',
  'verify-ca': 'verified',
  'verify-full': 'verified',
};

const TLS: Readonly<Record<Target['dialect'], Readonly<Record<string, TlsValues>>>> = {
  mysql: { tls: GO_TLS, 'ssl-mode': MYSQL_MODE, sslmode: MYSQL_MODE },
  postgres: { sslmode: POSTGRES_MODE },
};

/** They set how other drivers read or wait; here that has no meaning, or one of its own. */
const IGNORED: Readonly<Record<Target['dialect'], ReadonlySet<string>>> = {
  mysql: new Set(
    `allownativepasswords charset checkconnliveness clientfoundrows collation columnswithalias interpolateparams loc
    maxallowedpacket parsetime readtimeout rejectreadonly timeout writetimeout`.split(/\s+/),
  ),
  postgres: new Set(['application_name', 'channel_binding', 'connect_timeout']),
};

function tlsOf(dialect: Target['dialect'], query = ''): Target['tls'] {
  let tls: Target['tls'] | undefined;
  for (const parameter of query.split('&').filter((part) => part !== '')) {
    const [name = '', ...value] = parameter.split('=').map(decoded);
    const key = name.toLowerCase();
    if (IGNORED[dialect].has(key)) continue;
    const values = Object.hasOwn(TLS[dialect], key) ? TLS[dialect][key] : undefined;
    if (values === undefined || tls !== undefined) {
      throw externalErrors.badConnection('It has a parameter that is not supported here, or one twice.');
    }
    tls = Object.hasOwn(values, value.join('=').toLowerCase())
      ? values[value.join('=').toLowerCase()]
      : undefined;
    if (tls === undefined) {
      throw externalErrors.badConnection(
        `Its TLS parameter has none of the values ${Object.keys(values).join(', ')}.`,
      );
    }
  }
  return tls ?? 'verified';
}
