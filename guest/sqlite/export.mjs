import { csvLine } from './csv.mjs';
import { SqlFault } from './faults.mjs';
import { isReserved, quoted } from './guard.mjs';

/** SQL text of a whole database, piece by piece; the sqlite3 shell and import.mjs both read it. */
export function* sqlPieces(data) {
  yield 'BEGIN TRANSACTION;\n';
  const tables = ownTables(data);
  const plain = tables.filter(({ isVirtual }) => !isVirtual);
  const virtual = tables.filter(({ isVirtual }) => isVirtual);
  for (const table of [...plain, ...virtual]) {
    yield `${table.sql};\n`;
    yield* isVirtual(table) ? virtualRows(data, table) : rowsOf(data, table.name);
  }
  yield* sequenceRows(data, tables);
  // Last, so that triggers do not run for rows that are put back and indexes are built at once.
  const rest = data
    .prepare(
      "select name, sql from sqlite_schema where type <> 'table' and sql is not null order by type = 'trigger', rowid",
    )
    .all();
  for (const { name, sql } of rest) if (!isReserved(name)) yield `${sql};\n`;
  yield 'COMMIT;\n';
}

const isVirtual = (table) => table.isVirtual;

function ownTables(data) {
  return data
    .prepare(
      `select m.name, m.sql, l.type = 'virtual' as isVirtual from sqlite_schema m join pragma_table_list l on l.name = m.name
       where m.type = 'table' and l.schema = 'main' and l.type in ('table', 'virtual') order by m.rowid`,
    )
    .all()
    .filter(({ name }) => !isReserved(name));
}

/** Virtual tables that keep rows of their own give them; an index over another table is built from that again. */
function* virtualRows(data, { name, sql }) {
  const exists = data.prepare('select 1 from sqlite_schema where name = ?').pluck();
  if (exists.get(`${name}_content`) === 1) yield* rowsOf(data, name, ['rowid']);
  else if (exists.get(`${name}_node`) === 1) yield* rowsOf(data, name);
  else if (/\bcontent\s*=\s*(''|"")/i.test(sql))
    yield '-- This index keeps no text: it has to be filled again.\n';
  else if (exists.get(`${name}_docsize`) === 1)
    yield `INSERT INTO ${quoted(name)}(${quoted(name)}) VALUES('rebuild');\n`;
}

function* sequenceRows(data, tables) {
  if (data.prepare("select 1 from sqlite_schema where name = 'sqlite_sequence'").get() === undefined) return;
  yield 'DELETE FROM sqlite_sequence;\n';
  const own = new Set(tables.map(({ name }) => name));
  for (const [name, seq] of data
    .prepare('select name, seq from sqlite_sequence')
    .raw()
    .safeIntegers()
    .iterate()) {
    if (own.has(name))
      yield `INSERT INTO sqlite_sequence(name,seq) VALUES(${textLiteral(Buffer.from(name))},${seq});\n`;
  }
}

function* rowsOf(data, table, more = []) {
  const columns = [...more, ...storedColumns(data, table).map(quoted)];
  // Text as its bytes: the driver would repair what is not UTF-8.
  const values = columns.flatMap((column) => [
    `typeof(${column})`,
    `case typeof(${column}) when 'text' then cast(${column} as blob) else ${column} end`,
  ]);
  const start = `INSERT INTO ${quoted(table)}(${columns.join(',')}) VALUES(`;
  for (const row of data
    .prepare(`select ${values.join(', ')} from ${quoted(table)}`)
    .raw()
    .safeIntegers()
    .iterate()) {
    const literals = columns.map((_, index) => literal(row[2 * index], row[2 * index + 1]));
    yield `${start}${literals.join(',')});\n`;
  }
}

/** Without generated ones, and without the hidden ones of virtual tables. */
function storedColumns(data, table) {
  return data.prepare('select name from pragma_table_xinfo(?) where hidden = 0').pluck().all(table);
}

function literal(type, value) {
  if (type === 'null') return 'NULL';
  if (type === 'blob') return `X'${value.toString('hex')}'`;
  if (type === 'text') return textLiteral(value);
  return type === 'integer' ? String(value) : realLiteral(value);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textLiteral(bytes) {
  const asBytes = `CAST(X'${bytes.toString('hex')}' AS TEXT)`;
  if (bytes.includes(0)) return asBytes;
  try {
    return `'${utf8.decode(bytes).replaceAll("'", "''")}'`;
  } catch {
    return asBytes;
  }
}

function realLiteral(value) {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A header and the rows of a table or view; bytes as base64. Values are exact, also those that a spreadsheet would run. */
export function* csvPieces(data, table) {
  const found = data
    .prepare("select name from sqlite_schema where lower(name) = lower(?) and type in ('table', 'view')")
    .pluck()
    .get(table);
  if (found === undefined || isReserved(found)) throw new SqlFault('unknown_table');
  const columns = data.prepare('select name from pragma_table_xinfo(?) where hidden <> 1').pluck().all(found);
  yield csvLine(columns);
  const select = `select ${columns.map(quoted).join(', ')} from ${quoted(found)}`;
  for (const row of data.prepare(select).raw().safeIntegers().iterate()) yield csvLine(row.map(csvValue));
}

function csvValue(value) {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return typeof value === 'number' ? realLiteral(value) : value;
}
