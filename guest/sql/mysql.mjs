import mysql from 'mysql2';
import { binary, integer, isCutAt, rowsWithin } from './values.mjs';

/** One connection to a MySQL or MariaDB server. Statements are prepared: the server takes one at a time so. */
export async function openMysql(target, dial, limits) {
  const stream = await dial();
  const connection = await connect(target, stream);
  const ask = (sql, values = []) => rowsOf(connection, 'execute', sql, values);
  const [[version, database, folding, id]] = await ask(
    'SELECT VERSION(), DATABASE(), @@lower_case_table_names, CONNECTION_ID()',
  );
  const server = { database, foldsCase: folding !== 0, isMariaDb: version.includes('MariaDB') };
  for (const setting of settings(limits, server)) await rowsOf(connection, 'query', setting);
  return {
    isTooPowerful: () => isTooPowerful((sql) => rowsOf(connection, 'query', sql)),
    tables: (names) => describe(ask, names, server),
    read: (sql) => read({ connection, stream, limits }, sql),
    cancel: () => cancel(id, target, dial),
    close: () => stream.destroy(),
  };
}

async function connect({ host, user, password, database, tls }, stream) {
  const connection = mysql.createConnection({
    stream,
    host,
    user,
    password,
    database,
    ssl: tls === 'off' ? undefined : { rejectUnauthorized: tls === 'verified', verifyIdentity: tls === 'verified' },
    charset: 'utf8mb4',
    // Even the server's wish to have a file is refused.
    flags: ['-LOCAL_FILES', '-MULTI_STATEMENTS'],
    infileStreamFactory: undefined,
    disableEval: true,
    rowsAsArray: true,
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  await new Promise((resolve, reject) => connection.once('connect', resolve).once('error', reject));
  // What fails is told by the call that waits for it; without a listener the process would end.
  connection.on('error', () => {});
  return connection;
}

function rowsOf(connection, method, sql, values = []) {
  return new Promise((resolve, reject) => {
    connection[method](sql, values, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

/** `"` is for strings and `\` escapes in them: so the guard has read the statement. */
const settings = ({ statementMs, rowsMax }, { isMariaDb }) => [
  `SET SESSION sql_mode = IF(FIND_IN_SET('ONLY_FULL_GROUP_BY', @@sql_mode), 'ONLY_FULL_GROUP_BY', '')`,
  isMariaDb
    ? `SET SESSION max_statement_time = ${statementMs / 1000}, SESSION max_recursive_iterations = 100000`
    : `SET SESSION max_execution_time = ${statementMs}`,
  `SET SESSION lock_wait_timeout = ${Math.ceil(statementMs / 1000)}, SESSION sql_select_limit = ${rowsMax + 1}`,
  'SET SESSION TRANSACTION READ ONLY',
];

/** What may be granted on all databases; whatever else is, reaches beyond rows. */
const ORDINARY = new Set([
  ...['USAGE', 'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'SHOW VIEW', 'SHOW DATABASES', 'CREATE', 'DROP', 'ALTER', 'INDEX'],
  ...['REFERENCES', 'CREATE TEMPORARY TABLES', 'LOCK TABLES', 'EXECUTE', 'CREATE VIEW', 'CREATE ROUTINE', 'ALTER ROUTINE'],
  ...['EVENT', 'TRIGGER', 'DELETE HISTORY', 'DELETE VERSIONING ROWS'],
]);
const ROLE_DEPTH_MAX = 5;

async function isTooPowerful(ask, of = '', depth = 0) {
  if (depth > ROLE_DEPTH_MAX) return true;
  for (const [grant] of await ask(`SHOW GRANTS${of}`)) {
    const [, privileges, where] = /^GRANT (.+?) ON (.+?) TO /s.exec(grant) ?? [];
    if (privileges === undefined) {
      for (const role of rolesOf(grant)) {
        // A role that cannot be looked at may hold anything.
        if (await isTooPowerful(ask, ` FOR ${role}`, depth + 1).catch(() => true)) return true;
      }
    } else if (reaches(privileges, where, grant)) return true;
  }
  return false;
}

const rolesOf = (grant) =>
  grant.slice(0, grant.lastIndexOf(' TO ')).match(/`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?/g) ?? [];

function reaches(privileges, where, grant) {
  if (privileges === 'PROXY') return true;
  return where === '*.*' && (grant.includes(' WITH GRANT OPTION') || !privileges.split(', ').every((p) => ORDINARY.has(p)));
}

async function read({ connection, stream, limits }, sql) {
  await rowsOf(connection, 'query', 'START TRANSACTION READ ONLY');
  const result = rowsWithin(limits);
  let fields = [];
  const fetchAll = () =>
    new Promise((resolve, reject) => {
      connection
        .execute(sql)
        .on('fields', (found) => (fields = found ?? fields))
        .on('result', (row) => {
          if (!Array.isArray(row)) return reject(new Error('the statement answers no rows'));
          if (!result.add(row.map((value, i) => valueOf(value, fields[i].columnType)))) resolve();
        })
        .on('end', resolve)
        .on('error', reject);
      stream.once('close', () => reject(new Error('the connection ended')));
    });
  // Rows keep the bound themselves; this one is for values that are never complete, and leaves room for what JSON adds.
  const isCut = await isCutAt(stream, limits.bytesMax * 4, fetchAll);
  return result.result(
    fields.map(({ name }) => name),
    isCut,
  );
}

const BIGINT = 8;
const BIT = 16;

function valueOf(value, type) {
  if (value === null || typeof value === 'number') return value;
  if (type === BIT) return integer(BigInt(`0x${value.toString('hex') || 0}`).toString());
  if (Buffer.isBuffer(value)) return binary(value);
  if (type === BIGINT) return integer(String(value));
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

async function cancel(id, target, dial) {
  const stream = await dial();
  const connection = await connect(target, stream);
  await rowsOf(connection, 'query', `KILL CONNECTION ${Number(id)}`);
  stream.destroy();
}

const TABLES = `
  SELECT TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`;
const COLUMNS = `
  SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, COLUMN_COMMENT FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION LIMIT 500`;
const FOREIGN_KEYS = `
  SELECT COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND REFERENCED_TABLE_SCHEMA = DATABASE() LIMIT 500`;

/** Undefined when one of them does not exist. */
async function describe(ask, names, { database, foldsCase }) {
  const same = foldsCase ? (a, b) => a.toLowerCase() === b.toLowerCase() : (a, b) => a === b;
  const schema = [];
  for (const name of names) {
    const bare = name.startsWith(`${database}.`) ? name.slice(database.length + 1) : name;
    // The catalogue compares without case whatever the server does elsewhere.
    const found = (await ask(TABLES, [bare])).find(([table]) => same(table, bare));
    if (found === undefined) return undefined;
    schema.push(await tableOf(ask, found));
  }
  return { schema, allowed: { tables: schema.map(({ name }) => name), database, foldsCase } };
}

async function tableOf(ask, [name, type, comment]) {
  const columns = await ask(COLUMNS, [name]);
  const foreignKeys = await ask(FOREIGN_KEYS, [name]);
  const isView = type !== 'BASE TABLE';
  return {
    name,
    kind: isView ? 'view' : 'table',
    // Views have "VIEW" there.
    comment: isView || comment === '' ? null : comment,
    columns: columns.map(([column, columnType, nullable, key, remark]) => ({
      name: column,
      type: columnType,
      nullable: nullable === 'YES',
      primaryKey: key === 'PRI',
      comment: remark === '' ? null : remark,
    })),
    foreignKeys: foreignKeys.map(([column, table, references]) => ({ column, table, references })),
  };
}
