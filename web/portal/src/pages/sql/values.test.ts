import { describe, expect, it } from 'vitest';
import { blobBytes, columnTypes, csvOf, jsonOf } from './values.ts';

const result = {
  columns: ['id', 'name', 'name', 'photo'],
  rows: [
    [1, 'Ada, "the first"', null, { base64: 'AAEC' }],
    [{ int: '9007199254740993' }, 'two\nlines', 2.5, null],
  ],
};

describe('a result', () => {
  it('tells the types that its columns really have', () => {
    expect(columnTypes(result)).toEqual([['integer'], ['text'], ['real'], ['blob']]);
  });

  it('leaves as CSV that others read', () => {
    expect(csvOf(result)).toBe(
      'id,name,name,photo\r\n1,"Ada, ""the first""",,AAEC\r\n9007199254740993,"two\nlines",2.5,\r\n',
    );
  });

  it('leaves as JSON without losing a column', () => {
    expect(JSON.parse(jsonOf(result))).toEqual([
      { id: 1, name: 'Ada, "the first"', name_2: null, photo: { base64: 'AAEC' } },
      { id: { int: '9007199254740993' }, name: 'two\nlines', name_2: 2.5, photo: null },
    ]);
  });

  it('knows how long a blob is', () => {
    expect(['', 'AA==', 'AAE=', 'AAEC'].map(blobBytes)).toEqual([0, 1, 2, 3]);
  });
});
