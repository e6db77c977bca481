import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Statements of the files in fixtures/sql, which say themselves how they are written. */
export type SqlDialect = 'mysql' | 'postgres';

export interface SqlQuestion {
  readonly database: string;
  readonly tables: readonly string[];
  readonly sql: string;
}

export interface SqlAttack {
  readonly section: string;
  readonly sql: string;
}

/** What the guard lets through on purpose; the limits of results and time are for them. */
export const HARMLESS_SECTIONS: ReadonlySet<string> = new Set(['only text', 'huge']);

/** Statements that have to run. */
export function sqlQuestions(dialect: SqlDialect): SqlQuestion[] {
  return statements(`questions-${dialect}.txt`).map(({ section, sql }) => {
    const [database = '', tables = ''] = section.split(': ');
    return { database, tables: tables.split(', '), sql };
  });
}

/** Statements that must have no effect, asked of `shop` with the tables `customers` and `orders`. */
export function sqlAttacks(dialect: SqlDialect): SqlAttack[] {
  return statements(`attacks-${dialect}.txt`).map(({ section, sql }) => ({
    section,
    sql: sql.replaceAll('⏎', '\n').replaceAll('␀', '\0'),
  }));
}

function statements(name: string): SqlAttack[] {
  let section = '';
  return readFileSync(join(import.meta.dirname, 'fixtures', 'sql', name), 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('== ')) section = line.slice(3);
      return line === '' || /^(==|#)/.test(line) ? [] : [{ section, sql: line }];
    });
}
