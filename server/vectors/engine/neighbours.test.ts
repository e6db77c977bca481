import { describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import type { Metric } from './matrix.ts';
import { createNeighbours, type Neighbours } from './neighbours.ts';
import { seededRandom } from '../../../testkit/raw-zip.ts';
import { clusteredVectors } from './testing/rig.ts';

const METRICS: readonly Metric[] = ['cosine', 'dot', 'euclidean'];

function scoreOf(metric: Metric, a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, one, i) => sum + one * (y[i] ?? 0), 0);
  if (metric === 'dot') return dot(a, b);
  if (metric === 'cosine') return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return -Math.hypot(...a.map((one, i) => one - (b[i] ?? 0)));
}

/** What a plain loop over all vectors finds. */
function naive(
  metric: Metric,
  vectors: ReadonlyMap<number, Float32Array>,
  query: Float32Array,
  count: number,
): number[] {
  return [...vectors]
    .map(([key, vector]) => ({ key, score: scoreOf(metric, query, vector) }))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ key }) => key);
}

function create(dimensions: number, metric: Metric, exactMax = 20_000): Neighbours {
  return createNeighbours({
    dimensions,
    metric,
    exactMax,
    clock: systemClock,
    pause: () => Promise.resolve(),
  });
}

function fill(neighbours: Neighbours, vectors: readonly Float32Array[]): void {
  for (const [key, vector] of vectors.entries()) neighbours.add(key, vector);
}

function buildAll(neighbours: Neighbours): void {
  while (neighbours.build());
}

/** Share of the true ten nearest that are found. */
async function recallOf(
  neighbours: Neighbours,
  metric: Metric,
  { vectors, queries }: { vectors: ReadonlyMap<number, Float32Array>; queries: readonly Float32Array[] },
): Promise<number> {
  let found = 0;
  for (const query of queries) {
    const truth = new Set(naive(metric, vectors, query, 10));
    found += (await neighbours.nearest(query, 10)).filter(({ key }) => truth.has(key)).length;
  }
  return found / queries.length / 10;
}

describe('nearest vectors', () => {
  it.each(METRICS)('are those that a plain loop finds, with its scores (%s)', async (metric) => {
    const [query = new Float32Array(), ...vectors] = clusteredVectors(3001, 24);
    const neighbours = create(24, metric);
    fill(neighbours, vectors);
    const found = await neighbours.nearest(query, 50);
    const byKey = new Map(vectors.entries());
    expect(found.map(({ key }) => key)).toEqual(naive(metric, byKey, query, 50));
    for (const { key, score } of found) {
      expect(score).toBeCloseTo(scoreOf(metric, query, byKey.get(key) ?? query), 4);
    }
  });

  it('of a part are exact, however many there are and wherever they lie', async () => {
    const vectors = clusteredVectors(6000, 16);
    const neighbours = create(16, 'cosine', 1000);
    fill(neighbours, vectors);
    buildAll(neighbours);
    expect(neighbours.state).toBe('hnsw');
    const random = seededRandom(5);
    for (const share of [0.001, 0.05, 0.5, 1]) {
      const part = new Map([...vectors.entries()].filter(() => random() < share));
      const query = vectors[Math.floor(random() * 6000)] ?? new Float32Array();
      const found = await neighbours.nearest(query, 10, [...part.keys(), 999_999]);
      expect(found.map(({ key }) => key)).toEqual(naive('cosine', part, query, 10));
    }
  });

  it.each([
    { metric: 'cosine', count: 25_000, exactMax: 20_000 },
    { metric: 'dot', count: 5000, exactMax: 1000 },
    { metric: 'euclidean', count: 5000, exactMax: 1000 },
  ] as const)(
    'come from a graph of $count with a recall of 0.97 or more ($metric)',
    { timeout: 120_000 },
    async (given) => {
      const { metric, count, exactMax } = given;
      const all = clusteredVectors(count + 50, 64);
      const vectors = all.slice(0, count);
      const neighbours = create(64, metric, exactMax);
      fill(neighbours, vectors);
      expect(neighbours.state).toBe('building');
      buildAll(neighbours);
      expect(neighbours.state).toBe('hnsw');
      const recall = await recallOf(neighbours, metric, {
        vectors: new Map(vectors.entries()),
        queries: all.slice(count),
      });
      expect(recall).toBeGreaterThanOrEqual(0.97);
    },
  );

  it('stay right while vectors come, change and go, before, while and after a graph is built', async () => {
    const random = seededRandom(11);
    const pool = clusteredVectors(6000, 16, { seed: 4 });
    const vectors = new Map<number, Float32Array>();
    const neighbours = create(16, 'euclidean', 500);
    const states = new Set<string>();
    let next = 0;
    for (let round = 0; round < 60; round++) {
      // Grows for half of the time, then shrinks to nothing.
      const isGrowing = round < 30;
      for (let i = 0; i < 150; i++) {
        if (random() < (isGrowing ? 0.8 : 0.1)) {
          const vector = pool[next % pool.length] ?? new Float32Array(16);
          vectors.set(next, vector);
          neighbours.add(next++, vector);
          continue;
        }
        const keys = [...vectors.keys()];
        const key = keys[Math.floor(random() * keys.length)] ?? -1;
        neighbours.remove(key);
        vectors.delete(key);
      }
      if (round % 3 === 0) neighbours.build();
      if (round % 7 === 0) buildAll(neighbours);
      states.add(neighbours.state);
      const query = pool[Math.floor(random() * pool.length)] ?? new Float32Array(16);
      expect(await recallOf(neighbours, 'euclidean', { vectors, queries: [query] })).toBeGreaterThanOrEqual(
        vectors.size < 10 ? 0 : 0.9,
      );
      for (const { key } of await neighbours.nearest(query, 20)) expect(vectors.has(key)).toBe(true);
    }
    expect(states).toContain('hnsw');
    for (const key of vectors.keys()) neighbours.remove(key);
    expect(await neighbours.nearest(pool[0] ?? new Float32Array(16), 5)).toEqual([]);
    expect(neighbours.state).toBe('exact');
    expect(neighbours.bytes).toBe(0);
  });

  it('are told by their scores, those that are there', () => {
    const neighbours = create(2, 'dot');
    neighbours.add(7, Float32Array.of(1, 2));
    expect(neighbours.scoresOf(Float32Array.of(3, 4), [7, 8])).toEqual(new Map([[7, 11]]));
  });
});
