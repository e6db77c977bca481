import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testkit/raw-zip.ts';
import { PlatformError } from '../kernel/errors.ts';
import { parseSpec } from './parse-spec.ts';

const MINIMAL = { shortname: 'greeter', runtime: 'nodejs20', entrypoint: 'Example' };
const KEYS = (
  'name shortname runtime entrypoint description tags ai requestType queryParams inputType outputType inputSchema ' +
  'outputSchema inputJsonExample timeoutSeconds type properties items $ref egress cors sizes extensions pattern enum'
).split(' ');

function codeOf(spec: object | string): string {
  try {
    parseSpec(typeof spec === 'string' ? spec : JSON.stringify(spec));
  } catch (error) {
    if (error instanceof PlatformError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('hostile text', () => {
  it('of more than 256 KiB or 64 levels is refused', () => {
    expect(codeOf({ ...MINIMAL, x: 'x'.repeat(256 * 1024) })).toBe('functions.spec_too_large');
    expect(codeOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toBe('functions.spec_too_deep');
    expect(codeOf(`{"a":${'{"a":'.repeat(200)}1${'}'.repeat(201)}`)).toBe('functions.spec_too_deep');
  });

  it('cannot reach a prototype', () => {
    const spec = parseSpec(
      '{"shortname":"greeter","runtime":"nodejs20","entrypoint":"Example","__proto__":{"ai":true},"constructor":{"prototype":{"x":1}},' +
        '"requirements":{"outputType":"JSON","outputSchema":{"__proto__":{"a":1},"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}}}',
    );
    expect(spec.ai).toBe(false);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(spec.output).toMatchObject({
      schema: { type: 'object', properties: { constructor: { type: 'string' } } },
    });
    expect(
      Object.keys((spec.output as unknown as { schema: { properties: object } }).schema.properties),
    ).toEqual(['constructor']);
  });

  it('made of random values is refused or accepted, and never fails otherwise', () => {
    const seed = 4711;
    const random = seededRandom(seed);
    const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)];
    const value = (depth: number): unknown => {
      const scalars = [
        null,
        true,
        0,
        -1.5,
        '',
        'JSON',
        'FILE',
        'greeter',
        'nodejs22',
        'object',
        '\u202e',
        ['s'],
        1e308,
      ];
      if (depth === 0 || random() < 0.5) return pick(scalars);
      if (random() < 0.3) return Array.from({ length: 3 }, () => value(depth - 1));
      return Object.fromEntries(Array.from({ length: 5 }, () => [pick(KEYS), value(depth - 1)]));
    };
    for (let round = 0; round < 500; round++) {
      const text = JSON.stringify({ ...MINIMAL, ...(value(5) as object), requirements: value(5) });
      try {
        parseSpec(text);
      } catch (error) {
        expect(error, `seed ${seed} round ${round}: ${text}`).toBeInstanceOf(PlatformError);
      }
    }
  });
});
