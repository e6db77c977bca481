import { describe, expect, it } from 'vitest';
import { compileCheck } from './schema-check.ts';

describe('a check against a schema', () => {
  it('says what is wrong and where, with what would be right', () => {
    const check = compileCheck({
      type: 'object',
      properties: { unit: { enum: ['c', 'f'] }, days: { type: 'integer' } },
      required: ['unit'],
      additionalProperties: false,
    });
    expect(check({ unit: 'c', days: 1 })).toEqual([]);
    expect(check({ unit: 'k', days: '1', extra: true })).toEqual([
      '/ must NOT have additional properties: extra',
      '/unit must be equal to one of the allowed values: ["c","f"]',
      '/days must be integer',
    ]);
    expect(check({})).toEqual(["/ must have required property 'unit'"]);
  });

  it('ends in time for a schema that would take years', () => {
    const fanOut = Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [
        `d${at}`,
        at === 59
          ? { type: 'string' }
          : { anyOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
      ]),
    );
    const check = compileCheck({ type: 'object', properties: { x: { $ref: '#/$defs/d0' } }, $defs: fanOut });
    expect(check({ x: 1 })).toEqual([expect.stringContaining('too long to check')]);
    expect(compileCheck({ type: 'string' })('fine')).toEqual([]);
  });

  it('takes its time when its thread has to wait for a processor', () => {
    let waits = 1;
    const value = {
      get x() {
        if (waits-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
        return 'fine';
      },
    };
    const check = compileCheck({ type: 'object', properties: { x: { type: 'string' } } });
    expect(check(value)).toEqual([]);
  });

  it('ends for a schema that refers to itself without end', () => {
    const check = compileCheck({ $ref: '#/$defs/a', $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } });
    expect(check({})).toHaveLength(1);
  });
});
