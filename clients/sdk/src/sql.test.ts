import { describe, expect, it } from 'vitest';
import { jellyfaas } from './jellyfaas.ts';
import type { SqlDatabase } from './sql.ts';

const sent: { readonly path: string; readonly init: RequestInit }[] = [];

/** A database behind a server that answers everything with `body`. */
function answering(body: string, status = 200): SqlDatabase {
  sent.length = 0;
  const client = jellyfaas({
    url: 'https://jelly.example',
    token: () => 'token',
    fetch: async (url, init) => {
      sent.push({ path: new URL(url).pathname + new URL(url).search, init });
      return new Response(body, { status });
    },
  });
  return client.sql('my shop');
}
const bodySent = (): unknown => JSON.parse(sent[0]?.init.body as string);

const RESULT = { columns: ['a', 'b', 'c'], changes: 1, lastRowId: 2, truncated: false };

describe('a statement', () => {
  it('carries big integers and bytes both ways', async () => {
    const rows = [[{ int: '9007199254740993' }, { base64: 'AAH/' }, null]];
    const database = answering(JSON.stringify({ ...RESULT, rows }));
    const result = await database.query('SELECT ?', [9007199254740993n, new Uint8Array([0, 1, 255]), 'ü'], {
      rowsMax: 5,
    });
    expect(sent[0]?.path).toBe('/api/v1/sql/my%20shop/query');
    expect(bodySent()).toEqual({
      sql: 'SELECT ?',
      params: [{ int: '9007199254740993' }, { base64: 'AAH/' }, 'ü'],
      rowsMax: 5,
    });
    expect(result).toEqual({
      ...RESULT,
      rows: [{ a: 9007199254740993n, b: new Uint8Array([0, 1, 255]), c: null }],
    });
  });

  it('takes parameters by name', async () => {
    await answering(JSON.stringify({ results: [] })).batch([{ sql: 'SELECT :a', params: { a: 1n } }]);
    expect(bodySent()).toEqual({ statements: [{ sql: 'SELECT :a', params: { a: { int: '1' } } }] });
  });
});

describe('rows as they come', () => {
  const collect = async (lines: readonly unknown[]): Promise<unknown[]> => {
    const rows: unknown[] = [];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    for await (const row of answering(text).stream('SELECT 1')) rows.push(row);
    return rows;
  };

  it('are objects by column', async () => {
    expect(await collect([{ columns: ['a', 'b'] }, [1, 'x'], [2, null], { done: true, rows: 2 }])).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: null },
    ]);
  });

  it('are not taken as complete when they end early', async () => {
    await expect(collect([{ columns: ['a'] }, [1]])).rejects.toMatchObject({ errorId: 'sdk.answer_cut' });
    const error = { code: 'sql.timeout', detail: 'Too long.', status: 504 };
    await expect(collect([{ columns: ['a'] }, { error }])).rejects.toMatchObject({
      errorId: 'sql.timeout',
      status: 504,
    });
  });
});

describe('a file', () => {
  it('is SQL, or CSV of a table', async () => {
    await answering('{"statements":1}').import('SELECT 1;');
    expect([sent[0]?.path, sent[0]?.init.headers]).toEqual([
      '/api/v1/sql/my%20shop/import',
      { 'content-type': 'application/sql', jfwt: 'token' },
    ]);
    await answering('{"rows":1}').import('a\n1\n', { table: 'x y' });
    expect(sent[0]?.path).toBe('/api/v1/sql/my%20shop/import?table=x%20y');
    const csv = await answering('a\n1\n').export({ table: 't' });
    expect(await new Response(csv).text()).toBe('a\n1\n');
  });
});
