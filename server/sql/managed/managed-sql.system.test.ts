import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRig, type Rig, rowsOf, run } from './testing/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

test('what was written is read again', async () => {
  const file = await rig.create();
  await run(rig.sql, file, [
    'create table t (a integer primary key, b)',
    { sql: 'insert into t (b) values (?)', params: ['x'] },
  ]);
  expect(await rowsOf(rig.sql, file, 'select * from t')).toEqual([[1, 'x']]);
});
