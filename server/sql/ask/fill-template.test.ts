import { describe, expect, it } from 'vitest';
import type { SqlResult } from '../sql.ts';
import { fillTemplate } from './fill-template.ts';

const result = (over: Partial<SqlResult> = {}): SqlResult => ({
  columns: ['name', 'total'],
  rows: [
    ['Ada', 12.5],
    ['Ben', null],
  ],
  truncated: false,
  ...over,
});
const TABLE = '| name | total |\n| --- | --- |\n| Ada | 12.5 |\n| Ben | NULL |';

describe('words with gaps', () => {
  it('are filled with the values of the result', () => {
    expect(fillTemplate('{{0.name}} has {{ 0 . total }}, {{1.name}} has {{1.total}}.', result())).toBe(
      'Ada has 12.5, Ben has NULL.',
    );
  });

  it('may hold all rows as a table', () => {
    expect(fillTemplate('All of them:\n{{rows}}\nDone.', result())).toBe(`All of them:\n\n${TABLE}\n\nDone.`);
  });

  it.each(['{{2.name}}', '{{0.nothing}}', '{{0}}', '{{count}}', '{{0.name', '{{{{0.name}}}}'])(
    'that do not fit are not believed: %s',
    (template) => {
      expect(fillTemplate(`It is ${template}.`, result())).toBe(
        `The result, as the database gave it:\n\n${TABLE}`,
      );
    },
  );

  it('that show nothing of the rows are followed by them', () => {
    expect(fillTemplate('There are two.', result())).toBe(`There are two.\n\n${TABLE}`);
    expect(fillTemplate('There are none.', result({ rows: [] }))).toBe('There are none.');
  });

  it('take values as they are: none becomes a gap, a link, an image or a line', () => {
    const rows = [
      ['{{1.name}}', '![x](http://example.org/?d=1)'],
      ['<img src=x>', 'a | b\n# c'],
    ];
    expect(fillTemplate('{{0.name}}{{0.total}}{{1.name}}{{1.total}}', result({ rows }))).toBe(
      String.raw`{{1.name}}!\[x\](http://example.org/?d=1)\<img src=x>a \| b # c`,
    );
  });

  it('show big integers by their digits and no bytes', () => {
    const rows = [[{ int: '9007199254740993' }, { base64: 'AAAA' }]];
    expect(fillTemplate('{{0.name}} {{0.total}}', result({ rows }))).toBe('9007199254740993 (binary)');
  });

  it('are bounded, and say so', () => {
    const rows = Array.from({ length: 500 }, (_, at) => [`n${at}`, at]);
    const text = fillTemplate('{{rows}}', result({ rows }));
    expect(text).toContain('| n99 | 99 |');
    expect(text).not.toContain('n100');
    expect(text).toContain('(the first 100 rows)');
  });
});
