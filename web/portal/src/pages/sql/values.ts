import type { SqlResult, SqlValue } from '../../../../../contract/sql.ts';

export type Rows = Pick<SqlResult, 'columns' | 'rows'>;

export type ValueType = 'text' | 'integer' | 'real' | 'boolean' | 'blob' | 'null';

export function typeOf(value: SqlValue): ValueType {
  if (value === null) return 'null';
  if (typeof value === 'object') return 'int' in value ? 'integer' : 'blob';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real';
  return typeof value === 'boolean' ? 'boolean' : 'text';
}

/** Which types a column's values have, NULL left out; SQLite lets them differ. */
export function columnTypes({ columns, rows }: Rows): ValueType[][] {
  return columns.map((_, at) => {
    const types = rows.map((row) => typeOf(row[at] ?? null));
    return [...new Set(types)].filter((type) => type !== 'null').toSorted();
  });
}

export function blobBytes(base64: string): number {
  return Math.floor((base64.length * 3) / 4) - (/=*$/.exec(base64)?.[0].length ?? 0);
}

/** A value in words; NULL is empty, a blob its base64. */
export function textOf(value: SqlValue): string {
  if (value === null) return '';
  if (typeof value === 'object') return 'int' in value ? value.int : value.base64;
  return String(value);
}

/** RFC 4180, with the columns' names first. */
export function csvOf({ columns, rows }: Rows): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows.map((row) => row.map(textOf))]
    .map((line) => `${line.map(field).join(',')}\r\n`)
    .join('');
}

/** One object per row; where two columns have one name, the later is called `name_2`. */
export function jsonOf({ columns, rows }: Rows): string {
  const names = columns.map((name, at) => {
    const before = columns.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before + 1}`;
  });
  const objects = rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])));
  return `${JSON.stringify(objects, null, 2)}\n`;
}
