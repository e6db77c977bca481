import { exactSearch, MetricKind } from 'usearch';
import type { VectorSettings } from './vector-engine.ts';

/** Vectors in memory, row by row, in blocks that grow without moving; and the nearest of them, exactly. */
export interface Matrix {
  readonly size: number;
  readonly bytes: number;
  /** Copies it; under `cosine` it is brought to length 1. */
  push(vector: Float32Array): void;
  readonly copy: (from: number, to: number) => void;
  pop(): void;
  /** Rows that lie together, from `row` on: at most `count`, and no further than the block goes. */
  rows(row: number, count: number): Float32Array;
  /** A vector that is searched for, as those that it is compared with lie in memory. */
  queryOf(vector: Float32Array): Float32Array;
  /** The nearest of each block from that of row `from` on; rows before it may be among them. */
  nearestFrom(from: number, query: Float32Array, count: number): Iterable<number[]>;
  /** The nearest of these rows, portion by portion. */
  nearestOf(rows: readonly number[], query: Float32Array, count: number): Iterable<number[]>;
  /** Higher is nearer: cosine, dot product, or the distance's negative. */
  score(query: Float32Array, row: number): number;
}

export type Metric = VectorSettings['metric'];

const BLOCK_BYTES = 4 * 2 ** 20;
const ROWS_FIRST = 16;

/** For unit vectors the cosine is the dot product. */
export const METRIC_KINDS: Readonly<Record<Metric, MetricKind>> = {
  cosine: MetricKind.IP,
  dot: MetricKind.IP,
  euclidean: MetricKind.L2sq,
};

export function createMatrix(dimensions: number, metric: Metric): Matrix {
  const blockRows = Math.max(ROWS_FIRST, Math.floor(BLOCK_BYTES / (dimensions * 4)));
  const blocks: Float32Array[] = [];
  let size = 0;

  const blockOf = (row: number): Float32Array => blocks[Math.floor(row / blockRows)] ?? new Float32Array();
  const startOf = (row: number): number => (row % blockRows) * dimensions;
  const rowOf = (row: number): Float32Array => blockOf(row).subarray(startOf(row), startOf(row) + dimensions);

  /** The first block begins small, for small databases. */
  function makeRoom(): void {
    const index = Math.floor(size / blockRows);
    const block = blocks[index];
    const rows = (block?.length ?? 0) / dimensions;
    if (size % blockRows < rows) return;
    const larger = new Float32Array(
      dimensions * (index > 0 ? blockRows : Math.min(blockRows, Math.max(ROWS_FIRST, rows * 2))),
    );
    if (block !== undefined) larger.set(block);
    blocks[index] = larger;
  }

  return {
    get size() {
      return size;
    },
    get bytes() {
      return blocks.reduce((sum, block) => sum + block.byteLength, 0);
    },
    push(vector) {
      makeRoom();
      const row = rowOf(size++);
      row.set(vector);
      if (metric === 'cosine') normalize(row);
    },
    copy: (from, to) => rowOf(to).set(rowOf(from)),
    pop() {
      size--;
      rowOf(size).fill(0);
      if (size % blockRows === 0) blocks.length = size / blockRows;
    },
    rows: (row, count) =>
      blockOf(row).subarray(
        startOf(row),
        Math.min(startOf(row) + Math.min(count, size - row) * dimensions, blockOf(row).length),
      ),
    queryOf(vector) {
      // A copy, as the library searches for what a buffer begins with.
      const query = vector.slice();
      if (metric === 'cosine') normalize(query);
      return query;
    },
    *nearestFrom(from, query, count) {
      for (let start = from - (from % blockRows); start < size; start += blockRows) {
        const rows = Math.min(blockRows, size - start);
        yield nearestIn(blockOf(start).subarray(0, rows * dimensions), query, count, metric).map(
          (row) => start + row,
        );
      }
    },
    *nearestOf(rows, query, count) {
      const portion = new Float32Array(Math.min(rows.length, blockRows) * dimensions);
      for (let start = 0; start < rows.length; start += blockRows) {
        const some = rows.slice(start, start + blockRows);
        for (const [index, row] of some.entries()) portion.set(rowOf(row), index * dimensions);
        yield nearestIn(portion.subarray(0, some.length * dimensions), query, count, metric).map(
          (index) => some[index] ?? 0,
        );
      }
    },
    score: (query, row) =>
      metric === 'euclidean' ? -distance(query, rowOf(row)) : dotProduct(query, rowOf(row)),
  };
}

/** The library ignores where in its buffer an array begins: `vectors` must be a buffer's beginning, and `query` too. */
function nearestIn(vectors: Float32Array, query: Float32Array, count: number, metric: Metric): number[] {
  const dimensions = query.length;
  const found = Math.min(count, vectors.length / dimensions);
  return Array.from(exactSearch(vectors, query, dimensions, found, METRIC_KINDS[metric], 1).keys, Number);
}

function dotProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** Brings a vector to length 1, in its place. */
function normalize(vector: Float32Array): void {
  const length = Math.sqrt(dotProduct(vector, vector));
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
}
