import { expect, test } from 'vitest';
import { createOutputLines } from './output-lines.ts';

function collect(...chunks: (string | Buffer)[]): { lines: string[]; tail: string } {
  const lines: string[] = [];
  const output = createOutputLines((line) => lines.push(line));
  const stream = output.stream();
  for (const chunk of chunks) stream.push(Buffer.from(chunk as string));
  stream.end();
  return { lines, tail: output.tail() };
}

test('lines arrive whole, whatever the chunks', () => {
  expect(collect('one\ntw', 'o\nthr', 'ee').lines).toEqual(['one', 'two', 'three']);
});

test('a character that is split over chunks stays itself', () => {
  const bytes = Buffer.from('grün\n');
  expect(collect(bytes.subarray(0, 3), bytes.subarray(3)).lines).toEqual(['grün']);
});

test('colours, cursor movements and control characters are removed', () => {
  expect(collect('\u001b[31mred\u001b[0m\u0007 \u001b[2Kend\n').lines).toEqual(['red end']);
});

test('a line without end cannot grow beyond 4 KiB', () => {
  const { lines } = collect(...Array.from({ length: 100 }, () => 'x'.repeat(1000)), '\nnext\n');
  expect(lines.map((line) => line.length)).toEqual([4096, 4]);
});

test('after 10,000 lines only the tail is kept', () => {
  const { lines, tail } = collect(Array.from({ length: 12_000 }, (_, i) => `line ${i}\n`).join(''));
  expect(lines).toHaveLength(10_001);
  expect(lines.at(-1)).toContain('not shown');
  expect(tail.endsWith('line 11999')).toBe(true);
  expect(tail.length).toBeLessThanOrEqual(8192);
});
