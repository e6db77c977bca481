import type { Clock } from '../../kernel/clock.ts';
import { createGraph, type Graph } from './graph.ts';
import { createMatrix, type Metric } from './matrix.ts';
import type { VectorDescription } from './vector-engine.ts';

/**
 * The vectors of one database in memory. Few are searched exactly. Of many there is a graph besides, which `build` makes
 * in small slices; what is not in it yet is searched exactly until it is. A graph of which most has been deleted is
 * made anew.
 */
export interface Neighbours {
  readonly state: VectorDescription['index'];
  readonly bytes: number;
  add(key: number, vector: Float32Array): void;
  remove(key: number): void;
  /** Best first, exactly if `only` is given. */
  nearest(query: Float32Array, count: number, only?: readonly number[]): Promise<Near[]>;
  /** Of those that are there. */
  scoresOf(query: Float32Array, keys: readonly number[]): Map<number, number>;
  /** Goes on with the graph for a few milliseconds. Whether there is more to do. */
  build(): boolean;
}

export interface Near {
  readonly key: number;
  readonly score: number;
}

export interface NeighbourOptions {
  readonly dimensions: number;
  readonly metric: Metric;
  /** More vectors than this have a graph. */
  readonly exactMax: number;
  readonly clock: Clock;
  readonly pause: () => Promise<void>;
}

/** So many are searched exactly beside the graph, at no cost that is felt. */
const FRESH_MAX = 4096;
/** Asked of the graph beyond what is wanted, so that its rounding does not lose the last ones. */
const MARGIN = 32;

export function createNeighbours(options: NeighbourOptions): Neighbours {
  const { dimensions, metric, exactMax, pause } = options;
  const matrix = createMatrix(dimensions, metric);
  const rows = createRows(matrix.copy);
  let graph: Graph | undefined;

  /** The graph, if it has nearly all. */
  const ready = (): Graph | undefined =>
    graph !== undefined && matrix.size - graph.placed <= FRESH_MAX ? graph : undefined;

  function best(found: Iterable<number>, query: Float32Array, count: number): Near[] {
    return Array.from(found, (row) => ({ key: rows.keyOf(row), score: matrix.score(query, row) }))
      .toSorted((a, b) => b.score - a.score || a.key - b.key)
      .slice(0, count);
  }

  async function candidates(
    query: Float32Array,
    count: number,
    only?: readonly number[],
  ): Promise<Set<number>> {
    const found = new Set<number>();
    const complete = ready();
    if (only !== undefined) {
      await collect(matrix.nearestOf(rows.of(only), query, count), found, pause);
    } else if (complete === undefined) {
      await collect(matrix.nearestFrom(0, query, count), found, pause);
    } else {
      const from = complete.placed;
      for (const row of complete.nearest(query, count + MARGIN)) found.add(row);
      if (from < matrix.size) await collect(matrix.nearestFrom(from, query, count + MARGIN), found, pause);
    }
    return found;
  }

  return {
    get state() {
      if (ready() !== undefined) return 'hnsw';
      return graph === undefined && matrix.size <= exactMax ? 'exact' : 'building';
    },
    get bytes() {
      return matrix.bytes + (graph?.bytes ?? 0);
    },
    add(key, vector) {
      rows.push(key);
      matrix.push(vector);
    },
    remove(key) {
      const [row] = rows.of([key]);
      if (row === undefined) return;
      const free = graph !== undefined && row < graph.placed ? graph.unplace(row, rows.move) : row;
      rows.move(matrix.size - 1, free);
      rows.pop(key);
      matrix.pop();
      if (graph?.isWasteful === true || matrix.size < exactMax / 2) graph = undefined;
    },
    async nearest(vector, count, only) {
      const query = matrix.queryOf(vector);
      return best(await candidates(query, count, only), query, count);
    },
    scoresOf(vector, keys) {
      const query = matrix.queryOf(vector);
      return new Map(rows.of(keys).map((row) => [rows.keyOf(row), matrix.score(query, row)]));
    },
    build() {
      if (graph === undefined && matrix.size <= exactMax) return false;
      graph ??= createGraph({ ...options, matrix });
      graph.grow();
      return graph.placed < matrix.size;
    },
  };
}

async function collect(
  portions: Iterable<number[]>,
  found: Set<number>,
  pause: () => Promise<void>,
): Promise<void> {
  for (const portion of portions) {
    for (const row of portion) found.add(row);
    await pause();
  }
}

/** Which record's vector lies in which row. */
interface Rows {
  keyOf(row: number): number;
  /** Rows of the keys that are there. */
  of(keys: readonly number[]): number[];
  push(key: number): void;
  /** Drops the last row, from which its key has moved, and `key`. */
  pop(key: number): void;
  readonly move: (from: number, to: number) => void;
}

function createRows(copy: (from: number, to: number) => void): Rows {
  const keys: number[] = [];
  const rowOfKey = new Map<number, number>();
  return {
    keyOf: (row) => keys[row] ?? 0,
    of: (wanted) => wanted.map((key) => rowOfKey.get(key)).filter((row) => row !== undefined),
    push(key) {
      rowOfKey.set(key, keys.length);
      keys.push(key);
    },
    pop(key) {
      rowOfKey.delete(key);
      keys.pop();
    },
    move(from, to) {
      if (from === to) return;
      copy(from, to);
      const key = keys[from] ?? 0;
      keys[to] = key;
      rowOfKey.set(key, to);
    },
  };
}
