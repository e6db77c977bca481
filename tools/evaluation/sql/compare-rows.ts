import type { SqlResult, SqlValue } from '../../../server/sql/sql.ts';

/**
 * Whether a result holds what the expected one does: the same rows, in the same order where that is part of the answer.
 * Columns may have other names, another order, and others beside them; numbers may differ by rounding.
 */
export function matchesResult(expected: SqlResult, found: SqlResult, isOrdered: boolean): boolean {
  if (found.rows.length !== expected.rows.length || found.truncated) return false;
  const wanted = columnsOf(expected);
  const offered = columnsOf(found);
  return assign(wanted, offered, [], (chosen) => sameRows(wanted, chosen, isOrdered));
}

type Column = readonly string[];

/** Tries every way to take one offered column for each wanted one that has the same values. */
function assign(
  wanted: readonly Column[],
  offered: readonly Column[],
  chosen: readonly Column[],
  isMatch: (chosen: readonly Column[]) => boolean,
): boolean {
  const next = wanted[chosen.length];
  if (next === undefined) return isMatch(chosen);
  const key = [...next].toSorted().join('\n');
  return offered.some(
    (column) =>
      !chosen.includes(column) &&
      [...column].toSorted().join('\n') === key &&
      assign(wanted, offered, [...chosen, column], isMatch),
  );
}

function sameRows(wanted: readonly Column[], chosen: readonly Column[], isOrdered: boolean): boolean {
  const [left, right] = [wanted, chosen].map((columns) => {
    const rows = (columns[0] ?? []).map((_, at) => columns.map((column) => column[at]).join('\t'));
    return (isOrdered ? rows : rows.toSorted()).join('\n');
  });
  return left === right;
}

function columnsOf({ columns, rows }: SqlResult): Column[] {
  return columns.map((_, at) => rows.map((row) => canonical(row[at] ?? null)));
}

/** Databases give decimals as numbers or as text, and truth values as numbers. */
function canonical(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'object') return 'int' in value ? value.int : value.base64;
  const number = typeof value === 'string' && !/^-?\d+(\.\d+)?$/.test(value) ? Number.NaN : Number(value);
  return Number.isNaN(number) ? String(value) : String(Number(number.toFixed(4)));
}
