import { expect, it } from 'vitest';
import { createBatches } from './batches.ts';

it('does together what comes while earlier work is done, in order and within the bound', async () => {
  const batches: number[][] = [];
  const held = Promise.withResolvers<void>();
  const run = createBatches<number, string>(async (items) => {
    batches.push([...items]);
    if (batches.length === 1) await held.promise;
    return items.map((item) => `done ${item}`);
  }, 3);
  const first = run(0);
  const others = [1, 2, 3, 4].map((item) => run(item));
  held.resolve();
  expect(await Promise.all([first, ...others])).toEqual(['done 0', 'done 1', 'done 2', 'done 3', 'done 4']);
  expect(batches).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
});

it('fails all items of a batch that fails, and goes on with the next', async () => {
  let fails = true;
  const run = createBatches<number, number>(async (items) => {
    if (fails) throw new Error('disk');
    return items;
  }, 2);
  const outcomes = await Promise.allSettled([run(1), run(2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await run(3)).toBe(3);
});
