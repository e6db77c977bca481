import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  HARMLESS_SECTIONS,
  sqlAttacks,
  type SqlDialect,
  sqlQuestions,
} from '../../../testkit/sql-fixtures.ts';

/** The guards run in the jail and are JavaScript; what of them is called here. */
interface Guard {
  readonly prepareGuard: () => Promise<void>;
  readonly guard: (sql: string, allowed: object) => string;
}

async function load(dialect: SqlDialect): Promise<Guard['guard']> {
  const path = fileURLToPath(new URL(`../../../guest/sql/guard/${dialect}.mjs`, import.meta.url));
  const { prepareGuard, guard } = (await import(/* @vite-ignore */ path)) as Guard;
  await prepareGuard();
  return guard;
}

const GUARDS = { mysql: await load('mysql'), postgres: await load('postgres') };

function allowedIn(dialect: SqlDialect, database: string, tables: readonly string[]): object {
  if (dialect === 'mysql') return { database, tables, foldsCase: false };
  const places = tables.map((name) => {
    const [schema, bare] = name.includes('.') ? name.split('.') : ['public', name];
    return { schema, name: bare, visible: schema === 'public' };
  });
  return { tables: places, types: ['order_status'], computed: ['order_secret'] };
}

/** What runs, or why nothing does. */
function verdict(
  dialect: SqlDialect,
  sql: string,
  tables: readonly string[] = ['customers', 'orders'],
): string {
  try {
    return GUARDS[dialect](sql, allowedIn(dialect, 'shop', tables));
  } catch (error) {
    const { reason } = error as { reason?: string };
    if (reason === undefined) throw error;
    return `refused: ${reason}`;
  }
}

/**
 * Comments and strings may swallow what is put behind them; these are attacks by their form or case alone, and plain
 * statements in another one.
 */
const CHANGED_BY_DISGUISE =
  /--|#|'|"|\$\$|unterminated|^VALUES \(1\)|WITH payroll AS \(SELECT 1\) SELECT \* FROM PAYROLL/;

describe.each(['mysql', 'postgres'] as const)('the guard of %s', (dialect) => {
  test('lets every ordinary question through', () => {
    const questions = sqlQuestions(dialect);
    expect(questions.length).toBeGreaterThanOrEqual(60);
    for (const { database, tables, sql } of questions) {
      expect(() => GUARDS[dialect](sql, allowedIn(dialect, database, tables)), sql).not.toThrow();
    }
  });

  test('refuses every attack, but for those that only the limits can hold', () => {
    const attacks = sqlAttacks(dialect);
    expect(attacks.length).toBeGreaterThanOrEqual(150);
    for (const { section, sql } of attacks) {
      const isRefused = verdict(dialect, sql).startsWith('refused: ');
      expect(isRefused, sql).toBe(!HARMLESS_SECTIONS.has(section));
    }
  });

  test.each([
    ['in capitals', (sql: string) => sql.toUpperCase()],
    ['with comments for spaces', (sql: string) => sql.replaceAll(' ', '/**/')],
    ['with line breaks for spaces', (sql: string) => sql.replaceAll(' ', '\n\t')],
    ['behind a comment', (sql: string) => `/* SELECT 1 */ -- x\n${sql}`],
    ['in parentheses', (sql: string) => `(${sql})`],
    ['as a subquery', (sql: string) => `SELECT * FROM (${sql}) AS x`],
    ['as one value', (sql: string) => `SELECT (${sql})`],
    ['in a UNION', (sql: string) => `SELECT 1 UNION ALL ${sql}`],
    ['behind a WITH', (sql: string) => `WITH w AS (SELECT 1) ${sql}`],
    ['in a WITH', (sql: string) => `WITH w AS (${sql}) SELECT * FROM w`],
    ['in EXISTS', (sql: string) => `SELECT 1 FROM orders WHERE EXISTS (${sql})`],
  ])('refuses every attack %s', (_, disguise) => {
    for (const { section, sql } of sqlAttacks(dialect)) {
      if (HARMLESS_SECTIONS.has(section) || CHANGED_BY_DISGUISE.test(sql)) continue;
      // Of other statements, inside of one, some words are names: COMMIT could be a column.
      if (!/^\(?(SELECT|WITH)\b/.test(sql)) continue;
      expect(verdict(dialect, disguise(sql)), disguise(sql)).toMatch(/^refused: /);
    }
  });

  test.each(['', ' ', ';', '(', 'x', 'SELECT FROM', '𝒮ELECT 1', `SELECT '\ud800'`, '-- x', '/* x */'])(
    'refuses %j',
    (sql) => {
      expect(verdict(dialect, sql)).toMatch(/^refused: /);
    },
  );

  test('refuses what is nested beyond reason instead of falling over it', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['(SELECT ', ')'],
      ['NOT ', ''],
      ['- ', ''],
      ['CASE WHEN ', ' THEN 1 END'],
    ] as const) {
      const sql = `SELECT ${open.repeat(1500)}1${close.repeat(1500)}`;
      expect(() => verdict(dialect, sql), open).not.toThrow();
    }
    for (const link of [
      ' + 1',
      ' AND 1',
      ' UNION SELECT 1',
      ' IS NULL',
      " COLLATE 'x'",
      ' || 1',
      ' JOIN orders',
    ]) {
      expect(() => verdict(dialect, `SELECT 1${link.repeat(1300)}`), link).not.toThrow();
    }
    expect(verdict(dialect, `SELECT ${'1,'.repeat(20_000)}1`)).toBe('refused: too_long');
    expect(verdict(dialect, 'SELECT id FROM orders')).not.toMatch(/^refused/);
  });

  test('reads a WITH inside a WITH once, however deep', () => {
    const deep = (depth: number): string =>
      depth === 0 ? 'SELECT 1 AS x' : `WITH w AS (${deep(depth - 1)}) SELECT x FROM w`;
    expect(verdict(dialect, deep(20))).not.toMatch(/^refused: table/);
  });
});

describe('what runs on MySQL', () => {
  test.each([
    ['SELECT/*x*/id FROM orders -- y', 'SELECT id FROM orders'],
    ['SELECT COUNT (*) FROM orders;', 'SELECT COUNT(*) FROM orders'],
    ['SELECT "it\'s" FROM orders', `SELECT 'it''s' FROM orders`],
    [String.raw`SELECT 'a\'b\\c\n\%' FROM orders`, `SELECT 'a''b\\\\c\n\\\\%' FROM orders`],
    ['SELECT `a``b` FROM `orders`', 'SELECT `a``b` FROM `orders`'],
    ['SELECT größe FROM orders', 'SELECT `größe` FROM orders'],
    ["SELECT a->>'$.b' FROM orders", "SELECT a->>'$.b' FROM orders"],
    ['SELECT 1 IN (1, 2), id--1 FROM orders', 'SELECT 1 IN (1, 2), id--1 FROM orders'],
    [
      'SELECT id, SUM(total) FROM orders GROUP BY id WITH ROLLUP HAVING id > 1',
      'SELECT id, SUM(total) FROM orders GROUP BY id WITH ROLLUP HAVING id > 1',
    ],
  ])('%s runs as %s', (sql, expected) => {
    expect(verdict('mysql', sql)).toBe(expected);
  });

  test('table names are told apart by case, unless the server does not', () => {
    expect(verdict('mysql', 'SELECT 1 FROM ORDERS')).toBe('refused: table');
    const folding = { database: 'Shop', tables: ['Orders'], foldsCase: true };
    expect(GUARDS.mysql('SELECT 1 FROM shop.ORDERS', folding)).toBe('SELECT 1 FROM shop.ORDERS');
  });
});

describe('what runs on Postgres', () => {
  test('is the text as it came', () => {
    expect(verdict('postgres', 'SELECT/*x*/id FROM orders -- y')).toBe('SELECT/*x*/id FROM orders -- y');
  });

  test('a table outside the search path is reached by its schema alone', () => {
    const tables = ['archive.loans'];
    expect(verdict('postgres', 'SELECT id FROM archive.loans', tables)).not.toMatch(/^refused/);
    expect(verdict('postgres', 'SELECT id FROM loans', tables)).toBe('refused: table');
    expect(verdict('postgres', 'SELECT id FROM public.loans', tables)).toBe('refused: table');
  });
});
