import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { cleanSchema, encodeSchema, hasUnionType } from './schema-hygiene.ts';
import type { Json } from './spec.ts';

function cleaned(raw: Json): Json {
  const result = cleanSchema(raw, '');
  if (result.faults !== undefined) throw new Error(JSON.stringify(result.faults));
  return result.schema;
}

function faultsOf(raw: Json): string[] {
  return (cleanSchema(raw, '/s').faults ?? []).map(({ pointer }) => pointer);
}

describe('a schema that the public SDKs would choke on is brought into their form', () => {
  const cases: Record<string, [Json, Json]> = {
    'draft-07 is dropped': [
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
      { type: 'object' },
    ],
    'draft 2020-12 stays': [
      { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
      { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
    ],
    'null keywords go': [
      { type: 'object', required: null, properties: null, items: null },
      { type: 'object' },
    ],
    'null among properties goes': [
      { type: 'object', properties: { a: null, b: {} } },
      { type: 'object', properties: { b: {} } },
    ],
    'unknown keywords, format and example go, at any depth': [
      {
        type: 'object',
        foo: 1,
        properties: { at: { type: 'string', format: 'date-time', example: 'x', xml: {} } },
      },
      { type: 'object', properties: { at: { type: 'string' } } },
    ],
    'a property may be called like a keyword': [
      { type: 'object', properties: { format: { type: 'string' }, example: { type: 'float' } } },
      { type: 'object', properties: { format: { type: 'string' }, example: { type: 'number' } } },
    ],
    'float becomes number': [
      { type: 'object', properties: { a: { type: 'float' }, b: { type: ['int', 'null'] } } },
      { type: 'object', properties: { a: { type: 'number' }, b: { type: ['integer', 'null'] } } },
    ],
    'a list of items becomes prefixItems': [
      { type: 'array', items: [{ type: 'string' }] },
      { type: 'array', prefixItems: [{ type: 'string' }] },
    ],
    'nullable becomes a union': [
      { type: 'object', properties: { a: { type: 'string', nullable: true } } },
      { type: 'object', properties: { a: { type: ['string', 'null'] } } },
    ],
    'a condition without branches goes': [{ type: 'object', if: { required: ['a'] } }, { type: 'object' }],
    'const and default may be null': [
      { type: 'object', properties: { a: { const: null }, b: { default: null } } },
      { type: 'object', properties: { a: { const: null }, b: { default: null } } },
    ],
    'a remote $id goes': [{ $id: 'https://example.com/x', type: 'object' }, { type: 'object' }],
    'local references stay': [
      {
        type: 'object',
        properties: { a: { $ref: '#/definitions/x' } },
        definitions: { x: { type: 'string' } },
      },
      {
        type: 'object',
        properties: { a: { $ref: '#/definitions/x' } },
        definitions: { x: { type: 'string' } },
      },
    ],
  };
  for (const [title, [raw, expected]] of Object.entries(cases)) {
    it(title, () => {
      expect(cleaned(raw)).toEqual(expected);
      expect(cleaned(cleaned(raw))).toEqual(expected);
      new Ajv2020({ logger: false }).compile(expected as object);
    });
  }
});

describe('a missing type at the top is inferred', () => {
  const cases: [Json, Json][] = [
    [{ properties: {} }, 'object'],
    [{ required: ['a'] }, 'object'],
    [{ items: {} }, 'array'],
    [{ minLength: 1 }, 'string'],
    [{ maximum: 1 }, 'number'],
    [{ enum: ['a', 'b'] }, 'string'],
    [{ enum: ['a', 1, null] }, ['string', 'number', 'null']],
    [{ const: null }, 'null'],
    [{ anyOf: [{ type: 'string' }, { type: 'object' }] }, ['string', 'object']],
    [{ allOf: [{ type: 'object' }, { type: 'object' }] }, 'object'],
    [{}, ['object', 'array', 'string', 'number', 'boolean', 'null']],
  ];
  for (const [raw, type] of cases) {
    it(JSON.stringify(raw), () => expect(cleaned(raw)).toMatchObject({ type }));
  }
});

describe('a schema that cannot be used is refused where it is wrong', () => {
  const deep = (levels: number): Json => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } });
  const cases: Record<string, [Json, string]> = {
    text: ['string', '/s'],
    'a boolean': [true, '/s'],
    'an unknown type': [{ properties: { a: { type: 'strange' } } }, '/s/properties/a/type'],
    'a type named like a prototype member': [{ type: 'constructor' }, '/s/type'],
    'a remote reference': [
      { properties: { a: { $ref: 'https://example.com/x.json' } } },
      '/s/properties/a/$ref',
    ],
    'a file reference': [{ items: { $ref: 'other.json' } }, '/s/items/$ref'],
    'a reference to nowhere': [{ $ref: '#/$defs/missing' }, '/s'],
    'a catastrophic pattern': [
      { properties: { a: { type: 'string', pattern: '(a+)+$' } } },
      '/s/properties/a/pattern',
    ],
    'a catastrophic property pattern': [{ patternProperties: { '(a|a)*$': {} } }, '/s/patternProperties'],
    'an invalid pattern': [{ type: 'string', pattern: '[' }, '/s'],
    'a pattern that is no text': [{ type: 'string', pattern: 5 }, '/s/pattern'],
    'too much depth': [deep(30), `/s${'/properties/a'.repeat(25)}`],
    'too long an enum': [{ enum: Array.from({ length: 501 }, (_, i) => i) }, '/s/enum'],
    'too many keywords': [
      {
        properties: Object.fromEntries(Array.from({ length: 4100 }, (_, i) => [`p${i}`, { type: 'string' }])),
      },
      '/s/properties/p3999',
    ],
    'too much text': [{ type: 'object', description: 'x'.repeat(70_000) }, '/s'],
    'properties that are a list': [{ properties: [] }, '/s/properties'],
    'required that is no list': [{ type: 'object', required: true }, '/s'],
    'anyOf that is no list': [{ anyOf: {} }, '/s/anyOf'],
  };
  for (const [title, [raw, pointer]] of Object.entries(cases)) {
    it(title, () => expect(faultsOf(raw)[0]).toBe(pointer));
  }
});

it('the encoded form is standard padded base64 of pure ASCII', () => {
  const schema = { type: 'object', description: 'grüße 😀 "x"', title: 'a' };
  const text = Buffer.from(encodeSchema(schema), 'base64').toString('latin1');
  expect(encodeSchema(schema)).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
  expect(encodeSchema(schema).length % 4).toBe(0);
  expect(/^[\u0020-\u007e]*$/.test(text)).toBe(true);
  expect(JSON.parse(atob(encodeSchema(schema)))).toEqual(schema);
});

it('union types are found at any depth', () => {
  expect(hasUnionType({ type: 'object', properties: { a: { items: { type: ['string', 'null'] } } } })).toBe(
    true,
  );
  expect(hasUnionType({ type: 'object', properties: { type: { type: 'string' } } })).toBe(false);
});
