import net from 'node:net';
import tls from 'node:tls';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { binary, integer, isCutAt, rowsWithin } from './values.mjs';

/** One connection to a Postgres server. Only the extended protocol carries statements: it takes one at a time. */
export async function openPostgres(target, dial, limits) {
  const stream = await dial();
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    ssl: target.tls === 'off' ? false : { rejectUnauthorized: target.tls === 'verified' },
    stream: () => connected(stream),
    enableChannelBinding: target.tls === 'verified',
    types: { getTypeParser: () => (text) => text },
  });
  // What fails is told by the call that waits for it; without a listener the process would end.
  client.on('error', () => {});
  await client.connect();
  const ask = async (text, values = []) => {
    const { rows } = await client.query({ text, values, rowMode: 'array', queryMode: 'extended' });
    return rows;
  };
  return {
    isTooPowerful: async () => (await ask(TOO_POWERFUL))[0][0] === 't',
    tables: (names) => describe(ask, names),
    read: (sql) => read({ client, stream, limits }, sql),
    cancel: () => cancel(client, target, dial),
    close: () => stream.destroy(),
  };
}

/** The driver wants to connect itself; this socket is connected already. */
function connected(stream) {
  stream.connect = () => process.nextTick(() => stream.emit('connect'));
  return stream;
}

/** Whether the role, or one that it could become, may do more than work with its tables. */
const TOO_POWERFUL = `SELECT EXISTS (
  SELECT FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER') AND (
    r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolname IN ('pg_read_server_files', 'pg_write_server_files',
    'pg_execute_server_program', 'pg_signal_backend', 'pg_checkpoint', 'pg_maintain', 'rds_superuser', 'cloudsqlsuperuser',
    'azure_pg_admin', 'neon_superuser')))`;

const settings = ({ statementMs }) => `
  BEGIN READ ONLY;
  SET LOCAL statement_timeout = ${statementMs};
  SET LOCAL lock_timeout = ${statementMs};
  SET LOCAL idle_in_transaction_session_timeout = ${statementMs};
  SET LOCAL standard_conforming_strings = on;
  SET LOCAL bytea_output = 'hex';
  SET LOCAL datestyle = 'ISO';
  SELECT pg_catalog.set_config(name, '500ms', true) FROM pg_catalog.pg_settings WHERE name = 'client_connection_check_interval'`;

const PORTION_ROWS = 100;

async function read({ client, stream, limits }, sql) {
  await client.query(settings(limits));
  const result = rowsWithin(limits);
  let fields = [];
  const cursor = client.query(new Cursor(sql, [], { rowMode: 'array', types: { getTypeParser: () => (text) => text } }));
  const portion = () =>
    new Promise((resolve, reject) => {
      cursor.read(PORTION_ROWS, (error, rows, { fields: found } = {}) => {
        if (error) return reject(error);
        fields = found ?? fields;
        resolve(rows);
      });
    });
  const fetchAll = async () => {
    for (let rows; (rows = await portion()).length > 0;) {
      for (const row of rows) {
        if (!result.add(row.map((text, i) => valueOf(text, fields[i].dataTypeID)))) return;
      }
    }
  };
  // Rows keep the bound themselves; this one is for values that are never complete, and leaves room for what JSON adds.
  const isCut = await isCutAt(stream, limits.bytesMax * 4, fetchAll);
  return result.result(
    fields.map(({ name }) => name),
    isCut,
  );
}

const BOOL = 16;
const BYTEA = 17;
const INTEGERS = new Set([20, 21, 23, 26]);
const FLOATS = new Set([700, 701]);

function valueOf(text, type) {
  if (text === null) return null;
  if (type === BOOL) return text === 't';
  if (type === BYTEA) return binary(Buffer.from(text.slice(2), 'hex'));
  if (INTEGERS.has(type)) return integer(text);
  if (FLOATS.has(type) && Number.isFinite(Number(text))) return Number(text);
  return text;
}

const CANCEL_REQUEST = 80877102;
const SSL_REQUEST = 80877103;

/** Postgres' own way, over a connection of its own: the number and the secret that the session began with. */
async function cancel({ processID, secretKey }, target, dial) {
  let stream = await dial();
  if (target.tls !== 'off') stream = await secured(stream, target);
  stream.end(integers(16, CANCEL_REQUEST, processID, secretKey));
  // The server answers with the end of the connection.
  await new Promise((resolve) => stream.resume().once('close', resolve).once('error', resolve));
}

async function secured(stream, { host, tls: mode }) {
  stream.write(integers(8, SSL_REQUEST));
  await new Promise((resolve, reject) => stream.once('data', resolve).once('error', reject));
  const servername = net.isIP(host) ? '' : host;
  return tls.connect({ socket: stream, host, servername, rejectUnauthorized: mode === 'verified' });
}

function integers(...values) {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => buffer.writeInt32BE(value, i * 4));
  return buffer;
}

/**
 * The tables of these names that there are: as written, as Postgres folds it, or with their schema. System catalogues
 * are not among them.
 */
const TABLES = `
  SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid), c.relkind,
    pg_catalog.obj_description(c.oid, 'pg_class'), c.oid::text,
    (SELECT pg_catalog.json_agg(p.proname) FROM pg_catalog.pg_proc p WHERE p.pronargs = 1 AND p.proargtypes[0] = c.reltype)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (n.nspname || '.' || c.relname = $1 OR (pg_catalog.pg_table_is_visible(c.oid) AND c.relname IN ($1, pg_catalog.lower($1))))
  ORDER BY c.relname = $1 DESC LIMIT 1`;

const COLUMNS = `
  SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)),
    pg_catalog.col_description(a.attrelid, a.attnum), coalesce(e.typname, t.typname), tn.nspname
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum LIMIT $2`;

const FOREIGN_KEYS = `
  SELECT a.attname, CASE WHEN pg_catalog.pg_table_is_visible(f.oid) THEN f.relname ELSE fn.nspname || '.' || f.relname END, b.attname
  FROM pg_catalog.pg_constraint k
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS u (ours, theirs)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.ours
    JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.theirs
    JOIN pg_catalog.pg_class f ON f.oid = k.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
  WHERE k.conrelid = $1::oid AND k.contype = 'f' LIMIT $2`;

const COLUMNS_MAX = 500;
const KINDS = { v: 'view', m: 'view' };

/** Undefined when one of them does not exist. */
async function describe(ask, names) {
  const tables = [];
  for (const name of names) {
    const [found] = await ask(TABLES, [name]);
    if (found === undefined) return undefined;
    tables.push(await tableOf(ask, found));
  }
  return {
    schema: tables.map(({ schema }) => schema),
    allowed: {
      tables: tables.map(({ place }) => place),
      types: tables.flatMap(({ types }) => types),
      computed: tables.flatMap(({ computed }) => computed),
    },
  };
}

async function tableOf(ask, [schema, name, visible, kind, comment, oid, functions]) {
  const columns = await ask(COLUMNS, [oid, COLUMNS_MAX]);
  const foreignKeys = await ask(FOREIGN_KEYS, [oid, COLUMNS_MAX]);
  const columnNames = new Set(columns.map(([column]) => column));
  return {
    place: { schema, name, visible: visible === 't' },
    types: columns.filter(([, , , , , , typeSchema]) => typeSchema !== 'pg_catalog').map(([, , , , , type]) => type),
    // A column of the name comes first.
    computed: JSON.parse(functions ?? '[]').filter((called) => !columnNames.has(called)),
    schema: {
      name: visible === 't' ? name : `${schema}.${name}`,
      kind: KINDS[kind] ?? 'table',
      comment,
      columns: columns.map(([column, type, nullable, primaryKey, remark]) => ({
        name: column,
        type,
        nullable: nullable === 't',
        primaryKey: primaryKey === 't',
        comment: remark,
      })),
      foreignKeys: foreignKeys.map(([column, table, references]) => ({ column, table, references })),
    },
  };
}
