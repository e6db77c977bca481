import { DatabaseSync, constants } from 'node:sqlite';
import { SqlFault, faultOf, writtenName } from './faults.mjs';
import { statementKind } from './sql-text.mjs';

/**
 * SQLite's own authorizer for a build that offers none: each statement is compiled by `node:sqlite`, the same release of
 * SQLite, against an empty copy of the schema, and every table, function and pragma that it would touch is looked up in
 * the lists below. Only then it may reach the data. Names that the caller must not see are not in the copy at all.
 */

/** Tables of the platform itself; callers neither see nor make such. */
const OWN_PREFIX = '_jellyfaas_';
const OWN_NAME = `names that begin with ${OWN_PREFIX} are the platform's own`;
export const MIGRATIONS = `${OWN_PREFIX}migration`;

const READING = new Set(['SELECT', 'VALUES', 'WITH']);
const WRITING = new Set(['INSERT', 'REPLACE', 'UPDATE', 'DELETE']);
const OF_SCHEMA = new Set(['CREATE', 'DROP', 'ALTER', 'REINDEX', 'ANALYZE']);

const MODULES = new Set(['fts5', 'fts5vocab', 'rtree', 'rtree_i32']);
const TABLE_FUNCTIONS = ['json_each', 'json_tree'];
/** Pragmas that tell of the schema and of the file's health; the only ones, and never with a value to set. */
const PRAGMAS_WITH_NAME = new Set([
  'table_info',
  'table_xinfo',
  'table_list',
  'index_list',
  'index_info',
  'index_xinfo',
  'foreign_key_list',
  'foreign_key_check',
  'integrity_check',
  'quick_check',
]);
const PRAGMAS = new Set([
  ...PRAGMAS_WITH_NAME,
  'user_version',
  'schema_version',
  'page_count',
  'page_size',
  'foreign_keys',
]);
const PRAGMA_FUNCTIONS = [...PRAGMAS_WITH_NAME].map((name) => `pragma_${name}`);

/** Functions of full text search and statistics; all others are those that SQLite itself calls innocuous. */
const FUNCTIONS = [
  'bm25',
  'highlight',
  'snippet',
  'match',
  'median',
  'percentile',
  'percentile_cont',
  'percentile_disc',
];
const INNOCUOUS = 0x200000;

const ACTIONS = new Map(
  Object.entries(constants)
    .filter(([name]) => !/^SQLITE_(CHANGESET_.*|OK|DENY|IGNORE)$/.test(name))
    .map(([name, code]) => [code, name.slice('SQLITE_'.length)]),
);

const TRANSACTIONS = new Set(['BEGIN', 'COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT', 'RELEASE']);

/** Guards the statements of one connection. */
export class Guard {
  #data;
  #version;
  /** Of the whole schema under '', and of some tables under their names. */
  #copies = new Map();
  /** Row of the schema up to which the whole copy has everything. */
  #lastRow = 0;

  constructor(data) {
    this.#data = data;
  }

  /**
   * Throws a fault when the statement may not run. `tables` narrows it to statements that read or write rows of nothing
   * but these; `mayRepairSequence` lets it write `sqlite_sequence`, as dumps do.
   */
  check(sql, { readOnly, tables, mayRepairSequence = false }) {
    const kind = kindOf(sql);
    const isOfSchema = OF_SCHEMA.has(kind);
    const isNarrow = tables !== undefined;
    if (isNarrow && (isOfSchema || kind === 'PRAGMA')) throw refused('it may only read or write rows');
    if (readOnly && (isOfSchema || WRITING.has(kind))) throw refused(WOULD_WRITE);
    this.#copy(tables).compile(sql, { kind, readOnly, isOfSchema, isNarrow, mayRepairSequence });
  }

  /** After each statement, in its transaction: throws when it made a schema that cannot be guarded. */
  follow(sql) {
    const kind = statementKind(sql);
    if (!OF_SCHEMA.has(kind)) return;
    const temporary = this.#data.prepare('select 1 from sqlite_temp_schema').get();
    if (temporary !== undefined) throw refused(NOT_TEMPORARY);
    const whole = this.#copies.get('');
    this.forget();
    if (kind !== 'CREATE' || whole === undefined) return void this.#copy();
    // Only what is new: a script that makes a thousand tables would copy all before each of them.
    for (const made of schemaOf(this.#data, this.#lastRow)) whole.add(made);
    this.#keep('', whole);
  }

  /** After a rollback: the number of a schema that never came to be is given again. */
  forget() {
    this.#copies.clear();
  }

  #copy(tables) {
    const version = this.#data.pragma('schema_version', { simple: true });
    if (version !== this.#version || this.#copies.size > COPIES_MAX) this.forget();
    const name = tables === undefined ? '' : JSON.stringify(tables);
    return (
      this.#copies.get(name) ??
      this.#keep(name, tables === undefined ? wholeCopy(this.#data) : narrowCopy(this.#data, tables))
    );
  }

  #keep(name, copy) {
    this.#version = this.#data.pragma('schema_version', { simple: true });
    this.#lastRow = this.#data.prepare('select coalesce(max(rowid), 0) from sqlite_schema').pluck().get();
    this.#copies.set(name, copy);
    return copy;
  }
}

/** The word that a statement begins with, if such statements may be run at all. */
function kindOf(sql) {
  if (sql.includes('\0') || !sql.isWellFormed()) throw refused('it has characters that are no text');
  const kind = statementKind(sql);
  if (kind === undefined) throw refused('there is no statement');
  if (TRANSACTIONS.has(kind)) throw refused('a batch is one transaction, and there are no others');
  const isKnown = READING.has(kind) || WRITING.has(kind) || OF_SCHEMA.has(kind) || kind === 'PRAGMA';
  if (!isKnown) throw refused(`a statement that begins with ${kind.slice(0, 20)} is not available`);
  return kind;
}

const COPIES_MAX = 8;
const NOT_TEMPORARY = 'nothing can be temporary';
const WOULD_WRITE = 'it would write, and only reading is allowed';
const refused = (reason) => new SqlFault('refused', reason);

/** What makes the schema, in an order in which it can be run; without tables that belong to virtual ones. */
function schemaOf(data, afterRow = 0) {
  const made = data
    .prepare(
      `select type, name, sql from sqlite_schema where rowid > ? and sql is not null
       order by case when type <> 'table' then 2 when sql like 'create virtual%' then 0 else 1 end, type = 'trigger', rowid`,
    )
    .all(afterRow);
  const shadows = new Set(
    data
      .prepare("select name from pragma_table_list where schema = 'main' and type = 'shadow'")
      .pluck()
      .all(),
  );
  if (made.some(({ name }) => isOwn(name) && name !== MIGRATIONS)) throw refused(OWN_NAME);
  return made.filter(({ name }) => !isReserved(name) && !shadows.has(name));
}

function wholeCopy(data) {
  const copy = new Copy();
  for (const made of schemaOf(data)) copy.add(made);
  return copy;
}

/** Tables as they are; views as tables, so that what they are made of is not there to be read directly. */
function narrowCopy(data, tables) {
  const copy = new Copy();
  const find = data.prepare(
    "select type, name, sql from sqlite_schema where lower(name) = lower(?) and type in ('table', 'view')",
  );
  for (const table of tables) {
    const { type, name, sql } = find.get(table) ?? {};
    if (name === undefined || isReserved(name)) throw new SqlFault('unknown_table');
    const columns = data.prepare('select name from pragma_table_xinfo(?)').pluck().all(name);
    const asTable = `create table ${quoted(name)} (${columns.map(quoted).join(', ')})`;
    copy.add({ type, name, sql: type === 'view' ? asTable : sql });
  }
  return copy;
}

export const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

const isOwn = (name) => name.toLowerCase().startsWith(OWN_PREFIX);
export const isReserved = (name) => isOwn(name) || name.toLowerCase().startsWith('sqlite_');

/** An empty database with a schema, in memory, in which statements are compiled and never run. */
class Copy {
  // Foreign keys of a narrow copy may lead out of it.
  #database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  #tables = new Set();
  #functions;
  #modules;
  /** Of the statement that is being compiled; what the schema itself is made of is not asked about. */
  #rules;
  #refusal;

  constructor() {
    const database = this.#database;
    const functions = database.prepare('select name, flags from pragma_function_list').all();
    const innocuous = functions.filter(({ flags }) => (flags & INNOCUOUS) !== 0).map(({ name }) => name);
    this.#functions = new Set([...innocuous.filter((name) => !name.startsWith('sqlite_')), ...FUNCTIONS]);
    const modules = database.prepare('select name from pragma_module_list').all();
    this.#modules = new Set(modules.map(({ name }) => name));
    database.exec('pragma trusted_schema = off');
    database.setAuthorizer((...call) => this.#authorize(...call));
  }

  /** Throws a fault when it needs what this build has not, or what a schema must not use. */
  add({ type, name, sql }) {
    this.#rules = undefined;
    this.#refusal = undefined;
    try {
      this.#database.exec(sql);
    } catch {
      throw refused('the schema that it makes uses something that is not available');
    }
    if (type === 'table' || type === 'view') this.#tables.add(name.toLowerCase());
  }

  /** Throws a fault when the statement cannot be compiled or touches what it must not. */
  compile(sql, rules) {
    this.#rules = { ...rules, sql, made: undefined };
    this.#refusal = undefined;
    try {
      this.#database.prepare(sql);
    } catch (error) {
      if (this.#refusal === undefined) throw this.#faultOf(error, this.#rules);
    }
    if (this.#refusal !== undefined) throw refused(this.#refusal);
  }

  /** Tables that are not in the copy may be there or not: the answer is the same. */
  #faultOf(error, { isNarrow, sql }) {
    const isHidden = isNarrow && error.message.startsWith('no such table');
    return isHidden ? refused('it uses a table that is not one of those named') : faultOf(error, sql);
  }

  #authorize(code, first, second, database) {
    if (this.#rules === undefined) return constants.SQLITE_OK;
    // An error that left this function would not stop SQLite.
    try {
      this.#refusal ??= this.#reasonAgainst(ACTIONS.get(code), { first, second, database });
    } catch {
      this.#refusal = 'it cannot be checked';
    }
    return this.#refusal === undefined ? constants.SQLITE_OK : constants.SQLITE_DENY;
  }

  #reasonAgainst(action, call) {
    const check = CHECKS[action];
    if (check === undefined) return `${String(action).replaceAll('_', ' ')} is not available`;
    // ALTER looks whether something temporary has to change as well.
    const isLooking = this.#rules.kind === 'ALTER' && call.first === 'sqlite_temp_master';
    if (call.database === 'temp' && !isLooking) return NOT_TEMPORARY;
    // Its constraints and generated columns read a table that is just being made.
    if (action === 'CREATE_TABLE') this.#rules.made = call.first.toLowerCase();
    const known = { tables: this.#tables, functions: this.#functions, modules: this.#modules };
    return check({ ...call, ...this.#rules, ...known });
  }
}

const allow = () => undefined;

/** What each action of the authorizer may touch: a reason to refuse, or none. */
const CHECKS = {
  SELECT: allow,
  RECURSIVE: allow,
  READ: ({ first, second, isOfSchema, isNarrow, made, tables, modules, sql }) => {
    const table = first.toLowerCase();
    // What is counted and not read has no column, also when it is a part of the statement itself (WITH).
    const isVirtual = modules.has(table) || table.startsWith('pragma_') || table.startsWith('sqlite_');
    if (second === '' && !isVirtual) return undefined;
    if (tables.has(table) || table === made || TABLE_FUNCTIONS.includes(table)) return undefined;
    if (isOfSchema && isSchemaTable(table)) return undefined;
    const ofOwner =
      table === 'sqlite_master' || table === 'sqlite_sequence' || PRAGMA_FUNCTIONS.includes(table);
    return ofOwner && !isNarrow ? undefined : `the table${writtenName(first, sql)} is not available`;
  },
  FUNCTION: ({ second, isOfSchema, functions, sql }) => {
    const name = second.toLowerCase();
    // ALTER works with functions of SQLite's own, which no statement can name.
    const isInternal = isOfSchema && /^sqlite_(rename|drop|add|fail)/.test(name);
    return isInternal || functions.has(name)
      ? undefined
      : `the function${writtenName(second, sql)} is not available`;
  },
  INSERT: checkWrite,
  UPDATE: checkWrite,
  DELETE: checkWrite,
  CREATE_TABLE: checkName,
  CREATE_INDEX: checkName,
  CREATE_VIEW: checkName,
  CREATE_TRIGGER: checkName,
  CREATE_VTABLE: ({ first, second, sql }) =>
    MODULES.has(second.toLowerCase())
      ? checkName({ first })
      : `the module${writtenName(second, sql)} is not available`,
  DROP_TABLE: checkName,
  DROP_INDEX: checkName,
  DROP_VIEW: checkName,
  DROP_TRIGGER: checkName,
  DROP_VTABLE: checkName,
  ALTER_TABLE: allow,
  REINDEX: allow,
  ANALYZE: allow,
  PRAGMA: ({ first, second, sql }) => {
    const isKnown =
      PRAGMAS.has(first.toLowerCase()) && (second === null || PRAGMAS_WITH_NAME.has(first.toLowerCase()));
    return isKnown ? undefined : `PRAGMA${writtenName(first, sql)} is not available`;
  },
};

const isSchemaTable = (table) =>
  table === 'sqlite_master' ||
  table === 'sqlite_temp_master' ||
  table === 'sqlite_sequence' ||
  table.startsWith('sqlite_stat');

function checkWrite({ first, readOnly, isOfSchema, mayRepairSequence, tables, sql }) {
  const table = first.toLowerCase();
  if (readOnly) return WOULD_WRITE;
  if (tables.has(table) || (isOfSchema && isSchemaTable(table))) return undefined;
  return mayRepairSequence && table === 'sqlite_sequence'
    ? undefined
    : `the table${writtenName(first, sql)} is not to be written`;
}

function checkName({ first }) {
  return isOwn(first) ? OWN_NAME : undefined;
}
