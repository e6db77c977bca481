import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseFile } from '../../databases/databases.ts';
import { openRig, reading, type Rig, rowsOf, run, withTable, writing } from './testing/rig.ts';

let rig: Rig;
let file: DatabaseFile;
beforeAll(async () => {
  rig = await openRig();
  file = await withTable(rig);
});
afterAll(() => rig.close());

const rows = (sql: string) => rowsOf(rig.sql, file, sql);
const attempt = (sql: string, options = writing()) => run(rig.sql, file, sql, options);

describe('rows', () => {
  test('are cut at the number asked for, and at the one of the installation', async () => {
    const numbers =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) select i from n';
    const [few] = await attempt(numbers, reading({ rowsMax: 10 }));
    expect([few?.rows.length, few?.truncated]).toEqual([10, true]);
    const [many] = await attempt(numbers, reading({ rowsMax: 1_000_000 }));
    expect([many?.rows.length, many?.truncated]).toEqual([1000, true]);
    const [exact] = await attempt('values (1), (2)', reading({ rowsMax: 2 }));
    expect([exact?.rows.length, exact?.truncated]).toEqual([2, false]);
  });

  test('are cut at a size, over all statements of a batch', async () => {
    const big = "select printf('%.*c', 300000, 'x') from (values (1), (2), (3), (4), (5))";
    const results = await run(rig.sql, file, [big, big], reading());
    expect(results.map((result) => [result.rows.length, result.truncated])).toEqual([
      [3, true],
      [0, true],
    ]);
  });

  test('come as a stream in order, as many as there are', async () => {
    const sql =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 50000) select i, ? from n';
    const { columns, rows: stream } = await rig.sql.stream(file, { sql, params: ['x'] }, reading());
    expect(columns).toEqual(['i', '?']);
    let count = 0;
    for await (const [value] of stream) if (value !== ++count) throw new Error('out of order');
    expect(count).toBe(50_000);
  });

  test('of a stream are those of its beginning, whatever is written meanwhile, and writing does not wait for it', async () => {
    await run(rig.sql, file, [
      'create table many (a)',
      'insert into many with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) select i from n',
    ]);
    const { rows: stream } = await rig.sql.stream(file, { sql: 'select a from many' }, reading());
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await attempt('delete from many');
    let count = 1;
    while (!(await reader.next()).done) count++;
    expect(count).toBe(60_000);
    expect(await rows('select count(*) from many')).toEqual([[0]]);
  });

  test('of a stream only come from reading statements, one at a time, guarded as any', async () => {
    for (const sql of [
      'delete from t',
      'insert into t values (1) returning a',
      'select 1; select 2',
      "attach 'x' as y",
      'begin',
    ]) {
      await expect(rig.sql.stream(file, { sql }, reading())).rejects.toMatchObject({ code: 'sql.refused' });
    }
    const narrow = rig.sql.stream(file, { sql: 'select * from t' }, reading({ tables: [] }));
    await expect(narrow).rejects.toMatchObject({ code: 'sql.refused' });
  });

  test('of a stream are not read on when its reader leaves, and the database goes on', async () => {
    const endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select i from n';
    for (let round = 0; round < 6; round++) {
      const { rows: stream } = await rig.sql.stream(file, { sql: endless }, reading());
      for await (const [value] of stream) if (value === 10) break;
    }
    expect(await rows('select 1')).toEqual([[1]]);
  });

  test('longer than a part are refused, and the database goes on', async () => {
    const long = "select printf('%.*c', 9000000, 'x')";
    const { rows: stream } = await rig.sql.stream(file, { sql: long }, reading());
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'sql.row_too_large' });
    expect(await rows('select 1')).toEqual([[1]]);
  });
});
