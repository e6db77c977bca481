import type { SqlResult, SqlValue } from '../sql.ts';

const ROWS_MAX = 100;
const PLACEHOLDER = /\{\{\s*(?:(rows)|(\d{1,6})\s*\.\s*([^{}]{1,200}?))\s*\}\}/g;

/**
 * Words with placeholders, written by a model that saw no value: `{{0.total}}` is the column `total` of the first row,
 * `{{rows}}` all rows as a table. Words that do not fit the result, or show nothing of it, are not believed: then the
 * table itself is the answer, or follows.
 */
export function fillTemplate(template: string, result: SqlResult): string {
  let hasGap = template.replaceAll(PLACEHOLDER, '').includes('{{');
  let isFilled = false;
  const text = template.replaceAll(
    PLACEHOLDER,
    (_, all: string | undefined, row: string | undefined, column: string | undefined) => {
      isFilled = true;
      if (all !== undefined) return `\n\n${rowsTable(result)}\n\n`;
      const value = result.rows[Number(row)]?.[result.columns.indexOf(column ?? '')];
      hasGap ||= value === undefined;
      return value === undefined ? '' : cellText(value);
    },
  );
  if (hasGap) return `The result, as the database gave it:\n\n${rowsTable(result)}`;
  if (isFilled || result.rows.length === 0) return text.trim().replaceAll(/\n{3,}/g, '\n\n');
  return `${text.trim()}\n\n${rowsTable(result)}`;
}

function rowsTable({ columns, rows, truncated }: SqlResult): string {
  if (rows.length === 0) return '(no rows)';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const shown = rows.slice(0, ROWS_MAX);
  const isCut = truncated || rows.length > shown.length;
  return [
    line(columns.map(markdownText)),
    line(columns.map(() => '---')),
    ...shown.map((row) => line(row.map(cellText))),
    ...(isCut ? [`\n(the first ${shown.length} rows)`] : []),
  ].join('\n');
}

/** A value as text; what cannot be read is named, not shown. */
export function valueText(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'object') return String(value);
  return 'int' in value ? value.int : '(binary)';
}

function cellText(value: SqlValue): string {
  return markdownText(valueText(value));
}

/** Values come from anywhere: none becomes a link, an image, markup or a line of its own. */
function markdownText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`[\]<|]/g, String.raw`\$&`);
}
