import { expect, test } from 'vitest';
import { runs } from './runs.ts';

async function* items(text: string): AsyncGenerator<string> {
  yield* text.split(' ');
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of from) found.push(item);
  return found;
}

const initial = (item: string): string => item.charAt(0);

test('items come run by run', async () => {
  const found: string[][] = [];
  for await (const { items: run } of runs(items('a1 a2 b1 a3'), initial)) found.push(await all(run));
  expect(found).toEqual([['a1', 'a2'], ['b1'], ['a3']]);
});

test('what is left of a run is passed over, be it untouched or given up', async () => {
  const found: string[] = [];
  for await (const { key, first, items: run } of runs(items('a1 a2 a3 b1 b2 c1'), initial)) {
    found.push(key + first);
    if (key === 'b') for await (const _item of run) break;
    if (key === 'c') found.push(...(await all(run)));
  }
  expect(found).toEqual(['aa1', 'bb1', 'cc1', 'c1']);
});
