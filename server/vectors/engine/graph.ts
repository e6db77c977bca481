import { Index, ScalarKind } from 'usearch';
import type { Clock } from '../../kernel/clock.ts';
import { type Matrix, METRIC_KINDS, type Metric } from './matrix.ts';

/**
 * HNSW over the first rows of a matrix. Rows that leave it stay in the graph, unseen, under their label; every row that
 * comes gets a new one.
 */
export interface Graph {
  /** So many rows, from the first on, are in it. */
  readonly placed: number;
  /** Whether most of it are rows that have left. */
  readonly isWasteful: boolean;
  readonly bytes: number;
  /** Places the next rows, for a few milliseconds. */
  grow(): void;
  /** The nearest rows; fewer than `count` only when there are no more. */
  nearest(query: Float32Array, count: number): number[];
  /** Takes a row out: the last placed one comes in its stead, by `move`. Returns the row that is free now. */
  unplace(row: number, move: (from: number, to: number) => void): number;
}

export interface GraphOptions {
  readonly matrix: Matrix;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly clock: Clock;
}

/** Half the memory of float32 with its range; scores are computed again from the vectors themselves. */
const FORM = { quantization: ScalarKind.BF16, connectivity: 16, expansion_add: 128, expansion_search: 96 };
const LINK_BYTES = 200;
const GROW_MS = 4;
const ROWS_MAX = 256;

export function createGraph({ matrix, dimensions, metric, clock }: GraphOptions): Graph {
  const index = new Index({ dimensions, metric: METRIC_KINDS[metric], multi: false, ...FORM });
  /** −1 for rows that have left. */
  const rowOfLabel: number[] = [];
  const labelOfRow: number[] = [];
  let rowsPerTurn = 16;

  return {
    get placed() {
      return labelOfRow.length;
    },
    get isWasteful() {
      return rowOfLabel.length > 2 * labelOfRow.length;
    },
    get bytes() {
      return rowOfLabel.length * (dimensions * 2 + LINK_BYTES);
    },
    grow() {
      const rows = matrix.rows(labelOfRow.length, rowsPerTurn);
      const count = rows.length / dimensions;
      if (count === 0) return;
      const first = rowOfLabel.length;
      const from = clock.monotonicMs();
      index.add(
        BigUint64Array.from({ length: count }, (_, place) => BigInt(first + place)),
        rows,
        1,
      );
      const rowsPerMs = count / (clock.monotonicMs() - from);
      for (let label = first; label < first + count; label++) {
        rowOfLabel.push(labelOfRow.length);
        labelOfRow.push(label);
      }
      rowsPerTurn = Math.max(1, Math.min(ROWS_MAX, Math.round((rowsPerTurn + rowsPerMs * GROW_MS) / 2)));
    },
    nearest(query, count) {
      const enough = Math.min(count, labelOfRow.length);
      // Those that have left take places among the nearest.
      for (let wanted = count; ; wanted *= 2) {
        const labels = index.search(query, Math.min(wanted, rowOfLabel.length), 1).keys;
        const rows = Array.from(labels, (label) => rowOfLabel[Number(label)] ?? -1).filter((row) => row >= 0);
        if (rows.length >= enough || wanted >= rowOfLabel.length) return rows;
      }
    },
    unplace(row, move) {
      rowOfLabel[labelOfRow[row] ?? 0] = -1;
      const label = labelOfRow.pop() ?? 0;
      const last = labelOfRow.length;
      if (row !== last) {
        move(last, row);
        labelOfRow[row] = label;
        rowOfLabel[label] = row;
      }
      return last;
    },
  };
}
