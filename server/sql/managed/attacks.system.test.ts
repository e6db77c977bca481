import Database from 'better-sqlite3-multiple-ciphers';
import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import { openRig, reading, type Rig, rowsOf, run, writing } from './testing/rig.ts';

let rig: Rig;
let file: DatabaseFile;
let neighbour: DatabaseFile;

const SCHEMA = [
  'create table t (a integer primary key, b text)',
  'create table secret (x)',
  'create table seq (i integer primary key autoincrement)',
  'create virtual table words using fts5(body)',
  'create view all_secrets as select x from secret',
  "insert into t values (1, 'one')",
  "insert into secret values ('classified')",
  "insert into words values ('text')",
];

beforeAll(async () => {
  rig = await openRig();
  [file, neighbour] = [await rig.create(), await rig.create()];
  await run(rig.sql, file, SCHEMA);
  await run(rig.sql, neighbour, ['create table calm (a)', 'insert into calm values (42)']);
});
afterAll(() => rig.close());

const neighbourAnswers = async (): Promise<void> => {
  expect(await rowsOf(rig.sql, neighbour, 'select a from calm')).toEqual([[42]]);
};

test('the build that checks and the one that runs are the same release of SQLite', () => {
  const source = 'select sqlite_source_id() as id';
  const running = new Database(':memory:').prepare(source).get();
  const checking = new DatabaseSync(':memory:').prepare(source).get();
  expect(running).toEqual({ ...checking });
});

/** Refused by the guard, or by SQLite before anything was done. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  'other files': [
    "attach '/work/other.db' as other",
    "attach database ':memory:' as m",
    "ATTACH 'file:/etc/passwd?mode=ro' AS p KEY 'x'",
    "/* a */ attach -- b\n '/work/x' as y",
    'detach main',
    "vacuum into '/work/plain.db'",
    "vacuum main into '/tmp/plain.db'",
    "vacuum into (select '/work/plain.db')",
    "vacuum into lower('/WORK/PLAIN.DB')",
    'vacuum',
    "explain vacuum into '/work/plain.db'",
    "create virtual table c using csv(filename = '/etc/passwd')",
    "select readfile('/etc/passwd')",
    "select writefile('/work/x', 'y')",
    "select edit('x')",
    "select * from fsdir('/')",
    "insert into t (b) select readfile('/proc/self/environ')",
  ],
  extensions: [
    "select load_extension('/work/data.db')",
    "select load_extension('/lib/x86_64-linux-gnu/libc.so.6', 'system')",
    'create view evil as select load_extension(1); select 1',
    'create table evil (a default (load_extension(1)), check (load_extension(2)))',
    'create index evil on t (load_extension(b))',
    "select fts3_tokenizer('simple')",
    "select fts3_tokenizer('x', x'4141414141414141')",
    'create virtual table v using fts3(x)',
    'create virtual table v using fts4(x, tokenize = simple)',
    'create virtual table v using fts3tokenize(simple)',
    'create virtual table v using dbstat(main)',
    'create virtual table v using geopoly(a)',
    'create virtual table v using nosuch(a)',
  ],
  'keys and pragmas': [
    "pragma key = 'x'",
    "pragma rekey = 'x'",
    "PRAGMA ReKey('')",
    "pragma hexrekey = '00'",
    "pragma cipher = 'rc4'",
    "pragma main.cipher = 'sqlcipher'",
    'pragma cipher_salt',
    'select sqlite3mc_config(\'cipher\')',
    "select sqlite3mc_codec_data('raw_salt')",
    "select sqlite3mc_vle_key('main', 'x')",
    'pragma writable_schema = on',
    'pragma writable_schema(1)',
    "pragma temp_store_directory = '/work'",
    "pragma data_store_directory = '/work'",
    'pragma temp_store = file',
    'pragma hard_heap_limit = 1',
    'pragma soft_heap_limit(1)',
    'pragma journal_mode = delete',
    'pragma journal_mode = off',
    'pragma synchronous = off',
    'pragma secure_delete = off',
    'pragma trusted_schema = on',
    'pragma foreign_keys = off',
    'pragma ignore_check_constraints = on',
    'pragma query_only = off',
    'pragma max_page_count = 4294967294',
    'pragma mmap_size = 1000000000',
    'pragma cache_size = -1000000000',
    'pragma locking_mode = exclusive',
    'pragma wal_checkpoint(truncate)',
    'pragma wal_autocheckpoint = 0',
    'pragma user_version = 7',
    'pragma schema_version = 7',
    'pragma page_size = 512',
    'pragma encoding',
    'pragma database_list',
    'pragma function_list',
    'pragma compile_options',
    'pragma optimize',
    'pragma incremental_vacuum(1)',
    'pragma shrink_memory',
    'pragma threads = 8',
    'pragma recursive_triggers = on',
    'pragma case_sensitive_like = on',
    'pragma legacy_alter_table = on',
    'pragma defer_foreign_keys = on',
    'select * from pragma_database_list',
    "select * from pragma_key('x')",
    'select * from pragma_function_list',
    'select * from dbstat',
    'select count(*) from dbstat',
    'select 1 from pragma_database_list',
    'select sqlite_log(1, 2)',
  ],
  "SQLite's and the platform's own tables": [
    "insert into sqlite_master values ('table', 'x', 'x', 2, 'create table x (a)')",
    "update sqlite_schema set sql = 'create table t (evil)'",
    'delete from sqlite_master',
    'drop table sqlite_master',
    'alter table sqlite_master rename to x',
    'create table sqlite_evil (a)',
    'create index i on sqlite_master (name)',
    'create trigger tr after insert on sqlite_master begin select 1; end',
    'delete from sqlite_sequence',
    "update sqlite_sequence set seq = 9223372036854775807 where name = 'seq'",
    'drop table sqlite_sequence',
    'insert into sqlite_stat1 values (1, 2, 3)',
    'insert into words_data values (1, 2)',
    'delete from words_content',
    "update words_config set v = 99 where k = 'version'",
    'drop table words_content',
    'select * from _jellyfaas_migration',
    "insert into _jellyfaas_migration values ('x', 'y')",
    'drop table _JellyFaaS_migration',
    'create table _jellyfaas_other (a)',
    'create view "_jellyfaas_view" as select 1',
    'create index _jellyfaas_index on t (b)',
    'create trigger _jellyfaas_trigger after insert on t begin select 1; end',
    'create trigger tr after insert on _jellyfaas_migration begin select 1; end',
    'alter table t rename to _jellyfaas_mine',
    'alter table _jellyfaas_migration rename to mine',
    'create table copy as select * from _jellyfaas_migration',
  ],
  'transactions and what outlasts a statement': [
    'begin', 'begin exclusive', 'commit', 'end', 'rollback', 'savepoint s', 'release s', 'rollback to s',
    'create temp table x (a)', 'create temporary view x as select 1', 'create temp trigger x after insert on t begin select 1; end',
    'create table temp.x (a)', 'create view temp.x as select 1', 'create index temp.x on t (b)', 'create trigger temp.x after insert on t begin select 1; end', 'create virtual table temp.x using fts5(a)', 'select * from temp.sqlite_temp_schema', 'explain begin', 'explain query plan commit',
  ],
  'several statements and texts that are none': [
    'select 1; select 2', 'select 1; drop table t', "select 1; attach 'x' as y", 'select 1;; select 2', 'select 1; -- x\n delete from t',
    'select 1 /* ; */ ; /* x */ delete from t', 'delete from t; commit', '', ' ', ';', '-- only words', '/* only words */', '/* open', "'", '"', '[t', '`',
    'select 1\0; drop table t', '\0', 'select \ud800', 'sélect 1', '\u00a0select 1', '\u200bselect 1', '(select 1)', 'exec x', 'call x()', 'declare x', 'copy t to stdout',
    'load data infile 1', 'show tables', '.dump', '.shell ls', 'select 1 union', 'select * from t where', '\\', '\x1a', 'SELECT/**//**/*/**/FROM',
  ],
}; // prettier-ignore

describe.each(Object.entries(FORBIDDEN))('%s are out of reach', (_, statements) => {
  test.each(statements.map((sql) => [sql]))('%j', async (sql) => {
    for (const options of [writing(), reading(), reading({ tables: ['t'] })]) {
      await expect(run(rig.sql, file, sql, options)).rejects.toMatchObject({
        code: expect.stringMatching(/^sql\.(refused|failed)$/),
      });
    }
    expect(await rowsOf(rig.sql, file, 'select b, (select count(*) from secret) from t')).toEqual([
      ['one', 1],
    ]);
    await neighbourAnswers();
  });
});

test('an empty database, and no named table, are guarded as any', async () => {
  const empty = await rig.create();
  const flat = Object.values(FORBIDDEN).flat();
  for (const sql of flat) {
    for (const options of [writing(), reading({ tables: [] })]) {
      const outcome = await run(rig.sql, empty, sql, options).then(
        () => 'ran',
        ({ code }: { code: string }) => code,
      );
      expect(outcome, sql).toMatch(/^sql\.(refused|failed)$/);
    }
  }
});

test('nothing lies in the directory but the database, after all of that', () => {
  expect(readdirSync(file.directory).filter((name) => !/^data\.db(-wal|-shm)?$/.test(name))).toEqual([]);
});

describe('what a schema hides', () => {
  /** Made by statements that are allowed; what they would do is found when they are used. */
  const traps: readonly (readonly [what: string, made: string, used: string])[] = [
    ['a function in a view', 'create view trap as select load_extension(1) as z', 'select * from trap'],
    ['a function in a trigger', 'create trigger trap after insert on t begin select load_extension(new.b); end', 'insert into t (b) values (1)'],
    ['a table of the platform in a trigger', "create trigger trap after insert on t begin insert into _jellyfaas_migration values ('a', 'b'); end", 'insert into t (b) values (1)'],
    ['a table of the platform in a view', 'create view trap as select * from _jellyfaas_migration', 'select * from trap'],
    ['statistics of the file in a view', 'create view trap as select * from dbstat', 'select * from trap'],
    ['a list of files in a view', 'create view trap as select * from pragma_database_list', 'select * from trap'],
  ]; // prettier-ignore
  test.each(traps)('is found: %s', async (_, made, used) => {
    const [made1] = await run(rig.sql, file, made);
    expect(made1?.rows).toEqual([]);
    await expect(run(rig.sql, file, used)).rejects.toMatchObject({
      code: expect.stringMatching(/^sql\.(refused|failed)$/),
    });
    await run(rig.sql, file, made.startsWith('create view') ? 'drop view trap' : 'drop trigger trap');
    expect(await rowsOf(rig.sql, file, 'select count(*) from t')).toEqual([[1]]);
  });

  test('is not kept when it could not be guarded', async () => {
    const generated = 'alter table t add column c as (load_extension(b))';
    await expect(run(rig.sql, file, generated)).rejects.toMatchObject({
      code: expect.stringMatching(/^sql\.(refused|failed)$/),
    });
    expect(await rowsOf(rig.sql, file, 'select * from t')).toEqual([[1, 'one']]);
  });

  test('does not widen what named tables may show', async () => {
    await run(rig.sql, file, 'create view t_and_more as select b, (select x from secret) as x from t');
    const narrow = reading({ tables: ['t'] });
    for (const sql of [
      'select * from t_and_more',
      'select * from all_secrets',
      'with t as (select * from t_and_more) select * from t',
    ]) {
      await expect(run(rig.sql, file, sql, narrow)).rejects.toMatchObject({ code: 'sql.refused' });
    }
    await run(rig.sql, file, 'drop view t_and_more');
  });
});

/** Allowed, and without end or measure: ended by time, memory, size or SQLite's own limits. */
const ENDLESS = 'with recursive n(i) as (select 1 union all select i + 1 from n)';
// What ends a statement may be its time, on a machine that has more to do than to fill memory.
const BOUNDED: readonly (readonly [sql: string, code: string])[] = [
  [`${ENDLESS} select count(*) from n`, 'timeout'],
  [`${ENDLESS} select max(i) from n where i < 0`, 'timeout'],
  ['with recursive n(i) as (select 1 union all select i from n) select sum(i) from n', 'timeout'],
  [`${ENDLESS}, m(j) as (select 1 union all select j + 1 from m) select count(*) from n, m`, 'timeout'],
  [`insert into t (b) ${ENDLESS} select 'x' from n`, 'timeout|database_full'],
  [`create table grown as ${ENDLESS} select i from n`, 'timeout|database_full'],
  [`select count(*) from ${Array.from({ length: 12 }, (_, index) => `json_each('[1,2,3,4,5,6,7,8,9]') j${index}`).join(', ')}`, 'timeout'],
  [`${ENDLESS} select * from n order by i`, 'timeout|out_of_memory'],
  [`${ENDLESS} select group_concat(i) from n`, 'timeout|out_of_memory|value_too_large'],
  [`${ENDLESS} select json_group_array(randomblob(1000)) from n`, 'failed|timeout|out_of_memory|value_too_large'],
  [`select like('%${'a%'.repeat(20_000)}', zeroblob(1000000) || '${'a'.repeat(20_000)}')`, 'timeout|failed|'],
  ["select replace(hex(zeroblob(50000000)), '0', hex(zeroblob(1000)))", 'value_too_large|out_of_memory|timeout'],
  ['select hex(zeroblob(400000000))', 'value_too_large|out_of_memory|timeout'],
  ['select zeroblob(500000000) || zeroblob(500000000)', 'value_too_large|out_of_memory|timeout'],
  ['select randomblob(2000000000)', 'value_too_large|out_of_memory|timeout'],
  ["select printf('%.*c', 500000000, 'x')", 'value_too_large|out_of_memory|timeout|'],
  ["select printf('%2147483647d', 1)", 'value_too_large|out_of_memory|timeout|'],
  [`select ${'abs('.repeat(2000)}1${')'.repeat(2000)}`, 'failed'],
  [`select ${'('.repeat(5000)}1${')'.repeat(5000)}`, 'failed'],
  [`select 1 ${'union all select 1 '.repeat(600)}`, 'failed'],
  [`select ${'1,'.repeat(3000)}1`, 'failed'],
  [`select ${Array.from({ length: 70 }, (_, index) => `a${index}.i`).join('+')} from ${Array.from({ length: 70 }, (_, index) => `seq a${index}`).join(', ')}`, 'failed'],
  ['insert into t (b) values (zeroblob(60000000))', 'database_full|timeout'],
  [`select '${'x'.repeat(100_001)}'`, 'too_large'],
]; // prettier-ignore

describe('what has no end is ended, and the neighbour goes on', () => {
  test.each(BOUNDED.map(([sql, code]) => [sql.slice(0, 90), sql, code]))('%s', async (_, sql, code) => {
    const small = rig.open({ limits: { statementMs: 700, databaseMib: 32 } });
    const own = rig.file();
    await small.create(own);
    await run(small, own, [
      'create table t (a integer primary key, b)',
      'create table seq (i)',
      "insert into t values (1, 'one')",
    ]);
    const outcome = await run(small, own, sql).then(
      () => '',
      (error: { code: string }) => error.code.replace('sql.', ''),
    );
    expect(outcome).toMatch(new RegExp(`^(${code})$`));
    // A killed process leaves a log that the next one recovers from; nothing of the statement stays.
    expect(await rowsOf(small, own, 'select * from t')).toEqual([[1, 'one']]);
    await neighbourAnswers();
    await small.close();
  });

  test('ten million rows are read by nobody whole', async () => {
    const sql =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000000) select i from n';
    const [result] = await run(rig.sql, file, sql, reading());
    expect([result?.rows.length, result?.truncated]).toEqual([1000, true]);
  });

  test('a trigger that calls itself ends', async () => {
    await run(rig.sql, file, [
      'create table loop (a)',
      'create trigger again after insert on loop begin insert into loop values (new.a + 1); end',
    ]);
    await run(rig.sql, file, 'insert into loop values (1)');
    expect(await rowsOf(rig.sql, file, 'select count(*) < 2000 from loop')).toEqual([[1]]);
  });

  test('a database that is full still answers and can be emptied', async () => {
    const small = rig.open({ limits: { databaseMib: 2 } });
    const own = rig.file();
    await small.create(own);
    await run(small, own, 'create table t (b)');
    const fill = async (): Promise<void> => {
      for (;;) await run(small, own, 'insert into t values (randomblob(100000))');
    };
    await expect(fill()).rejects.toMatchObject({ code: 'sql.database_full' });
    expect((await rowsOf(small, own, 'select count(*) > 5 from t'))[0]).toEqual([1]);
    await run(small, own, 'delete from t');
    await run(small, own, 'insert into t values (1)');
    expect(await small.size(own)).toBeLessThan(8 << 20);
    await small.close();
  });
});
