import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqlEvent, SqlLine } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { SqlRow } from '../../sql/sql.ts';
import { MEMBER_KEY, OWNER_KEY, owner } from '../testing/fakes.ts';
import { type RunningGateway, json, startGateway } from '../testing/start.ts';
import { ANSWER, RESULT } from './testing/fake-sql.ts';

let running: RunningGateway;
beforeEach(async () => void (running = await startGateway()));
afterEach(() => running.gateway.close(1000));

const TOKEN = `token:${OWNER_KEY}`;
const DSN = 'reader:s3cret@tcp(db.example.org:3306)/shop';

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', jfwt: TOKEN, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
const api = (path: string, body: unknown, headers?: Record<string, string>): Promise<Response> =>
  post(`/api/v1/sql${path}`, body, headers);

const failure = (code: string): PlatformError =>
  new PlatformError({ kind: 'invalid_argument', code, message: 'Because.' });

describe('/query-service/v1/rdbms', () => {
  const question = { query: 'How many?', tables: ['people'], mysql_connection_string: DSN };
  const ask = (body: object, headers?: Record<string, string>): Promise<Response> =>
    post('/query-service/v1/rdbms', body, headers);

  it('answers 200 with `answer`, and passes on what the public clients send', async () => {
    const response = await ask({ ...question, rdbms_query: 'Count people', ai_platform: 'gemini', more: 1 });
    expect(response.status).toBe(200);
    const { trace: _, ...shown } = ANSWER;
    expect(await json(response)).toEqual(shown);
    const [asked] = running.fakes.sql.asked;
    expect(asked).toMatchObject({
      principal: owner,
      originIp: '192.0.2.1',
      question: 'How many?',
      statementQuestion: 'Count people',
      tables: ['people'],
      platform: 'gemini',
      rows: undefined,
      explainOnly: false,
    });
    expect(asked && 'connection' in asked.from && asked.from.connection.reveal()).toBe(DSN);
  });

  it('takes empty texts and null for what is left out', async () => {
    await ask({ ...question, tables: null, rdbms_query: '', ai_platform: null });
    expect(running.fakes.sql.asked[0]).toMatchObject({ tables: [] });
    expect(running.fakes.sql.asked[0]?.statementQuestion).toBeUndefined();
    expect(running.fakes.sql.asked[0]?.platform).toBeUndefined();
  });

  it.each([
    ['no token', { jfwt: '' }],
    ['a wrong token', { jfwt: 'wrong' }],
    ['a key instead of a token', { jfwt: '', 'x-jf-apikey': OWNER_KEY }],
  ])('refuses %s with JSON', async (_what, headers) => {
    const response = await ask(question, headers);
    expect(response.status).toBe(403);
    expect(await json(response)).toEqual({ errorId: 'auth.invalid_token', errorMessage: expect.any(String) });
  });

  it('answers every failure with JSON that names nothing of the request', async () => {
    for (const thrown of [failure('sql.login_failed'), new Error(`CANARY ${DSN}`)]) {
      running.fakes.sql.answer = () => Promise.reject(thrown);
      const response = await ask(question);
      const text = JSON.stringify(await json(response)) + running.fakes.log.join('');
      expect(text).toContain('errorId');
      expect(text).not.toMatch(/CANARY|s3cret|example\.org|people/);
    }
    expect((await ask({ ...question, mysql_connection_string: undefined })).status).toBe(400);
    expect((await ask({ ...question, tables: Array.from({ length: 33 }, () => 't') })).status).toBe(400);
  });
});

describe('/api/v1/sql/ask', () => {
  it('takes an own database or a connection, not both and not neither', async () => {
    expect((await api('/ask', { question: 'How?', database: 'manuals' })).status).toBe(200);
    expect(running.fakes.sql.asked[0]?.from).toEqual({ database: 'manuals' });
    expect((await api('/ask', { question: 'How?', connection: DSN, tables: ['people'] })).status).toBe(200);
    for (const body of [{}, { connection: DSN, database: 'manuals' }])
      expect((await api('/ask', { question: 'How?', ...body })).status).toBe(400);
  });

  it('shows statements and rows only when the trace is asked for', async () => {
    const { trace, ...shown } = ANSWER;
    const body = { question: 'How?', database: 'manuals', rows: 'none', explainOnly: true };
    expect(await json(api('/ask', body))).toEqual(shown);
    expect(await json(api('/ask', { ...body, trace: true }))).toEqual({ ...shown, trace });
    expect(running.fakes.sql.asked[0]).toMatchObject({ rows: 'none', explainOnly: true });
  });

  it('streams in order and ends with the answer', async () => {
    running.fakes.sql.answer = async (_question, onEvent) => {
      for (const event of ANSWER.trace) onEvent(event);
      onEvent({ type: 'text', text: 'There are 14.' });
      return ANSWER;
    };
    const stream = async (trace: boolean): Promise<SqlEvent[]> => {
      const body = { question: 'How?', database: 'manuals', trace };
      const text = await (await api('/ask', body, { accept: 'text/event-stream' })).text();
      return [...text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, name, data = '']) => {
        const event = SqlEvent.parse(JSON.parse(data));
        expect(event.type).toBe(name);
        return event;
      });
    };
    expect((await stream(true)).map(({ type }) => type)).toEqual([
      'statement',
      'refused',
      'statement',
      'result',
      'text',
      'answer',
      'done',
    ]);
    expect((await stream(false)).map(({ type }) => type)).toEqual(['text', 'answer', 'done']);
    running.fakes.sql.answer = () => Promise.reject(failure('models.none_configured'));
    expect(await stream(false)).toEqual([
      { type: 'error', code: 'models.none_configured', detail: 'Because.', status: 400 },
      { type: 'done' },
    ]);
  });

  it('is called off when its client leaves', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    running.fakes.sql.answer = ({ signal }) => {
      asked.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(failure('sql.x'))));
    };
    const leave = new AbortController();
    const response = fetch(`${running.url}/api/v1/sql/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', jfwt: TOKEN },
      body: '{"question":"What?","database":"manuals"}',
      signal: leave.signal,
    }).catch(() => undefined);
    const signal = await asked.promise;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    leave.abort();
    await aborted;
    await response;
  });
});

describe('managed databases', () => {
  it('answer with their own, and with a receipt when dropped', async () => {
    const shown = { id: 'db_manuals', name: 'manuals', createdAt: '2026-11-23T10:00:00Z' };
    expect(await json(running.fetch('/api/v1/sql'))).toEqual({ databases: [shown] });
    expect(await json(running.fetch('/api/v1/sql/manuals'))).toEqual({ ...shown, bytes: 4096 });
    expect(await json(running.fetch('/api/v1/sql/manuals', { method: 'DELETE' }))).toEqual({
      id: 'db_manuals',
      receipt: 'a.b.c',
    });
    expect((await running.fetch('/api/v1/sql/other')).status).toBe(404);
    expect((await api('', { name: 'manuals' })).status).toBe(409);
  });

  it('are opened with the key that the caller brings', async () => {
    await api('/manuals/query', { sql: 'SELECT 1' });
    await api('/manuals/query', { sql: 'SELECT 1' }, { jfwt: '', 'x-jf-apikey': MEMBER_KEY });
    expect(running.fakes.sql.callers.map(({ holder }) => holder.accountId)).toEqual([
      'acct_owner',
      'acct_member',
    ]);
    expect((await api('/manuals/query', { sql: 'SELECT 1' }, { jfwt: 'wrong' })).status).toBe(403);
  });

  it('run a statement with its parameters and bounds', async () => {
    const params = [1, 'ü', null, true, { int: '9007199254740993' }, { base64: 'AAE=' }];
    const body = { sql: 'SELECT ?', params, readOnly: true, rowsMax: 5, timeoutMs: 100 };
    expect(await json(api('/manuals/query', body))).toEqual(RESULT);
    expect(running.fakes.sql.batches).toEqual([
      { statements: [{ sql: 'SELECT ?', params }], readOnly: true, rowsMax: 5, timeoutMs: 100 },
    ]);
  });

  it.each([
    { sql: '' },
    { sql: 'SELECT 1', params: [{ int: '1.5' }] },
    { sql: 'SELECT 1', params: [[1]] },
    { sql: 'SELECT 1', params: Array.from({ length: 1001 }, () => 1) },
    { sql: 'x'.repeat(100_001) },
    { sql: 'SELECT 1', rowsMax: 0 },
    { sql: 'SELECT 1', attach: true },
  ])('refuse %j', async (body) => {
    expect((await api('/manuals/query', body)).status).toBe(400);
    expect(running.fakes.sql.batches).toEqual([]);
  });

  it('run a batch as one', async () => {
    const statements = [{ sql: 'INSERT' }, { sql: 'SELECT :a', params: { a: 1 } }];
    expect(await json(api('/manuals/batch', { statements }))).toEqual({ results: [RESULT, RESULT] });
    expect(running.fakes.sql.batches).toMatchObject([{ statements, readOnly: false }]);
  });

  it('bound how much an account asks at once', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { queriesPerAccountMax: 1 } });
    const started = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    running.fakes.sql.answer = async () => {
      started.resolve();
      await end.promise;
      return ANSWER;
    };
    const first = api('/ask', { question: 'How?', database: 'manuals' });
    await started.promise;
    const second = await api('/manuals/query', { sql: 'SELECT 1' });
    expect(await json(second)).toMatchObject({ status: 429, code: 'sql.too_many_requests' });
    end.resolve();
    expect((await first).status).toBe(200);
    expect((await api('/manuals/query', { sql: 'SELECT 1' })).status).toBe(200);
  });
});

describe('rows as lines', () => {
  const lines = (text: string): SqlLine[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => SqlLine.parse(JSON.parse(line)));
  const stream = (): Promise<Response> =>
    api('/manuals/query', { sql: 'SELECT 1' }, { accept: 'application/x-ndjson' });

  it('are columns, every row, and the end', async () => {
    const response = await stream();
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(lines(await response.text())).toEqual([
      { columns: RESULT.columns },
      ...RESULT.rows,
      { done: true, rows: 3 },
    ]);
  });

  it('come as they are read', async () => {
    const more = Promise.withResolvers<void>();
    running.fakes.sql.rows = async function* (): AsyncGenerator<SqlRow> {
      yield ['first'];
      await more.promise;
      yield ['second'];
    };
    const reader = (await stream()).body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('first')) seen += (await reader?.read())?.value ?? '';
    more.resolve();
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      seen += next.value;
    expect(seen).toContain('"second"');
  });

  it('end with the failure, when there is one after the first', async () => {
    running.fakes.sql.rows = async function* (): AsyncGenerator<SqlRow> {
      yield ['first'];
      throw failure('sql.timeout');
    };
    expect(lines(await (await stream()).text()).at(-1)).toEqual({
      error: { code: 'sql.timeout', detail: 'Because.', status: 400 },
    });
    const missing = await api('/other/query', { sql: 'SELECT 1' }, { accept: 'application/x-ndjson' });
    expect(missing.status).toBe(404);
  });

  it('are read no faster than the client takes them', async () => {
    let taken = 0;
    const left = Promise.withResolvers<number>();
    running.fakes.sql.rows = async function* (): AsyncGenerator<SqlRow> {
      try {
        for (; taken < 200_000; taken++) yield ['x'.repeat(1000)];
      } finally {
        left.resolve(taken);
      }
    };
    const leave = new AbortController();
    const response = await fetch(`${running.url}/api/v1/sql/manuals/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/x-ndjson', jfwt: TOKEN },
      body: '{"sql":"SELECT 1"}',
      signal: leave.signal,
    });
    await response.body?.getReader().read();
    leave.abort();
    expect(await left.promise).toBeLessThan(200_000);
  });
});

describe('import and export', () => {
  const send = (path: string, body: string, type: string): Promise<Response> =>
    running.fetch(`/api/v1/sql/manuals/import${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });

  it('take SQL text, and CSV of a named table', async () => {
    expect(await json(send('', 'INSERT …;', 'application/sql'))).toEqual({ statements: 2 });
    expect(await json(send('?table=people', 'a,b\n1,ü\n', 'text/csv; charset=utf-8'))).toEqual({ rows: 2 });
    expect(running.fakes.sql.imports).toEqual([
      { csvTable: null, text: 'INSERT …;' },
      { csvTable: 'people', text: 'a,b\n1,ü\n' },
    ]);
    expect(await json(send('', 'a,b\n', 'text/csv'))).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'refuse %s',
    async (type) => {
      expect(await json(send('', '{}', type))).toMatchObject({
        status: 415,
        detail: 'Send the body as text/csv or application/sql.',
      });
    },
  );

  it('refuse more than may be imported, and the client hears why', async () => {
    await running.gateway.close(1000);
    running = await startGateway({ limits: { sqlImportBytesMax: 1_048_576 } });
    const response = await send('', 'x'.repeat(3_000_000), 'application/sql');
    expect(await json(response)).toMatchObject({ status: 413, code: 'sql.import_too_large' });
  });

  it('are refused in the middle of a body, and the client hears why', async () => {
    running.fakes.sql.take = async ({ content }) => {
      for await (const _ of content) throw failure('sql.failed');
      return 0;
    };
    const response = await send('', 'x'.repeat(3_000_000), 'application/sql');
    expect(await json(response)).toMatchObject({ status: 400, code: 'sql.failed' });
  });

  it('give everything as SQL, or one table as CSV', async () => {
    const sql = await running.fetch('/api/v1/sql/manuals/export');
    expect(sql.headers.get('content-type')).toBe('application/sql; charset=utf-8');
    expect(await sql.text()).toBe("CREATE TABLE t (a);\nINSERT INTO t VALUES ('ü');\n");
    const csv = await running.fetch('/api/v1/sql/manuals/export?format=csv&table=t');
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect((await running.fetch('/api/v1/sql/manuals/export?format=csv')).status).toBe(400);
    expect((await running.fetch('/api/v1/sql/other/export')).status).toBe(404);
  });

  it('are cut, not ended, when an export fails halfway', async () => {
    running.fakes.sql.text = async function* () {
      yield 'CREATE TABLE t (a);\n';
      throw failure('sql.failed');
    };
    const text = running.fetch('/api/v1/sql/manuals/export').then((response) => response.text());
    await expect(text).rejects.toThrow();
  });
});
