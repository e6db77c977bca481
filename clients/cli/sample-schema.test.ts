import { describe, expect, it } from 'vitest';
import { schemaFromSample } from './sample-schema.ts';

const HEAD = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Generated schema from jellyfaas',
};

describe('the schema of a sample', () => {
  const cases: [unknown, object][] = [
    [null, { type: 'null' }],
    [1, { type: 'integer' }],
    [1.5, { type: 'number' }],
    ['x', { type: 'string' }],
    [true, { type: 'boolean' }],
    [[], { type: 'array', items: {} }],
    [{}, { type: 'object', properties: {} }],
    [
      [{ a: 1 }, { b: 2 }],
      { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] } },
    ],
    [
      { name: 'x', nested: { list: [null] } },
      {
        type: 'object',
        properties: {
          name: { type: 'string' },
          nested: {
            type: 'object',
            properties: { list: { type: 'array', items: { type: 'null' } } },
            required: ['list'],
          },
        },
        required: ['name', 'nested'],
      },
    ],
  ];
  for (const [sample, schema] of cases) {
    it(JSON.stringify(sample), () => expect(schemaFromSample(sample)).toEqual({ ...HEAD, ...schema }));
  }

  it('of endless nesting is refused', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`);
    expect(() => schemaFromSample(deep)).toThrow(RangeError);
  });
});
