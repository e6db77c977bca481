import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import { startRig, uploadDocument } from './testing/rig.ts';
import type { Filter, FilterOperators, Metadata } from './vector-engine.ts';

const shared = startRig({}, afterAll);
const v = (...components: number[]): Float32Array => Float32Array.from(components);
const ids = (hits: readonly { readonly id: string }[]): string[] => hits.map(({ id }) => id);

describe('a filter', () => {
  const VALUES = [
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    2 ** 40,
    '',
    '1',
    'true',
    'a',
    'b',
    'ä',
    '\u{ffff}',
    '𝕏',
  ] as const;
  const NAMES = ['a', 'b', "it's", 'x.y', '"', '$.a', '__proto__'].filter((name) => !name.startsWith('$'));

  function pick<T>(random: () => number, from: readonly T[]): T {
    return from[Math.floor(random() * from.length)] as T;
  }

  function randomFilter(random: () => number): Filter {
    const operators: Record<keyof FilterOperators, () => unknown> = {
      eq: () => pick(random, VALUES),
      ne: () => pick(random, VALUES),
      gt: () =>
        pick(
          random,
          VALUES.filter((value) => typeof value === 'string' || typeof value === 'number'),
        ),
      gte: () => pick(random, [0, 1, 'a', '𝕏']),
      lt: () => pick(random, [1, 1.5, 'b', '𝕏']),
      lte: () => pick(random, [1, 'a', 'ä']),
      in: () => Array.from({ length: Math.floor(random() * 4) }, () => pick(random, VALUES)),
      exists: () => random() < 0.5,
    };
    const wanted = (): unknown => {
      if (random() < 0.4) return pick(random, VALUES);
      const names = Object.keys(operators).filter(() => random() < 0.2) as (keyof FilterOperators)[];
      const some = names.length > 0 ? names : [pick(random, ['ne', 'in', 'exists'] as const)];
      return Object.fromEntries(some.map((name) => [name, operators[name]()]));
    };
    return Object.fromEntries(NAMES.filter(() => random() < 0.25).map((name) => [name, wanted()])) as Filter;
  }

  /** By code point, as the port says. */
  function compare(a: unknown, b: unknown): number | undefined {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
    return undefined;
  }

  function fits(metadata: Metadata, filter: Filter): boolean {
    return Object.entries(filter).every(([name, wanted]) => {
      const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
      return wanted === null || typeof wanted !== 'object' ? value === wanted : fitsOperators(value, wanted);
    });
  }

  /** One entry for each operator that there is. */
  function fitsOperators(value: Metadata[string] | undefined, wanted: FilterOperators): boolean {
    const order = (bound: unknown): number => compare(value, bound) ?? Number.NaN;
    const judges: { readonly [O in keyof Required<FilterOperators>]: (bound: never) => boolean } = {
      eq: (bound: Metadata[string]) => value === bound,
      ne: (bound: Metadata[string]) => value !== bound,
      in: (bound: readonly Metadata[string][]) => bound.some((one) => one === value),
      exists: (bound: boolean) => bound === (value !== undefined),
      gt: (bound) => order(bound) > 0,
      gte: (bound) => order(bound) >= 0,
      lt: (bound) => order(bound) < 0,
      lte: (bound) => order(bound) <= 0,
    };
    return Object.entries(wanted).every(([operator, bound]) =>
      judges[operator as keyof FilterOperators](bound as never),
    );
  }

  it('lets through exactly what a plain reading of it lets through', async () => {
    const random = seededRandom(20);
    const { engine, make } = shared;
    const file = await make();
    const records = Array.from({ length: 200 }, (_, n) => ({
      id: `r${n}`,
      vector: v(n + 1, 1, 0, 0),
      metadata: Object.fromEntries(
        NAMES.filter(() => random() < 0.6).map((name) => [name, pick(random, VALUES)]),
      ) as Metadata,
    }));
    await engine.upsert(file, records);
    let passed = 0;
    for (let round = 0; round < 300; round++) {
      const filter = randomFilter(random);
      const hits = await engine.search(file, { vector: v(1, 1, 0, 0), topK: 1000, filter });
      const wanted = records.filter(({ metadata }) => fits(metadata, filter));
      expect(ids(hits).toSorted(), JSON.stringify(filter)).toEqual(ids(wanted).toSorted());
      for (const hit of hits) expect(hit.metadata).toEqual(records.find(({ id }) => id === hit.id)?.metadata);
      passed += hits.length;
    }
    expect(passed).toBeGreaterThan(1000);
  });

  it('on $document lets through the passages of that document', async () => {
    const { engine, make } = shared;
    const file = await make();
    await uploadDocument(engine, file, { documentId: 'one', texts: ['alpha word', 'beta word'] });
    await uploadDocument(engine, file, { documentId: 'two', texts: ['gamma word'] });
    await engine.upsert(file, [{ id: 'raw', vector: v(1, 0, 0, 0), text: 'word' }]);
    const find = async (filter: Filter): Promise<string[]> =>
      ids(await engine.search(file, { vector: v(1, 1, 1, 1), text: 'word', topK: 10, filter })).toSorted();
    expect(await find({ $document: 'one' })).toEqual(['one#1', 'one#2']);
    expect(await find({ $document: { in: ['one', 'two'] } })).toEqual(['one#1', 'one#2', 'two#1']);
    expect(await find({ $document: { ne: 'one' } })).toEqual(['raw', 'two#1']);
    expect(await find({ $document: { exists: false } })).toEqual(['raw']);
    expect(await find({ $document: 'two', kind: 'document' })).toEqual(['two#1']);
    expect(await find({ $document: 1 })).toEqual([]);
  });
});
