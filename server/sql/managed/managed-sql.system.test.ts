import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import { openRig, reading, type Rig, rowsOf, run, writing } from './testing/rig.ts';

let rig: Rig;
let file: DatabaseFile;
beforeAll(async () => {
  rig = await openRig();
  file = await rig.create();
  await run(rig.sql, file, [
    'create table author (id integer primary key, name text not null unique, born integer)',
    'create table book (id integer primary key, author_id integer references author on delete cascade, title text, price real, cover blob)',
    "insert into author (name, born) values ('Ada', 1815), ('Bert', null)",
    "insert into book (author_id, title, price) values (1, 'Notes', 9.5), (1, 'Letters', 12), (2, 'Poems', 3.25)",
    'create view cheap as select title from book where price < 10',
    'create table kept (a)',
  ]);
});
afterAll(() => rig.close());

const rows = (sql: string, params: unknown[] | Record<string, unknown> = []) =>
  rowsOf(rig.sql, file, { sql, params: params as [] });
const attempt = (sql: string, options = writing()) => run(rig.sql, file, sql, options);

describe('a statement', () => {
  test.each([
    ['select name from author order by id', [['Ada'], ['Bert']]],
    ['with a as (select * from book) select count(*), sum(price) from a', [[3, 24.75]]],
    [
      'select title, rank() over (order by price) from book order by 2',
      [
        ['Poems', 1],
        ['Notes', 2],
        ['Letters', 3],
      ],
    ],
    ['with n as (select 1 union select 2) select count(*) from n', [[2]]],
    ['select count(*) from (select 1)', [[1]]],
    [
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 4) select i from n',
      [[1], [2], [3], [4]],
    ],
    ['select title from cheap order by 1', [['Notes'], ['Poems']]],
    ['select value from json_each(\'[1, "x", null]\')', [[1], ['x'], [null]]],
    ["select json_extract('{\"a\": [1, 2]}', '$.a[1]'), '{\"b\": 3}' ->> 'b'", [[2, 3]]],
    [
      'select a.name from author a left join book b on b.author_id = a.id and b.price > 10 where b.id is null',
      [['Bert']],
    ],
    [
      'values (1, 2), (3, 4)',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      "select date('2026-11-23', '+1 day'), round(sqrt(2), 3), upper('x'), iif(1, 'y', 'n')",
      [['2026-11-24', 1.414, 'X', 'y']],
    ],
    ['select group_concat(title, ", ") filter (where price < 5) from book'.replaceAll('"', "'"), [['Poems']]],
    ["select name from pragma_table_info('author')", [['id'], ['name'], ['born']]],
  ])('reads: %s', async (sql, expected) => {
    expect(await rows(sql)).toEqual(expected);
  });

  test('writes, and tells how much and under which number', async () => {
    const [inserted, updated, none] = await run(rig.sql, file, [
      'insert into kept (a) values (1), (2), (3)',
      'update kept set a = a + 1 where a > 1',
      'select 1',
    ]);
    expect(inserted).toMatchObject({ columns: [], rows: [], changes: 3, lastRowId: 3, truncated: false });
    expect(updated).toMatchObject({ changes: 2, lastRowId: null });
    expect(none).toMatchObject({ columns: ['1'], rows: [[1]], changes: 0, lastRowId: null });
  });

  test('makes a trigger that is called as its table', async () => {
    const trigger = 'create trigger twin after insert on twin begin update twin set a = a + 1; end';
    await run(rig.sql, file, ['create table twin (a)', trigger, 'insert into twin values (1)']);
    expect(await rows('select a from twin')).toEqual([[2]]);
    await attempt('drop table twin');
  });

  test('gives back what it wrote', async () => {
    const [result] = await attempt('insert into kept (a) values (7) returning a, rowid');
    expect(result).toMatchObject({ columns: ['a', 'rowid'], rows: [[7, 4]], changes: 1, lastRowId: 4 });
    const [upserted] = await attempt(
      "insert into author (name, born) values ('Ada', 1) on conflict (name) do update set born = excluded.born returning born",
    );
    expect(upserted?.rows).toEqual([[1]]);
  });

  test('makes every kind of table, index, view and trigger, and uses them', async () => {
    const made = await run(rig.sql, file, [
      "create table st (a int, b text not null default 'x', c any, check (a < 100)) strict, without rowid".replace(
        'a int,',
        'a int primary key,',
      ),
      'create table gen (a, b generated always as (a * 2) stored, c as (a || b) virtual)',
      'create index gen_b on gen (b, lower(c)) where b > 1',
      'create virtual table words using fts5(title, body, tokenize = porter)',
      'create virtual table areas using rtree(id, x0, x1, y0, y1)',
      'create trigger gen_words after insert on gen begin insert into words (title, body) values (new.a, new.c); end',
      'insert into gen (a) values (3), (30)',
      "insert into words (title, body) values ('running', 'quick foxes')",
      'insert into areas values (1, 0, 1, 0, 1), (2, 5, 6, 5, 6)',
      'create table copy as select a, b from gen',
      'alter table copy rename to copied',
      'alter table copied add column d default 5',
      'alter table copied rename column b to bb',
      'alter table copied drop column a',
      'select * from copied order by 1',
      "select title, bm25(words) < 0, highlight(words, 1, '<', '>') from words where words match 'fox'",
      'select id from areas where x0 >= 4',
      'select c from gen order by a',
      'select count(*) from words',
      'analyze',
      'reindex gen_b',
      'drop table copied',
    ]);
    const answers = made.filter(({ columns }) => columns.length > 0).map((result) => result.rows);
    expect(answers).toEqual([
      [[6, 5], [60, 5]],
      [['running', 1, 'quick <foxes>']],
      [[2]],
      [['36'], ['3060']],
      [[3]],
    ]); // prettier-ignore
  });

  test('takes parameters by place, by number and by name', async () => {
    expect(await rows('select ?, ?', ['a', null])).toEqual([['a', null]]);
    expect(await rows('select ?2, ?1, ?2', ['a', 'b'])).toEqual([['b', 'a', 'b']]);
    expect(await rows('select :a, @b, $c', { a: 1, '@b': 2, c: true })).toEqual([[1, 2, 1]]);
  });

  test.each([
    ['select ?', []],
    ['select ?', [1, 2]],
    ['select 1', [1]],
    ['select :a', { b: 1 }],
    ['select ?1, ?3', [1, 2]],
    ['select ?1', [1, 2]],
    ['select ?', [{ int: '99999999999999999999' }]],
    ['select ?', [{ int: 'abc' }]],
    ['select ?', [{ other: 1 }]],
    ['select ?', [[1]]],
  ])('is refused with parameters that do not fit: %s %j', async (sql, params) => {
    await expect(rows(sql, params)).rejects.toMatchObject({ code: 'sql.bad_parameters' });
  });

  test('carries every value without loss', async () => {
    const values = [
      1, -1, 0.1, 1e300, 5, '', 'é ü 漢 🙂', "it's", 'a\0b', null, true,
      { int: '9007199254740993' }, { int: '-9223372036854775808' },
      { base64: Buffer.from([0, 255, 1]).toString('base64') }, { base64: '' },
    ]; // prettier-ignore
    const [row] = await rows(`select ${values.map(() => '?').join(', ')}`, values);
    expect(row).toEqual(values.map((value) => (value === true ? 1 : value)));
    expect(await rows('select typeof(?), typeof(?), typeof(?)', [5, 5.5, { int: '5' }])).toEqual([
      ['integer', 'real', 'integer'],
    ]);
    expect(await rows("select 9e999, -9e999, x'00ff', 9223372036854775807")).toEqual([
      ['Infinity', '-Infinity', { base64: 'AP8=' }, { int: '9223372036854775807' }],
    ]);
  });

  test.each([
    ['selec 1', 'near "selec"', 'sql.refused'],
    ['select from', 'near "from": syntax error', 'sql.failed'],
    ['select * from nosuch', 'no such table: nosuch', 'sql.failed'],
    ['select nosuch from author', 'no such column: nosuch', 'sql.failed'],
    ['select nosuch(1)', 'no such function: nosuch', 'sql.failed'],
    ['insert into author (name) values (1, 2)', '2 values for 1 columns', 'sql.failed'],
    ["insert into author (name) values ('Ada')", 'a value that must be unique', 'sql.constraint'],
    ['insert into author (born) values (1)', 'a column that must have a value', 'sql.constraint'],
    ['insert into book (author_id) values (77)', 'a foreign key', 'sql.constraint'],
    ['create table author (a)', 'table author already exists', 'sql.failed'],
    ["select json('{')", 'malformed JSON', 'sql.failed'],
  ])('that fails says why: %s', async (sql, reason, code) => {
    const expected =
      code === 'sql.refused' ? /begins with SELEC/ : new RegExp(reason.replaceAll(/[()]/g, '.'));
    await expect(attempt(sql)).rejects.toMatchObject({ code, message: expect.stringMatching(expected) });
  });

  test('that fails tells nothing that its caller did not write', async () => {
    await run(rig.sql, file, [
      "create table hidden_table (hidden_column text unique check (hidden_column <> 'hidden-check'))",
      "insert into hidden_table values ('hidden-value')",
      "create trigger hidden_trigger before delete on kept begin select raise(abort, 'hidden-message'); end",
      'create view hidden_view as select missing_name from hidden_table',
      'create trigger writes_hidden after insert on kept when new.a = 99 begin insert into hidden_table values (new.b); end'.replace(
        'new.b',
        "'hidden-value'",
      ),
    ]);
    const faults = await Promise.all(
      [
        'delete from kept',
        'select * from hidden_view',
        'insert into kept (a) values (99)',
        "insert into hidden_table values ('hidden-' || 'check')",
        "insert into hidden_table select 'hidden-' || 'value'",
      ].map((sql) =>
        attempt(sql).then(
          () => 'ran',
          (error: Error) => error.message,
        ),
      ),
    );
    for (const message of faults.slice(0, 3))
      expect(message).not.toMatch(/hidden_table|hidden_trigger|hidden-|missing_name|hidden_column/);
    expect(faults.join(' ')).not.toMatch(/hidden-value|hidden-check|hidden-message|ran/);
    await attempt('drop trigger hidden_trigger');
    await attempt('drop trigger writes_hidden');
  });
});

describe('a batch', () => {
  test('is done as a whole or not at all', async () => {
    const before = await rows('select count(*) from author');
    const batch = ["insert into author (name) values ('C')", "insert into author (name) values ('Ada')"];
    await expect(run(rig.sql, file, batch)).rejects.toMatchObject({
      code: 'sql.constraint',
      message: expect.stringContaining('statement 2'),
    });
    expect(await rows('select count(*) from author')).toEqual(before);
  });

  test('that makes a table and then fails leaves no table, and no trace in what is allowed', async () => {
    await expect(
      run(rig.sql, file, [
        'create table fleeting (a)',
        'insert into fleeting values (1)',
        'select * from nosuch',
      ]),
    ).rejects.toThrow();
    await expect(attempt('select * from fleeting')).rejects.toMatchObject({ code: 'sql.failed' });
    await attempt('create table fleeting (b)');
    expect(await rows('select b from fleeting')).toEqual([]);
    await attempt('drop table fleeting');
  });

  test('does not go on when a statement ends its transaction', async () => {
    const batch = [
      'insert into kept (a) values (1000)',
      "insert or rollback into author (name) values ('Ada')",
      'insert into kept (a) values (1001)',
    ];
    await expect(run(rig.sql, file, batch)).rejects.toMatchObject({ code: 'sql.constraint' });
    expect(await rows('select * from kept where a >= 1000')).toEqual([]);
  });

  test('that breaks a foreign key only at its end is taken back', async () => {
    await run(rig.sql, file, [
      'create table parent (id integer primary key)',
      'create table child (p references parent deferrable initially deferred)',
    ]);
    await expect(run(rig.sql, file, ['insert into child values (5)', 'select 1'])).rejects.toMatchObject({
      code: 'sql.constraint',
    });
    await run(rig.sql, file, ['insert into child values (5)', 'insert into parent values (5)']);
    expect(await rows('select p from child')).toEqual([[5]]);
  });
});

describe('reading only', () => {
  test.each([
    'insert into kept values (1)', 'update kept set a = 1', 'delete from kept', 'create table x (a)', 'drop table kept',
    'with a as (select 1) insert into kept select * from a', 'replace into kept values (1)', 'alter table kept add column z',
    'analyze', 'reindex', 'insert into kept values (1) returning a', 'explain insert into kept values (1)',
  ])('refuses %s', async (sql) => {
    await expect(attempt(sql, reading())).rejects.toMatchObject({ code: 'sql.refused' });
  }); // prettier-ignore

  test('still sees what was written before', async () => {
    await attempt('insert into kept (a) values (555)');
    expect(await rowsOf(rig.sql, file, 'select a from kept where a = 555', reading())).toEqual([[555]]);
  });
});

describe('named tables', () => {
  const only = (tables: string[], readOnly = true) => ({ ...reading(), readOnly, tables });

  test('may be read, in any case of their names, and views among them without what they are made of', async () => {
    expect(await rowsOf(rig.sql, file, 'select count(*) from AUTHOR', only(['Author']))).toEqual(
      [[3]].slice(0, 1).map(() => [2]),
    );
    expect(await rowsOf(rig.sql, file, 'select count(*) from cheap', only(['cheap']))).toEqual([[2]]);
  });

  test.each([
    'select * from book', 'select (select title from book)', 'select 1 where exists (select 1 from book)',
    'select 1 where 1 in book', 'with author as (select title as name from book) select * from author',
    'with cheap as (select title from book) select * from cheap', 'select * from (select title from book) as cheap',
    'select * from author, book', 'select * from author natural join kept', 'select name from author union all select title from book',
    'select * from sqlite_schema', 'select * from sqlite_master', 'select * from main.sqlite_master', 'pragma table_info(author)',
    "select * from pragma_table_info('author')", "select * from pragma_table_list", 'select * from sqlite_sequence', 'select * from dbstat',
    'explain query plan select * from book', 'select * from words_content', 'insert into author (name) select title from book',
  ])('keep all others out: %s', async (sql) => {
    const expected = { code: expect.stringMatching(/^sql\.(refused|failed)$/), message: expect.not.stringContaining('Poems') };
    await expect(attempt(sql, only(['author', 'cheap']))).rejects.toMatchObject(expected);
    await expect(attempt(sql, only(['author', 'cheap'], false))).rejects.toMatchObject(expected);
  }); // prettier-ignore

  test('that are not there are told apart from those that are hidden only by their owner', async () => {
    await expect(attempt('select 1', only(['nosuch']))).rejects.toMatchObject({ code: 'sql.unknown_table' });
    const messages = await Promise.all(
      ['book', 'boox'].map((name) =>
        attempt(`select * from ${name}`, only(['author'])).catch((error: Error) => error.message),
      ),
    );
    expect(messages[0]).toBe(messages[1]);
  });

  test('none of them allow no table at all', async () => {
    expect(await rowsOf(rig.sql, file, 'select 1 + 1', only([]))).toEqual([[2]]);
    await expect(attempt('select * from author', only([]))).rejects.toMatchObject({ code: 'sql.refused' });
  });

  test('may be written where that is allowed', async () => {
    const [result] = await attempt("insert into author (name) values ('Dora')", only(['author'], false));
    expect(result?.changes).toBe(1);
    await attempt("delete from author where name = 'Dora'");
    // A foreign key may lead to a table that is not named.
    const [book] = await attempt(
      'insert into book (author_id, title) values (1, null)',
      only(['book'], false),
    );
    expect(book?.changes).toBe(1);
    await attempt('delete from book where title is null');
  });
});

test('the schema tells of tables, columns and keys', async () => {
  const schema = await rig.sql.schema(file, { signal: new AbortController().signal });
  const book = schema.find(({ name }) => name === 'book');
  expect(book).toEqual({
    name: 'book',
    kind: 'table',
    columns: [
      { name: 'id', type: 'INTEGER', nullable: false, primaryKey: true, comment: null },
      { name: 'author_id', type: 'INTEGER', nullable: true, primaryKey: false, comment: null },
      { name: 'title', type: 'TEXT', nullable: true, primaryKey: false, comment: null },
      { name: 'price', type: 'REAL', nullable: true, primaryKey: false, comment: null },
      { name: 'cover', type: 'BLOB', nullable: true, primaryKey: false, comment: null },
    ],
    foreignKeys: [{ column: 'author_id', table: 'author', references: 'id' }],
    comment: null,
  });
  expect(schema.find(({ name }) => name === 'cheap')).toMatchObject({
    kind: 'view',
    columns: [{ name: 'title' }],
  });
  const names = schema.map(({ name }) => name);
  expect(names).toContain('words');
  expect(names.filter((name) => /^(sqlite_|_jellyfaas|words_|areas_)/.test(name))).toEqual([]);
});
