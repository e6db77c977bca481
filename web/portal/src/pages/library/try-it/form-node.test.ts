import { describe, expect, it } from 'vitest';
import { type Draft, draftOf, exampleValueOf, formNode, valueOf } from './form-node.ts';

const ORDER = {
  type: 'object',
  required: ['customer', 'items', 'priority'],
  properties: {
    customer: { $ref: '#/$defs/person' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['sku'],
        properties: { sku: { type: 'string' }, count: { type: 'integer' } },
      },
    },
    priority: { enum: ['low', 'high', 3] },
    gift: { type: 'boolean' },
    weight: { type: 'number' },
    labels: { type: 'array', items: { type: 'string' } },
    anything: { anyOf: [{ type: 'string' }, { type: 'number' }] },
    address: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } },
  },
  $defs: {
    person: {
      type: 'object',
      required: ['name', 'email'],
      properties: { name: { type: 'string' }, email: { type: ['string', 'null'] } },
    },
  },
};
const node = formNode(ORDER);

const WHOLE = {
  customer: { name: 'Ada', email: null },
  items: [{ sku: 'A-1', count: 2 }, { sku: 'B' }],
  priority: 3,
  gift: false,
  weight: 1.5,
  labels: ['a', 'b'],
  anything: 7,
  address: { city: 'Bern' },
};

/** The form filled with `value`, then with other drafts for some of its fields. */
function filled(value: object, changes: Record<string, Draft> = {}): Draft {
  const draft = draftOf(node, value);
  return draft.is === 'group' ? { is: 'group', fields: { ...draft.fields, ...changes } } : draft;
}
const text = (value: string): Draft => ({ is: 'text', text: value });

describe('a form made of a schema', () => {
  it('gives back every value that was put in', () => {
    expect(valueOf(node, filled(WHOLE))).toEqual({ value: WHOLE, faults: [] });
  });

  it('leaves out what is optional and empty, groups that nobody began included', () => {
    const { customer, items, priority } = WHOLE;
    const required = { customer, items, priority };
    expect(valueOf(node, filled(required))).toEqual({ value: required, faults: [] });
  });

  it('names every required field that is empty', () => {
    expect(valueOf(node, filled({ items: [{}] })).faults).toEqual([
      { pointer: '/customer/name', fault: 'missing' },
      { pointer: '/customer/email', fault: 'missing' },
      { pointer: '/items/0/sku', fault: 'missing' },
      { pointer: '/priority', fault: 'missing' },
    ]);
  });

  it('asks for the rest of an optional group that was begun', () => {
    const address = {
      type: 'object',
      required: ['city'],
      properties: { city: {}, street: { type: 'string' } },
    };
    const optional = formNode({ type: 'object', properties: { address } });
    expect(valueOf(optional, draftOf(optional, { address: { street: 'x' } })).faults).toEqual([
      { pointer: '/address/city', fault: 'missing' },
    ]);
  });

  it('takes numbers as people write them, and nothing else for a number', () => {
    const read = (weight: string) => valueOf(node, filled(WHOLE, { weight: text(weight) }));
    expect(read(' 2,5 ').value).toMatchObject({ weight: 2.5 });
    expect(read('1e3').value).toMatchObject({ weight: 1000 });
    expect(read('many').faults).toEqual([{ pointer: '/weight', fault: 'number' }]);
    const items = draftOf(node, { items: [{ sku: 'a', count: 1.5 }] });
    expect(valueOf(node, items).faults).toContainEqual({ pointer: '/items/0/count', fault: 'integer' });
  });

  it('keeps text as it is, spaces and quotes included', () => {
    const single = formNode({ type: 'string' });
    for (const value of [' ', '"', 'true', '{"a":1}', '☃']) {
      expect(valueOf(single, draftOf(single, value))).toEqual({ value, faults: [] });
    }
  });

  it('takes JSON where no simple field will do', () => {
    for (const schema of [
      {},
      { type: 'object' },
      { type: ['string', 'number'] },
      { oneOf: [{}] },
      { type: 'array' },
    ]) {
      expect(formNode(schema).kind).toBe('json');
    }
    const any = formNode({});
    expect(valueOf(any, text('{"a": [1]}'))).toEqual({ value: { a: [1] }, faults: [] });
    expect(valueOf(any, text('{')).faults).toEqual([{ pointer: '', fault: 'json' }]);
  });

  it('ends where references go round in circles', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' } } };
    expect(JSON.stringify(formNode(tree))).toContain('"kind":"json"');
    expect(exampleValueOf(tree)).toBeUndefined();
  });

  it('begins with the examples and defaults of the schema', () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string', examples: ['Ada'] },
        loud: { type: 'boolean', default: false },
        note: { type: 'string' },
      },
    };
    expect(exampleValueOf(schema)).toEqual({ name: 'Ada', loud: false });
  });
});
