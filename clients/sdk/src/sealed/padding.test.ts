import { expect, it } from 'vitest';
import { pad, padmeLength } from './padding.ts';

it('small messages all have one length', () => {
  expect(new Set([0, 1, 100, 256].map(padmeLength))).toEqual(new Set([256]));
});

it('lengths of larger ones grow by at most 12 %, and there are few of them', () => {
  const lengths = new Set<number>();
  for (let length = 257; length < 70_000; length++) {
    const padded = padmeLength(length);
    expect(padded >= length && padded <= length * 1.12).toBe(true);
    lengths.add(padded);
  }
  expect(lengths.size).toBeLessThan(200);
});

it('what is appended is zero', () => {
  const padded = pad(Uint8Array.of(1, 2));
  expect([...padded.subarray(0, 3)]).toEqual([1, 2, 0]);
  expect(padded.subarray(2).every((byte) => byte === 0)).toBe(true);
});
