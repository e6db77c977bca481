import { describe, expect, it } from 'vitest';
import { typeOfSchema } from './schema-types.ts';

/** On one line, for comparison. */
function typed(schema: unknown): string {
  return typeOfSchema(schema).replaceAll(/\s+/g, ' ');
}

describe('a schema as a TypeScript type', () => {
  const cases: Record<string, [unknown, string]> = {
    scalars: [{ type: ['string', 'integer', 'null'] }, 'string | number | null'],
    'an object with required and optional properties': [
      { type: 'object', properties: { a: { type: 'string' }, 'b-c': { type: 'boolean' } }, required: ['a'] },
      '{ a: string; "b-c"?: boolean; }',
    ],
    'a required property without a schema': [{ type: 'object', required: ['a'] }, '{ a: unknown; }'],
    'an object of any keys': [{ type: 'object' }, 'Record<string, unknown>'],
    'an object of numbers': [
      { type: 'object', additionalProperties: { type: 'number' } },
      'Record<string, number>',
    ],
    'an object without keys': [{ type: 'object', additionalProperties: false }, 'Record<string, never>'],
    'a list': [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    'a tuple': [
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], minItems: 1, items: false },
      '[string, number?]',
    ],
    'an enum in a list': [{ type: 'array', items: { enum: ['a', 'b'] } }, '("a" | "b")[]'],
    'a constant': [{ const: 'on' }, '"on"'],
    'a choice': [{ oneOf: [{ type: 'string' }, { type: 'number' }] }, 'string | number'],
    'all of several': [
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } } },
          { type: 'object', properties: { b: { type: 'string' } } },
        ],
      },
      '{ a?: string; } & { b?: string; }',
    ],
    'a local reference': [
      { type: 'object', properties: { a: { $ref: '#/$defs/x' } }, $defs: { x: { type: 'string' } } },
      '{ a?: string; }',
    ],
    'a description': [
      { type: 'object', properties: { a: { type: 'string', description: 'The  name' } } },
      '{ /** The name */ a?: string; }',
    ],
    'nothing known': [{}, 'unknown'],
    'no schema': [undefined, 'unknown'],
    'a property named like a prototype member': [
      { type: 'object', properties: {}, required: ['constructor'] },
      '{ constructor: unknown; }',
    ],
  };
  for (const [title, [schema, type]] of Object.entries(cases)) {
    it(title, () => expect(typed(schema)).toBe(type));
  }
});

describe('a hostile schema', () => {
  it('cannot leave its quotes or its comment', () => {
    const type = typed({
      type: 'object',
      properties: {
        'a"]: 1 }; evil(); //': { type: 'string', description: '*/ evil(); /* \u202e\u001b[2J' },
        b: { enum: ['"; evil();\u2028\u202e'] },
      },
    });
    expect(type).toBe(
      '{ /** *\\/ evil(); /* [2J */ "a\\"]: 1 }; evil(); //"?: string; b?: "\\"; evil();\\u2028\\u202e"; }',
    );
  });

  it('that refers to itself ends as unknown', () => {
    const list = { type: 'object', properties: { next: { $ref: '#' } } };
    expect(typed(list)).toContain('next?: unknown');
  });

  it('whose references multiply stays small', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 20 }, (_, level) => [
        `d${level}`,
        { type: 'array', prefixItems: Array.from({ length: 10 }, () => ({ $ref: `#/$defs/d${level + 1}` })) },
      ]),
    );
    expect(typeOfSchema({ $ref: '#/$defs/d0', $defs }).length).toBeLessThan(100_000);
  });

  it('with a reference that points nowhere, or outside, is unknown', () => {
    for (const $ref of ['#/$defs/none', '#/__proto__/x', 'https://example.com/x', '#/%E0%A4%A'])
      expect(typed({ $ref })).toBe('unknown');
  });
});
