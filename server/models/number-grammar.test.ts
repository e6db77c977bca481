import { expect, test } from 'vitest';
import { type Bounds, integerRange, numberRange } from './number-grammar.ts';
import { expressionOf } from './testing.ts';

const OPEN: Bounds = {
  min: undefined,
  max: undefined,
  above: undefined,
  below: undefined,
  multipleOf: undefined,
};

test.each([
  [0, 9],
  [1, 100],
  [7, 7],
  [-5, 12],
  [-130, -17],
  [18, 1205],
  [99, 1000],
  [-1000, 0],
])('integers between %d and %d are exactly those that can be written', (min, max) => {
  const grammar = expressionOf(integerRange({ ...OPEN, min, max }));
  const written = range(-2000, 2000).filter((value) => grammar.test(String(value)));
  expect(written).toEqual(range(min, max));
});

test('exclusive bounds and multiples are kept', () => {
  const grammar = expressionOf(integerRange({ ...OPEN, above: 0, below: 20, multipleOf: 5 }));
  expect(range(-50, 50).filter((value) => grammar.test(String(value)))).toEqual([5, 10, 15]);
});

test('an integer that has only one bound keeps to it', () => {
  const grammar = expressionOf(integerRange({ ...OPEN, min: 1 }));
  const written = ['0', '-1', '1', '9', '10', '4096', '999999999999999', '9999999999999999'].filter((text) =>
    grammar.test(text),
  );
  expect(written).toEqual(['1', '9', '10', '4096', '999999999999999']);
});

test.each([
  { min: 0, max: 1 },
  { min: -1.5, max: 1.5 },
  { min: 2.5, max: 40.25 },
  { min: -90, max: 90 },
  { above: 0, below: 10 },
  { min: 0 },
  { below: -3 },
  { min: 0.1, max: 0.9, multipleOf: 0.1 },
])('no number outside of %o can be written, and some inside can', (given) => {
  const bounds = { ...OPEN, ...given };
  const grammar = expressionOf(numberRange(bounds));
  const texts = range(-10_000, 10_000).flatMap((value) => [String(value / 100), String(value / 10)]);
  const written = texts.filter((text) => grammar.test(text)).map(Number);
  expect(written.length).toBeGreaterThan(0);
  expect(written.filter((value) => !fits(value, bounds))).toEqual([]);
});

function fits(value: number, { min, max, above, below }: Bounds): boolean {
  return (
    value >= (min ?? -Infinity) &&
    value <= (max ?? Infinity) &&
    value > (above ?? -Infinity) &&
    value < (below ?? Infinity)
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
