import { expect, it } from 'vitest';
import { fuse } from './fusion.ts';

it('ranks by the sum of reciprocal ranks, first what both lists have', () => {
  // 1/61 + 1/63, 1/62 + 1/61, 1/63, 1/62.
  expect(
    fuse([
      [1, 2, 3],
      [2, 4, 1],
    ]),
  ).toEqual([2, 1, 4, 3]);
});

it('keeps the order of one list alone', () => {
  expect(fuse([[5, 3, 9], []])).toEqual([5, 3, 9]);
});
