import { closeSync, openSync, readSync } from 'node:fs';
import Database from 'better-sqlite3-multiple-ciphers';
import { SqlFault, faultOf } from './faults.mjs';
import { Guard, MIGRATIONS } from './guard.mjs';
import { statementKind } from './sql-text.mjs';
import { bind, toWire } from './values.mjs';

const PATH = '/work/data.db';
const PLAINTEXT_HEADER = Buffer.from('SQLite format 3\0', 'latin1');

/** Value to set, and what reading it back must give; see server/stores/sqlite.ts. */
const PRAGMAS = [
  ['journal_mode', 'wal', 'wal'],
  ['temp_store', 'memory', 2],
  ['secure_delete', 'on', 1],
  ['mmap_size', '0', 0],
  ['foreign_keys', 'on', 1],
  ['trusted_schema', 'off', 0],
  ['cell_size_check', 'on', 1],
  ['synchronous', 'full', 2],
  // The other writer is in this same process, so that waiting for it would be for ever.
  ['busy_timeout', '0', 0],
  ['cache_size', '-8192', -8192],
  ['journal_size_limit', '16777216', 16777216],
];

const READING_ONLY = ['query_only', 'on', 1];
const READING_AND_WRITING = ['query_only', 'off', 0];

/** One database file and the connections to it. */
export class DatabaseFile {
  #key;
  #pagesMax;
  #writer;
  #reader;

  /** Throws `wrong_key`, `damaged`, `not_secured`. */
  constructor({ key, pagesMax, isNew }) {
    this.#key = key;
    this.#pagesMax = pagesMax;
    if (isNew) closeSync(openSync(PATH, 'ax', 0o600));
    this.#writer = this.connect({ readOnly: false });
    if (isNew) {
      this.#writer.data.exec(
        `create table ${MIGRATIONS} (id text primary key, hash text not null) strict, without rowid`,
      );
      this.#checkpoint();
    }
    const header = Buffer.alloc(PLAINTEXT_HEADER.length);
    const file = openSync(PATH, 'r');
    readSync(file, header, 0, header.length, 0);
    closeSync(file);
    if (header.equals(PLAINTEXT_HEADER)) throw new SqlFault('not_secured');
  }

  /** The one that statements share, which none holds open. */
  shared({ readOnly }) {
    return readOnly ? (this.#reader ??= this.connect({ readOnly })) : this.#writer;
  }

  /** One of its own for what lasts longer than one statement; closed by whoever asked for it. */
  connect({ readOnly }) {
    const data = new Database(PATH, { fileMustExist: true });
    try {
      this.#unlock(data);
      data.pragma(`max_page_count=${this.#pagesMax}`);
      for (const [name, value, readBack] of [...PRAGMAS, readOnly ? READING_ONLY : READING_AND_WRITING]) {
        data.pragma(`${name}=${value}`);
        if (data.pragma(name, { simple: true }) !== readBack) throw new SqlFault('not_secured');
      }
      return new Connection(data, readOnly);
    } catch (error) {
      data.close();
      throw faultOf(error, '');
    }
  }

  #unlock(data) {
    data.pragma("cipher='aegis'");
    data.pragma(`key='raw:${this.#key}'`);
    if (data.pragma('cipher', { simple: true }) !== 'aegis') throw new SqlFault('not_secured');
    data.prepare('select count(*) from sqlite_schema').get();
  }

  #checkpoint() {
    this.#writer.data.pragma('wal_checkpoint(TRUNCATE)');
  }

  /** Deleted content is gone from the disk afterwards. */
  close() {
    this.#reader?.close();
    this.#checkpoint();
    this.#writer.close();
  }
}

/** A connection with its guard. */
export class Connection {
  #guard;
  #readOnly;

  constructor(data, readOnly) {
    this.data = data;
    this.#guard = new Guard(data);
    this.#readOnly = readOnly;
  }

  /** Runs `work` in a transaction: everything that it did stays, or nothing. Faults tell nothing of other statements. */
  transaction(work) {
    this.begin();
    try {
      const result = work();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  begin() {
    this.#own(this.#readOnly ? 'begin' : 'begin immediate');
  }

  commit() {
    this.#own('commit');
  }

  #own(sql) {
    try {
      this.data.exec(sql);
    } catch (error) {
      throw faultOf(error, '');
    }
  }

  rollback() {
    if (this.data.inTransaction) this.data.exec('rollback');
    this.#guard.forget();
  }

  /** Checked, compiled and bound. */
  prepare(statement, rules) {
    const prepared = this.compile(statement.sql, rules);
    bind(prepared, statement);
    return prepared.reader ? prepared.raw(true).safeIntegers(true) : prepared;
  }

  /** Checked and compiled, to be run with values. */
  compile(sql, rules) {
    this.#guard.check(sql, { ...rules, readOnly: this.#readOnly });
    try {
      const prepared = this.data.prepare(sql);
      if (!this.#readOnly || prepared.readonly) return prepared;
    } catch (error) {
      if (error instanceof RangeError) throw new SqlFault('refused', 'it is more than one statement');
      throw faultOf(error, sql);
    }
    throw new SqlFault('refused', 'it would write, and only reading is allowed');
  }

  /** Runs one statement in the transaction that is open; `bounds` are what is left for rows, and get less. */
  run(statement, rules, bounds) {
    const { sql } = statement;
    // ON CONFLICT ROLLBACK and the like end a transaction; what follows must not run outside of one.
    if (!this.data.inTransaction)
      throw new SqlFault('refused', 'the transaction was ended by a statement before');
    const prepared = this.prepare(statement, rules);
    try {
      const result = prepared.reader
        ? this.#rows(prepared, bounds)
        : { ...NO_ROWS, ...summary(prepared.run()) };
      this.#guard.follow(sql);
      return {
        ...result,
        lastRowId: result.changes > 0 && INSERTING.has(statementKind(sql)) ? result.lastRowId : null,
      };
    } catch (error) {
      throw faultOf(error, sql);
    }
  }

  /** A statement that `compile` gave, in the transaction that is open. */
  runCompiled(prepared, values) {
    try {
      prepared.run(...values);
    } catch (error) {
      throw faultOf(error, '');
    }
  }

  #rows(prepared, bounds) {
    const columns = prepared.columns().map(({ name }) => name);
    const rows = [];
    let truncated = false;
    for (const row of prepared.iterate()) {
      const wire = row.map(toWire);
      bounds.characters -= JSON.stringify(wire).length;
      truncated = rows.length === bounds.rows || bounds.characters < 0;
      if (truncated) break;
      rows.push(wire);
    }
    return { columns, rows, truncated, ...(prepared.readonly ? NOTHING_CHANGED : this.#changes()) };
  }

  #changes() {
    const [changes, lastInsertRowid] = this.data.prepare('select changes(), last_insert_rowid()').raw().get();
    return summary({ changes, lastInsertRowid });
  }

  close() {
    this.data.close();
  }
}

const INSERTING = new Set(['INSERT', 'REPLACE', 'WITH']);
const NOTHING_CHANGED = { changes: 0, lastRowId: null };
const NO_ROWS = { columns: [], rows: [], truncated: false };
const summary = ({ changes, lastInsertRowid }) => ({ changes, lastRowId: Number(lastInsertRowid) });
