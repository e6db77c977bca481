import { expect, test } from 'vitest';
import { type Keeper, unkept } from './keepers.ts';

test('a table that no keeper names is told once', () => {
  const keeper: Keeper = { area: 'calls', tables: ['calls.call'], erase: async () => undefined };
  expect(unkept([keeper], ['calls.call', 'functions.build', 'functions.build'])).toEqual(['functions.build']);
});
