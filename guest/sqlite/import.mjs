import { setImmediate as nextTurn } from 'node:timers/promises';
import { CsvReader } from './csv.mjs';
import { SqlFault } from './faults.mjs';
import { quoted } from './guard.mjs';
import { Splitter, statementKind } from './sql-text.mjs';

/** Most characters of one statement or row. */
const UNIT_MAX = 8 << 20;
const STATEMENTS_PER_TURN = 200;
const NO_ROWS = { rows: 0, characters: 0 };

/** What a dump does besides: its own transaction, checks off, statistics for the planner. */
function isFraming(sql) {
  const kind = statementKind(sql);
  if (kind === 'PRAGMA') return /\bforeign_keys\s*=\s*\w+\s*;?\s*$/i.test(sql);
  if (kind === 'ANALYZE') return /\bsqlite_(schema|master)\s*;?\s*$/i.test(sql);
  if (kind === 'INSERT') return /^\s*insert\s+into\s+"?sqlite_stat[0-9]/i.test(sql);
  return kind === 'BEGIN' || kind === 'COMMIT' || kind === 'END';
}

/** Reads a text that comes in parts into one transaction of a connection of its own. */
export class Import {
  #connection;
  #reader;
  #decoder = new TextDecoder('utf-8', { fatal: true });

  constructor(connection, reader) {
    this.#connection = connection;
    this.#reader = reader;
    connection.begin();
    // Rows may come before those that they refer to.
    connection.data.pragma('defer_foreign_keys=on');
  }

  async push(bytes) {
    await this.#reader.push(this.#decode(bytes, true));
    if (this.#reader.pending > UNIT_MAX)
      throw new SqlFault('bad_import', 'one statement or row is longer than 8 MiB');
  }

  /** How many statements or rows there were. */
  async end() {
    const last = this.#decode(new Uint8Array(), false);
    const count = await this.#reader.end(last);
    this.#connection.commit();
    return count;
  }

  #decode(bytes, stream) {
    try {
      return this.#decoder.decode(bytes, { stream });
    } catch {
      throw new SqlFault('bad_import', 'the text is not UTF-8');
    }
  }

  close() {
    this.#connection.rollback();
    this.#connection.close();
  }
}

export class SqlScript {
  #connection;
  #splitter = new Splitter();
  #rules;
  #count = 0;

  constructor(connection, rules) {
    this.#connection = connection;
    this.#rules = rules;
  }

  get pending() {
    return this.#splitter.pending;
  }

  async push(text, isLast = false) {
    for (const sql of this.#splitter.push(text, isLast)) {
      if (isFraming(sql)) continue;
      // What is compiled is only freed between two turns.
      if (++this.#count % STATEMENTS_PER_TURN === 0) await nextTurn();
      located(`line ${this.#splitter.line}`, () =>
        this.#connection.run({ sql }, this.#rules, { ...NO_ROWS }),
      );
    }
  }

  async end(text) {
    await this.push(text, true);
    return this.#count;
  }
}

export class CsvTable {
  #connection;
  #table;
  #rules;
  #reader = new CsvReader();
  #columns;
  #insert;
  #count = 0;

  constructor(connection, table, rules) {
    this.#connection = connection;
    this.#table = table;
    this.#rules = rules;
  }

  get pending() {
    return this.#reader.pending;
  }

  push(text) {
    for (const fields of this.#reader.push(text)) this.#take(fields);
  }

  end(text) {
    this.push(text);
    for (const fields of this.#reader.end()) this.#take(fields);
    if (this.#insert === undefined) throw new SqlFault('bad_import', 'there is no line of column names');
    return this.#count;
  }

  #take(fields) {
    if (this.#insert === undefined) return this.#open(fields);
    // An empty line, unless it is a row of one empty field.
    if (fields.length === 1 && fields[0] === null && this.#columns > 1) return;
    this.#count++;
    located(`row ${this.#count}`, () => {
      if (fields.length !== this.#columns)
        throw new SqlFault('bad_import', 'it has another number of fields than the first line');
      this.#connection.runCompiled(this.#insert, fields);
    });
  }

  #open(names) {
    if (names.some((name) => name === null || name === ''))
      throw new SqlFault('bad_import', 'a column has no name');
    const table = quoted(this.#table);
    const columns = names.map(quoted);
    const exists = this.#connection.data.prepare(
      "select 1 from sqlite_schema where lower(name) = lower(?) and type in ('table', 'view')",
    );
    if (exists.get(this.#table) === undefined) {
      const sql = `create table ${table} (${columns.map((column) => `${column} text`).join(', ')})`;
      this.#connection.run({ sql }, this.#rules, { ...NO_ROWS });
    }
    this.#columns = names.length;
    const sql = `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
    this.#insert = this.#connection.compile(sql, this.#rules);
  }
}

/** Says where in the text a fault lies. */
function located(where, work) {
  try {
    work();
  } catch (error) {
    if (error instanceof SqlFault) error.where = where;
    throw error;
  }
}
