import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, runAgainst } from '../testing/run-against.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'jellyfaas-cli-sql-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Every request is answered with `body`. */
function sql(body: unknown, words: readonly string[], input?: string): Promise<Outcome> {
  return runAgainst((_request, response) => json(response, body), ['sql', ...words], input);
}

const RESULT = {
  columns: ['name', 'total', 'note'],
  rows: [
    ['Ada', 12.5, null],
    ['Böö 🪼', 3, 'a\nb "c", d'],
    ['x', { int: '9007199254740993' }, { base64: 'AAE=' }],
  ],
  changes: 0,
  lastRowId: null,
  truncated: false,
};

describe('sql query', () => {
  it('draws rows as a table, numbers to the right', async () => {
    const { out, asked } = await sql(RESULT, [
      'query',
      'shop',
      'SELECT 1',
      '--params',
      '[1,"ü"]',
      '--read-only',
    ]);
    expect(asked).toEqual([
      'POST /api/v1/sql/shop/query {"sql":"SELECT 1","params":[1,"ü"],"readOnly":true}',
    ]);
    expect(out.split('\n')).toEqual([
      'name              total  note',
      expect.stringMatching(/^─+ {2}─+ {2}─+$/),
      'Ada                12.5  NULL',
      'Böö 🪼                 3  a b "c", d',
      'x      9007199254740993  (2 bytes)',
      '(3 rows)',
      '',
    ]);
  });

  it('says what a statement without rows has done, and when rows are missing', async () => {
    const done = { ...RESULT, columns: [], rows: [], changes: 2 };
    expect((await sql(done, ['query', 'shop', 'DELETE'])).out).toBe('Done. 2 rows changed.\n');
    expect((await sql({ ...RESULT, truncated: true }, ['query', 'shop', 'S'])).out).toContain(
      '(the first 3 rows)',
    );
  });

  it('reads the statement from stdin, and prints JSON for machines', async () => {
    const { out, asked } = await sql(RESULT, ['query', 'shop', '-', '--json'], 'SELECT secret');
    expect(asked[0]).toContain('"SELECT secret"');
    expect(JSON.parse(out)).toEqual(RESULT);
  });

  it('prints rows as CSV as they come, and fails when they end early', async () => {
    const csv = (lines: readonly unknown[]): Promise<Outcome> =>
      runAgainst(
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/x-ndjson' });
          response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        },
        ['sql', 'query', 'shop', 'SELECT 1', '--csv'],
      );
    const rows = [{ columns: RESULT.columns }, ...RESULT.rows];
    const whole = await csv([...rows, { done: true, rows: 3 }]);
    expect([whole.code, whole.out]).toEqual([
      0,
      'name,total,note\r\nAda,12.5,\r\nBöö 🪼,3,"a\nb ""c"", d"\r\nx,9007199254740993,AAE=\r\n',
    ]);
    expect((await csv(rows)).code).toBe(1);
    const failed = await csv([...rows, { error: { code: 'sql.timeout', detail: 'Too long.', status: 504 } }]);
    expect([failed.code, failed.err]).toEqual([1, 'Error: Too long.\n']);
  });
});

describe('sql shell', () => {
  it('runs statements of a script one by one, over several lines', async () => {
    const script = 'SELECT 1;\n\nSELECT\n  2;\n\\d\n';
    const { code, asked, out } = await sql({ ...RESULT, tables: [] }, ['shell', 'shop'], script);
    expect(code).toBe(0);
    expect(asked).toEqual([
      'GET /api/v1/sql/shop ',
      'POST /api/v1/sql/shop/query {"sql":"SELECT 1;\\n","readOnly":false}',
      'POST /api/v1/sql/shop/query {"sql":"SELECT\\n  2;\\n","readOnly":false}',
      'GET /api/v1/sql/shop/schema ',
    ]);
    expect(out).toContain('It has no tables yet.');
  });

  it('leaves with \\q and does not run half a statement', async () => {
    expect((await sql(RESULT, ['shell', 'shop'], '\\q\nSELECT 1;\n')).asked).toHaveLength(1);
    const half = await sql(RESULT, ['shell', 'shop'], 'DELETE FROM a');
    expect([half.code, half.asked.length]).toEqual([1, 1]);
  });
});

describe('sql import and export', () => {
  it('send a file as it is read, by its ending', async () => {
    writeFileSync(join(folder, 'people.csv'), 'a,b\n1,ü\n');
    writeFileSync(join(folder, 'dump.sql'), 'SELECT 1;');
    const csv = await sql({ rows: 1 }, ['import', 'shop', join(folder, 'people.csv')]);
    expect(csv.asked).toEqual(['POST /api/v1/sql/shop/import?table=people a,b\n1,ü\n']);
    expect(csv.out).toBe('1 row imported into people.\n');
    const text = await sql({ statements: 1 }, ['import', 'shop', join(folder, 'dump.sql')]);
    expect(text.asked).toEqual(['POST /api/v1/sql/shop/import SELECT 1;']);
    const piped = await sql({ rows: 1 }, ['import', 'shop', '-', '--table', 't'], 'a\n1\n');
    expect(piped.asked).toEqual(['POST /api/v1/sql/shop/import?table=t a\n1\n']);
    expect((await sql({}, ['import', 'shop', join(folder, 'missing.csv')])).code).toBe(2);
  });

  it('write a new file that only its owner can read', async () => {
    const file = join(folder, 'export.csv');
    const run = (): Promise<Outcome> =>
      runAgainst(
        (_request, response) => response.end('a\n1\n'),
        ['sql', 'export', 'shop', '--table', 't', '-o', file],
      );
    const first = await run();
    expect([first.code, first.asked]).toEqual([0, ['GET /api/v1/sql/shop/export?format=csv&table=t ']]);
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['a\n1\n', 0o600]);
    expect((await run()).code).toBe(2);
  });

  it('apply migrations of a folder by name', async () => {
    writeFileSync(join(folder, '002-more.sql'), 'B');
    writeFileSync(join(folder, '001-first.sql'), 'A');
    rmSync(join(folder, 'dump.sql'));
    const { asked, out } = await sql({ applied: ['002-more'] }, ['migrate', 'shop', folder]);
    expect(asked[0]).toContain('[{"id":"001-first","sql":"A"},{"id":"002-more","sql":"B"}]');
    expect(out).toBe('applied 002-more\n');
    expect((await sql({ applied: [] }, ['migrate', 'shop', folder])).out).toContain('Nothing to do');
  });
});

describe('sql ask', () => {
  const answer = { finish: 'complete', sql: 'SELECT 1', columns: ['n'], rowCount: 1, truncated: false };
  const model = { rows: 'all', platform: 'p', model: 'm', retention: 'provider', trace: [] };
  const events = [
    { type: 'statement', sql: 'SELECT 1' },
    { type: 'result', columns: ['n'], rows: [[14]], truncated: false },
    { type: 'answer', answer: 'Fourteen.', ...answer, ...model },
    { type: 'done' },
  ];
  const ask = (words: readonly string[], input?: string): Promise<Outcome> =>
    runAgainst(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
      },
      ['sql', 'ask', ...words],
      input,
    );

  it('shows the answer on stdout, the statement and what a provider may keep on stderr', async () => {
    const { out, err, asked } = await ask(['shop', 'How many?', '--table', 'a', '--table', 'b', '--trace']);
    expect(asked).toEqual([
      'POST /api/v1/sql/ask {"database":"shop","question":"How many?","tables":["a","b"],"trace":true}',
    ]);
    expect(out).toBe('Fourteen.\n');
    expect(err).toBe(
      '→ SELECT 1\n n\n──\n14\n(1 row)\np may keep what was asked, with the rows: see its own terms.\n',
    );
  });

  it('takes a connection string from stdin or a file, never from the command line', async () => {
    const { asked } = await ask(['@-', 'How many?', '--rows', 'none', '--explain'], 'mysql://a:secret@b/c\n');
    expect(asked[0]).toContain('{"connection":"mysql://a:secret@b/c","question":"How many?"');
    expect(asked[0]).toContain('"rows":"none","explainOnly":true');
  });
});

describe('sql databases', () => {
  it('are listed, or it is said how to have one', async () => {
    expect((await sql({ databases: [] }, ['list'])).out).toContain('jellyfaas sql create NAME');
    const databases = [{ id: 'db_1', name: 'shop', createdAt: '2026-11-23T10:00:00Z' }];
    expect((await sql({ databases }, ['list'])).out).toContain('shop');
  });

  it('are destroyed with a receipt', async () => {
    const { asked, out } = await sql({ id: 'db_1', receipt: 'a.b.c' }, ['drop', 'shop']);
    expect(asked).toEqual(['DELETE /api/v1/sql/shop ']);
    expect(out).toContain('a.b.c');
  });
});
