import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';
import { bytesOf, openRig, reading, type Rig, rowsOf, run, textOf, writing } from './testing/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const importSql = (file: DatabaseFile, text: string, partBytes?: number) =>
  rig.sql.importSql(file, bytesOf(text, partBytes), writing());
const importCsv = (file: DatabaseFile, table: string, text: string, partBytes?: number) =>
  rig.sql.importCsv(file, table, bytesOf(text, partBytes), writing());
const exportSql = (file: DatabaseFile) => textOf(rig.sql.exportSql(file, reading()));
const exportCsv = (file: DatabaseFile, table: string) => textOf(rig.sql.exportCsv(file, table, reading()));

/** Everything that makes a dump hard. */
const HARD = `
create table plain (id integer primary key autoincrement, b);
create table "odd ""name; --" ("select" text, [from] blob default x'00', \`a b\` real);
create table types (a int primary key, t text, n any) strict, without rowid;
create table gen (a, b generated always as (a * 2) stored, c as (a || 'x'));
create table parent (id integer primary key, up references parent);
create virtual table words using fts5(title, body, tokenize = 'porter');
create virtual table about_plain using fts5(b, content = plain, content_rowid = id);
create virtual table nothing_kept using fts5(b, content = '');
create virtual table areas using rtree(id, x0, x1, +note);
create index "i ;" on plain (b, lower(b)) where b is not null;
create view "v;" as select b as "x;" from plain where b <> ';';
create trigger tr after insert on plain begin
  update plain set b = new.b || case when 1 then '' else ';' end where id = new.id; -- end;
  select 'end;';
end;
insert into plain (b) values ('a;b'), ('it''s'), (null), (1), (1.0), (-0.5), (1e308), (9223372036854775807), (-9223372036854775808), (x'00ff'), (''), (x'');
insert into plain (b) values ('line
break'), ('tab	é漢🙂'), (9e999), (-9e999), (0.1 + 0.2), (cast(x'610062' as text)), (cast(x'ff61' as text));
delete from plain where id = 4;
insert into "odd ""name; --" values ('a', x'0102', 5), (null, null, null);
insert into types values (1, 'x', 5), (2, '5', '5'), (3, null, 5.5);
insert into gen (a) values (2), ('y');
insert into parent values (1, 2), (2, 1);
insert into words values ('running', 'quick foxes'), ('sat', 'the cat''s mat');
insert into about_plain (about_plain) values ('rebuild');
insert into areas values (1, 0.5, 1.25, 'note'), (2, -3, 4, null);
`;

describe('an export', () => {
  test('that is imported again gives the same database', async () => {
    const [first, second] = [await rig.create(), await rig.create()];
    await importSql(first, HARD);
    const text = await exportSql(first);
    await importSql(second, text);
    expect(await exportSql(second)).toBe(text);
    for (const sql of [
      'select sql from sqlite_schema order by name', 'select id, typeof(b), hex(b), b from plain', 'select * from gen',
      'select *, typeof(n) from types', 'select rowid, * from words', "select rowid from words where words match 'fox'",
      'select * from areas', 'select * from sqlite_sequence', "select rowid from about_plain where about_plain match 'break'",
      'select * from "v;"',
    ]) {
      expect(await rowsOf(rig.sql, second, sql), sql).toEqual(await rowsOf(rig.sql, first, sql));
    } // prettier-ignore
    await run(rig.sql, second, "insert into plain (b) values ('next')");
    expect(await rowsOf(rig.sql, second, 'select max(id) from plain')).toEqual([[20]]);
  });

  test("is read by SQLite's own shell, and a dump of that is imported", async () => {
    const [first, second] = [await rig.create(), await rig.create()];
    const text = HARD.replaceAll(/^.*(nothing_kept|words|areas|about_plain|strict).*$/gm, '').replaceAll(
      /^insert into types.*$/gm,
      '',
    );
    await importSql(first, text);
    const shell = (input: string): string =>
      execFileSync('/usr/bin/sqlite3', [':memory:'], { input, encoding: 'utf8' });
    const dump = shell(`${await exportSql(first)}\nanalyze;\n.dump\n`);
    expect(dump).toContain('CREATE TRIGGER tr');
    await importSql(second, dump);
    expect(await rowsOf(rig.sql, second, 'select sql from sqlite_schema order by name')).toEqual(
      await rowsOf(rig.sql, first, 'select sql from sqlite_schema order by name'),
    );
    expect(await rowsOf(rig.sql, second, 'select count(*) from plain')).toEqual([[18]]);
  });

  test('is of one moment, whatever is written meanwhile', async () => {
    const file = await rig.create();
    const numbers =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select i from n';
    await run(rig.sql, file, [
      'create table a (i)',
      'create table z (i)',
      `insert into a ${numbers}`,
      `insert into z ${numbers}`,
    ]);
    const parts = rig.sql.exportSql(file, reading())[Symbol.asyncIterator]();
    const first = await parts.next();
    await run(rig.sql, file, ['delete from z', 'drop table a']);
    let text = String(first.value);
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) text += next.value;
    expect(text.match(/^INSERT INTO "z"/gm)).toHaveLength(20_000);
  });

  test('shows nothing of the platform', async () => {
    const file = await rig.create();
    await rig.sql.migrate(file, [{ id: 'one', sql: 'create table t (a)' }], writing());
    expect(await exportSql(file)).toBe('BEGIN TRANSACTION;\nCREATE TABLE t (a);\nCOMMIT;\n');
    await expect(exportCsv(file, '_jellyfaas_migration')).rejects.toMatchObject({
      code: 'sql.unknown_table',
    });
    await expect(exportCsv(file, 'sqlite_master')).rejects.toMatchObject({ code: 'sql.unknown_table' });
    await expect(exportCsv(file, 'nosuch')).rejects.toMatchObject({ code: 'sql.unknown_table' });
  });

  test('as CSV is imported again with the same values, NULL and empty text apart', async () => {
    const file = await rig.create();
    await run(rig.sql, file, [
      'create table a (id integer primary key, "t,1" text, r real)',
      'create table b (id integer primary key, "t,1" text, r real)',
      {
        sql: 'insert into a ("t,1", r) values (?, 1.5), (?, 2), (null, null), (?, -1e300), (?, 3), (?, 4)',
        params: ['say "hi", you', '', 'two\r\nlines', '=1+1', 'é漢'],
      },
    ]);
    const text = await exportCsv(file, 'a');
    expect(text).toBe(
      'id,"t,1",r\r\n1,"say ""hi"", you",1.5\r\n2,"",2.0\r\n3,,\r\n4,"two\r\nlines",-1e+300\r\n5,=1+1,3.0\r\n6,é漢,4.0\r\n',
    );
    expect(await importCsv(file, 'b', text, 3)).toEqual({ rows: 6 });
    expect(await rowsOf(rig.sql, file, 'select * from b')).toEqual(
      await rowsOf(rig.sql, file, 'select * from a'),
    );
    expect(await exportCsv(file, 'b')).toBe(text);
  });

  test('as CSV comes from a view, too', async () => {
    const file = await rig.create();
    await run(rig.sql, file, [
      'create table a (i)',
      "insert into a values (x'00ff')",
      'create view v as select i as j from a',
    ]);
    expect(await exportCsv(file, 'V')).toBe('j\r\nAP8=\r\n');
  });
});

describe('an import of SQL', () => {
  test.each([1, 2, 3, 7, 1000])(
    'is cut in the same places, however it comes (%s bytes at a time)',
    async (partBytes) => {
      const file = await rig.create();
      const text = HARD.slice(0, 2600);
      const whole = text.slice(0, text.lastIndexOf(';\ninsert') + 1);
      const { statements } = await importSql(file, whole, partBytes);
      expect(statements).toBe(21);
    },
  );

  test('takes empty statements, comments and a last one without its semicolon', async () => {
    const file = await rig.create();
    const text = ';;-- a; b\n/* c; */ create table t (a); ; insert into t values (1) -- no semicolon';
    expect(await importSql(file, text, 1)).toEqual({ statements: 2 });
    expect(await importSql(file, '')).toEqual({ statements: 0 });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1]]);
  });

  test.each([
    ['create table x (a); insert into x values (1); insert into nosuch values (1);', 'sql.failed', 'line 1'],
    ['create table x (a);\n\ninsert into x\nvalues (1, 2);', 'sql.failed', 'line 3'],
    ["create table x (a);\nattach 'y' as z;", 'sql.refused', 'line 2'],
    ['create table x (a); rollback; insert into x values (1);', 'sql.refused', 'line 1'],
    ['create table x (a); pragma journal_mode = off;', 'sql.refused', 'line 1'],
    ['create table x (a); create table _jellyfaas_x (a);', 'sql.refused', 'line 1'],
    ["create table x (a); insert into x values ('open", 'sql.failed', 'line 1'],
    [
      'create table p (id integer primary key); create table c (p references p); insert into c values (9);',
      'sql.constraint',
      '',
    ],
  ])('is all or nothing: %s', async (text, code, where) => {
    const file = await rig.create();
    await expect(importSql(file, text, 5)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(where),
    });
    expect(await rig.sql.schema(file, reading())).toEqual([]);
    await importSql(file, 'create table x (b);');
  });

  test('that is not UTF-8 is refused', async () => {
    const file = await rig.create();
    const text = (async function* () {
      yield Buffer.from("create table t (a); insert into t values ('");
      yield Buffer.from([0xff, 0xfe]);
    })();
    await expect(rig.sql.importSql(file, text, writing())).rejects.toMatchObject({ code: 'sql.bad_import' });
    expect(await rig.sql.schema(file, reading())).toEqual([]);
  });

  test('whose text breaks off leaves nothing, and writing goes on', async () => {
    const file = await rig.create();
    const text = (async function* () {
      yield Buffer.from('create table t (a);');
      throw new Error('the client left');
    })();
    await expect(rig.sql.importSql(file, text, writing())).rejects.toThrow('the client left');
    await run(rig.sql, file, 'create table t (b)');
  });

  test('that is not sent on for too long leaves nothing', async () => {
    const late: (() => void)[] = [];
    const scheduler: Scheduler = {
      after: (delayMs, task) => {
        if (delayMs === 77_000) late.push(task);
        return { close: () => undefined };
      },
    };
    const slow = rig.open({ scheduler, limits: { stallMs: 77_000 } });
    const file = rig.file();
    await slow.create(file);
    const sent = Promise.withResolvers<void>();
    const text = (async function* () {
      yield Buffer.from('create table t (a);');
      sent.resolve();
      await new Promise(() => undefined);
    })();
    const importing = slow.importSql(file, text, writing());
    await sent.promise;
    late.at(-1)?.();
    await expect(importing).rejects.toMatchObject({ code: 'sql.stalled' });
    expect(await slow.schema(file, reading())).toEqual([]);
    await slow.close();
  });

  test('lets others read meanwhile, and refuses them to write', async () => {
    const file = await rig.create();
    await run(rig.sql, file, 'create table t (a)');
    const sent = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const text = (async function* () {
      yield Buffer.from('insert into t values (1);');
      sent.resolve();
      await goOn.promise;
      yield Buffer.from('insert into t values (2);');
    })();
    const importing = rig.sql.importSql(file, text, writing());
    await sent.promise;
    expect(await rowsOf(rig.sql, file, 'select count(*) from t')).toEqual([[0]]);
    await expect(run(rig.sql, file, 'insert into t values (3)')).rejects.toMatchObject({ code: 'sql.busy' });
    goOn.resolve();
    expect(await importing).toEqual({ statements: 2 });
    expect(await rowsOf(rig.sql, file, 'select a from t')).toEqual([[1], [2]]);
  });

  test('is refused where it would be larger than it may, or only reading is allowed', async () => {
    const small = rig.open({ limits: { importBytesMax: 100 } });
    const file = rig.file();
    await small.create(file);
    const long = `create table t (a);${' '.repeat(200)}`;
    await expect(small.importSql(file, bytesOf(long, 60), writing())).rejects.toMatchObject({
      code: 'sql.too_large',
    });
    await expect(small.importSql(file, bytesOf('select 1'), reading())).rejects.toMatchObject({
      code: 'sql.refused',
    });
    expect(await small.schema(file, reading())).toEqual([]);
    await small.close();
  });
});

describe('an import of CSV', () => {
  test('makes a table of text where there is none, and fills by name the one that is there', async () => {
    const file = await rig.create();
    expect(await importCsv(file, 'made', 'zip,"a ""b"""\n007,x\n,""\n')).toEqual({ rows: 2 });
    expect(await rowsOf(rig.sql, file, 'select * from made')).toEqual([
      ['007', 'x'],
      [null, ''],
    ]);
    await run(rig.sql, file, 'create table typed (n integer, r real, t text default 5)');
    await importCsv(file, 'TYPED', 'r,n\r\n1,2\r\n2.5,x\r\n');
    expect(await rowsOf(rig.sql, file, 'select * from typed')).toEqual([
      [2, 1, '5'],
      ['x', 2.5, '5'],
    ]);
  });

  test.each([
    ['', 'no line of column names'],
    ['a,,c\n', 'a column has no name'],
    ['a,b\n1\n', 'row 1, it has another number of fields'],
    ['a,b\n1,2\n1,2,3\n', 'row 2'],
    ['a\n"open', 'a quote is not closed'],
    ['a\nx"y\n', 'a quote stands within a field'],
    ['a\n"x"y\n', 'something follows a closing quote'],
    ['a,A\n1,2\n', 'duplicate column name'],
  ])('is all or nothing: %j', async (text, reason) => {
    const file = await rig.create();
    await expect(importCsv(file, 't', text, 2)).rejects.toMatchObject({
      message: expect.stringContaining(reason),
    });
    expect(await rig.sql.schema(file, reading())).toEqual([]);
  });

  test.each(['_jellyfaas_migration', 'sqlite_master', 'sqlite_x', 'v'])(
    'does not write into %j',
    async (table) => {
      const file = await rig.create();
      await run(rig.sql, file, 'create view v as select 1 as a');
      await expect(importCsv(file, table, 'a\n1\n')).rejects.toMatchObject({
        code: expect.stringMatching(/^sql\.(refused|failed)$/),
      });
    },
  );

  test('takes names as names, whatever they look like', async () => {
    const file = await rig.create();
    await importCsv(file, 't"; drop table x; --', '"a"");--",b\n1,2\n');
    expect(await rowsOf(rig.sql, file, 'select "a"");--" from "t""; drop table x; --"')).toEqual([['1']]);
  });
});

describe('migrations', () => {
  const one = { id: '001-start', sql: "create table t (a); insert into t values ('x;y');" };
  const two = {
    id: '002-more',
    sql: 'alter table t add column b default 5; create trigger tr after insert on t begin select 1; select 2; end;',
  };

  test('are applied once, in their order', async () => {
    const file = await rig.create();
    expect(await rig.sql.migrate(file, [one], writing())).toEqual({ applied: ['001-start'] });
    expect(await rig.sql.migrate(file, [one, two], writing())).toEqual({ applied: ['002-more'] });
    expect(await rig.sql.migrate(file, [one, two], writing())).toEqual({ applied: [] });
    expect(await rowsOf(rig.sql, file, 'select * from t')).toEqual([['x;y', 5]]);
  });

  test('whose text changed are refused', async () => {
    const file = await rig.create();
    await rig.sql.migrate(file, [one], writing());
    const changed = { ...one, sql: `${one.sql} ` };
    await expect(rig.sql.migrate(file, [changed], writing())).rejects.toMatchObject({
      code: 'sql.migration_changed',
    });
  });

  test('that fail leave nothing of themselves, and what was before stays', async () => {
    const file = await rig.create();
    const broken = { id: '002-broken', sql: 'create table u (a); insert into nosuch values (1);' };
    await expect(rig.sql.migrate(file, [one, broken], writing())).rejects.toMatchObject({
      code: 'sql.failed',
    });
    expect((await rig.sql.schema(file, reading())).map(({ name }) => name)).toEqual(['t']);
    expect(await rig.sql.migrate(file, [one, two], writing())).toEqual({ applied: ['002-more'] });
  });

  test('are guarded as any statement, and have proper ids', async () => {
    const file = await rig.create();
    for (const sql of [
      "attach 'x' as y",
      'rollback; create table t (a)',
      'select load_extension(1)',
      "update _jellyfaas_migration set hash = ''",
    ]) {
      await expect(rig.sql.migrate(file, [{ id: 'x', sql }], writing())).rejects.toMatchObject({
        code: expect.stringMatching(/^sql\.(refused|failed)$/),
      });
    }
    for (const id of ['', 'a b', 'ü', 'x'.repeat(65), "'"]) {
      await expect(rig.sql.migrate(file, [{ id, sql: 'select 1' }], writing())).rejects.toMatchObject({
        code: 'sql.bad_migration',
      });
    }
    await expect(rig.sql.migrate(file, [one, one], writing())).rejects.toMatchObject({
      code: 'sql.bad_migration',
    });
    await expect(rig.sql.migrate(file, [one], reading())).rejects.toMatchObject({ code: 'sql.refused' });
  });

  test('of twenty thousand statements fit into the memory of one process', async () => {
    const file = await rig.create();
    const sql = `create table t (a);${Array.from({ length: 20_000 }, (_, index) => `insert into t values (${index});`).join('\n')}`;
    await rig.sql.migrate(file, [{ id: 'many', sql }], writing());
    expect(await rowsOf(rig.sql, file, 'select count(*) from t')).toEqual([[20_000]]);
  });
});

test('what is imported and exported lies on no disk in the clear', async () => {
  const file = await rig.create();
  await importSql(file, "create table canary_table (a); insert into canary_table values ('canary-row');");
  await exportSql(file);
  for (const name of ['data.db', 'data.db-wal', 'data.db-shm']) {
    expect(readFileSync(`${file.directory}/${name}`).includes('canary'), name).toBe(false);
  }
});
