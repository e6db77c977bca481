import type { SqlValue } from './api.ts';

const CELL_LENGTH_MAX = 60;

/** A value as one line of text. */
export function cellText(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'object') return String(value).replaceAll(/\s+/g, ' ');
  return 'int' in value ? value.int : `(${Buffer.from(value.base64, 'base64').length} bytes)`;
}

/** Rows under a rule, numbers to the right, long cells cut; the last line counts them. */
export function drawRows(
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  { truncated = false }: { readonly truncated?: boolean } = {},
): string[] {
  const cells = rows.map((row) => row.map((value) => cut(cellText(value))));
  const heading = columns.map((name) => cut(name.replaceAll(/\s+/g, ' ')));
  const widths = heading.map((name, at) =>
    Math.max(...[name, ...cells.map((row) => row[at] ?? '')].map(width)),
  );
  const isNumeric = columns.map((_, at) => rows.length > 0 && rows.every((row) => isNumber(row[at] ?? null)));
  const line = (row: readonly string[]): string =>
    widths
      .map((size, at) => pad(row[at] ?? '', size, isNumeric[at] === true))
      .join('  ')
      .trimEnd();
  const count = `(${truncated ? 'the first ' : ''}${counted(rows.length, 'row')})`;
  return [line(heading), widths.map((size) => '─'.repeat(size)).join('  '), ...cells.map(line), count];
}

/** `1 row`, `2 rows`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isNumber(value: SqlValue): boolean {
  return value === null || typeof value === 'number' || (typeof value === 'object' && 'int' in value);
}

function width(text: string): number {
  return Array.from(text).length;
}

function cut(text: string): string {
  const characters = Array.from(text);
  return characters.length <= CELL_LENGTH_MAX
    ? text
    : `${characters.slice(0, CELL_LENGTH_MAX - 1).join('')}…`;
}

function pad(text: string, size: number, isRight: boolean): string {
  const room = ' '.repeat(Math.max(size - width(text), 0));
  return isRight ? room + text : text + room;
}

/** One line of CSV (RFC 4180); NULL is an empty cell. */
export function csvLine(values: readonly SqlValue[]): string {
  const cells = values.map((value) => {
    const text = value === null ? '' : typeof value === 'object' ? blobOrDigits(value) : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(',')}\r\n`;
}

function blobOrDigits(value: { readonly int: string } | { readonly base64: string }): string {
  return 'int' in value ? value.int : value.base64;
}
