import { describe, expect, it } from 'vitest';
import { schemaRows } from './schema-rows.ts';

describe('a schema as people read it', () => {
  it('names every value with type, need, limits, words and example', () => {
    const rows = schemaRows({
      type: 'object',
      required: ['items'],
      properties: {
        items: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['sku'],
            properties: { sku: { type: 'string', pattern: '^A' } },
          },
        },
        level: { enum: ['low', 'high'], description: 'How much', default: 'low' },
        note: { type: ['string', 'null'] },
        tags: { type: 'array', items: { type: 'string' } },
        free: {},
      },
    });
    const none = { description: '', example: '', limits: [], required: false };
    expect(rows).toEqual([
      { ...none, path: 'items', types: ['array of object'], required: true, limits: ['minItems 1'] },
      { ...none, path: 'items[].sku', types: ['string'], required: true, limits: ['pattern ^A'] },
      { ...none, path: 'level', types: ['"low"', '"high"'], description: 'How much', example: '"low"' },
      { ...none, path: 'note', types: ['string', 'null'] },
      { ...none, path: 'tags', types: ['array of string'] },
      { ...none, path: 'free', types: ['any'] },
    ]);
  });

  it('shows a value that is no object as one row, and follows references without end', () => {
    expect(schemaRows({ type: 'string' }).map(({ path, types }) => [path, types])).toEqual([
      ['', ['string']],
    ]);
    const tree = { type: 'object', properties: { child: { $ref: '#' } } };
    expect(schemaRows(tree).length).toBeLessThan(20);
  });
});
