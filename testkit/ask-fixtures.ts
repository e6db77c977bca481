import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'fixtures', 'sql-questions');

/** Schema and rows of a database that questions in words are put to, in one dialect; the rows are the same in all. */
export function askedDatabase(name: string, dialect: 'mysql' | 'postgres' | 'sqlite'): string {
  return [`${name}.${dialect}.sql`, `${name}.data.sql`]
    .map((file) => readFileSync(join(FOLDER, file), 'utf8'))
    .join('\n');
}
