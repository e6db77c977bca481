import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SqlSchema } from '../api.ts';
import type { Context } from '../context.ts';
import { isSystemError, usageError } from '../failure.ts';

export function sqlPath(name: string, rest = ''): string {
  return `/api/v1/sql/${encodeURIComponent(name)}${rest}`;
}

/** Text of a file, or of stdin for `-`. */
export async function textOf({ terminal, cwd }: Context, file: string): Promise<string> {
  if (file === '-') return (await terminal.readInput()).toString('utf8');
  try {
    return readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EISDIR', 'EACCES'))
      throw usageError(`The file ${file} cannot be read.`);
    throw error;
  }
}

/** Tables with their columns; says how to make some where there are none. */
export function tableLines(tables: SqlSchema['tables'], database: string): string[] {
  if (tables.length === 0) {
    return [`It has no tables yet. Make some: jellyfaas sql query ${database} "CREATE TABLE …".`];
  }
  return tables.flatMap(({ name, kind, columns, foreignKeys }) => [
    '',
    kind === 'view' ? `${name} (view)` : name,
    ...columns.map((column) => {
      const key = foreignKeys.find((one) => one.column === column.name);
      const traits = [
        column.type,
        column.primaryKey ? 'primary key' : column.nullable ? '' : 'not null',
        key === undefined ? '' : `→ ${key.table}(${key.references})`,
      ];
      return `  ${column.name}  ${traits.filter((trait) => trait !== '').join(', ')}`;
    }),
  ]);
}
