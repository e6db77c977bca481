import { sqlErrors } from '../errors.ts';
import type { ColumnSchema, TableSchema } from '../sql.ts';

const COMMENT_LENGTH_MAX = 200;

/** Tables as a model reads them: names, types, keys and comments, and no value of any row. */
export function schemaText(tables: readonly TableSchema[], lengthMax: number): string {
  const text = tables.map(tableText).join('\n\n');
  if (text.length > lengthMax) throw sqlErrors.schemaTooLarge();
  return text;
}

function tableText({ name, kind, columns, foreignKeys, comment }: TableSchema): string {
  const lines = columns.map((column) => {
    const key = foreignKeys.find((one) => one.column === column.name);
    return columnText(column, key && `references ${key.table}(${key.references})`);
  });
  return [`${kind} ${oneLine(name)}${commentText(comment)}`, ...lines].join('\n');
}

function columnText(
  { name, type, nullable, primaryKey, comment }: ColumnSchema,
  reference: string | undefined,
): string {
  const traits = [primaryKey ? 'primary key' : nullable ? 'may be null' : undefined, reference];
  const told = traits.filter((trait) => trait !== undefined).join(', ');
  return `  ${oneLine(name)} ${oneLine(type)}${told === '' ? '' : `, ${oneLine(told)}`}${commentText(comment)}`;
}

function commentText(comment: string | null): string {
  return comment === null || comment === '' ? '' : ` -- ${oneLine(comment).slice(0, COMMENT_LENGTH_MAX)}`;
}

/** A name or comment must not look like a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
