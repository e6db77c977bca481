import { describe, expect, it } from 'vitest';
import type { SqlRow } from '../../../server/sql/sql.ts';
import { matchesResult } from './compare-rows.ts';

const result = (columns: readonly string[], ...rows: SqlRow[]) => ({ columns, rows, truncated: false });
const expected = result(['name', 'total'], ['Ada', 12.5], ['Ben', 3], ['Ada', 1]);

describe('a result', () => {
  it.each([
    ['the same', result(['name', 'total'], ['Ada', 12.5], ['Ben', 3], ['Ada', 1])],
    ['in other order', result(['name', 'total'], ['Ada', 1], ['Ada', 12.5], ['Ben', 3])],
    ['under other names', result(['a', 'b'], ['Ada', 12.5], ['Ben', 3], ['Ada', 1])],
    ['with columns turned', result(['total', 'name'], [12.5, 'Ada'], [3, 'Ben'], [1, 'Ada'])],
    ['with more columns', result(['id', 'n', 't'], [1, 'Ada', '12.50'], [2, 'Ben', 3.00001], [3, 'Ada', 1])],
  ])('is right when it is %s', (_what, found) => {
    expect(matchesResult(expected, found, false)).toBe(true);
  });

  it.each([
    ['has a row less', result(['name', 'total'], ['Ada', 12.5], ['Ben', 3])],
    ['has another value', result(['name', 'total'], ['Ada', 12.6], ['Ben', 3], ['Ada', 1])],
    ['pairs values otherwise', result(['name', 'total'], ['Ada', 3], ['Ben', 12.5], ['Ada', 1])],
    ['lacks a column', result(['name'], ['Ada'], ['Ben'], ['Ada'])],
    ['is cut', { ...expected, truncated: true }],
  ])('is wrong when it %s', (_what, found) => {
    expect(matchesResult(expected, found, false)).toBe(false);
  });

  it('has its order where that is asked for', () => {
    const turned = { ...expected, rows: expected.rows.toReversed() };
    expect([matchesResult(expected, turned, true), matchesResult(expected, turned, false)]).toEqual([
      false,
      true,
    ]);
  });
});
