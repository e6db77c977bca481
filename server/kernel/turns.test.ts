import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

const never = new AbortController().signal;

it('lets nobody wait for a holder that has as many turns as it may', async () => {
  const take = createTurns({ atOnce: 3, perHolder: 2 });
  const begun: string[] = [];
  const begin = (holder: string) =>
    take(holder, never).then((leave) => {
      begun.push(holder);
      return leave;
    });
  const first = await begin('a');
  await begin('a');
  const third = begin('a');
  await begin('b');
  const fourth = begin('b');
  expect(begun).toEqual(['a', 'a', 'b']);
  first();
  await third;
  expect(begun).toEqual(['a', 'a', 'b', 'a']);
  (await third)();
  await fourth;
  expect(begun.at(-1)).toBe('b');
});

it('forgets whoever gives up while he waits', async () => {
  const take = createTurns({ atOnce: 1, perHolder: 1 });
  const leave = await take('a', never);
  const leaving = new AbortController();
  const given = take('a', leaving.signal);
  const last = take('b', never);
  leaving.abort(new Error('left'));
  await expect(given).rejects.toThrow('left');
  leave();
  (await last)();
  await expect(take('c', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
