import { expect, test } from 'vitest';
import { LruMap } from './lru-map.ts';

test('the entry unused for longest goes first', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  expect(map.set('c', 3)).toBe(2);
  expect(map.get('b')).toBeUndefined();
  expect(map.take('a')).toBe(1);
  expect(map.entries()).toEqual([['c', 3]]);
});
