import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { askedDatabase } from '../testkit/ask-fixtures.ts';
import type { DatabaseServer } from '../testkit/database-server.ts';
import { startMariadb } from '../testkit/mariadb.ts';
import { startPostgres } from '../testkit/postgres.ts';
import {
  type Platform,
  type ScriptedModel,
  type ScriptedReply,
  type ScriptedRequest,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { SCHEMAS, type SchemaName, type SqlCase, sqlCases } from '../tools/evaluation/sql/cases.ts';
import { matchesResult } from '../tools/evaluation/sql/compare-rows.ts';
import { type Command, newCommand } from './command.ts';
import { receiptOf } from './receipt.ts';

/** SQL end to end: managed databases, real MariaDB and Postgres; only what the model says is scripted. */
const names = Object.keys(SCHEMAS) as SchemaName[];

let model: ScriptedModel;
let platform: Platform;
let token: string;
let mariadb: DatabaseServer | undefined;
let postgres: DatabaseServer | undefined;
/** What the model says; one that answers everything unless a test says otherwise. */
let script: (request: ScriptedRequest) => ScriptedReply;
let from: number;

beforeAll(async () => {
  [mariadb, postgres] = await Promise.all([startMariadb(), startPostgres()]);
  await Promise.all([loadMariadb(), loadPostgres()]);
  model = await startScriptedModel((request) => script(request));
  const open = [mariadb, postgres].flatMap((server) => (server ? [`127.0.0.1:${server.port}`] : []));
  platform = await startPlatform({
    layersOf: inject('platform').dataDir,
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_SQL_ALLOWED_HOSTS: open.join(','),
      ...(mariadb && { JELLYFAAS_SQL_CA_FILE: mariadb.caFile }),
    },
  });
  token = await createClient(platform.url, platform.apiKey).token();
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
  await Promise.all([mariadb?.stop(), postgres?.stop()]);
});

beforeEach(() => {
  from = model.requests.length;
  script = goldOr('sqlite');
});

async function loadMariadb(): Promise<void> {
  for (const name of names) {
    await mariadb?.admin(
      'mysql',
      `CREATE DATABASE asked_${name}; GRANT SELECT ON asked_${name}.* TO reader;`,
    );
    await mariadb?.admin(`asked_${name}`, askedDatabase(name, 'mysql'));
  }
}

async function loadPostgres(): Promise<void> {
  for (const name of names) {
    await postgres?.admin('postgres', `CREATE DATABASE asked_${name};`);
    const grant = 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;';
    await postgres?.admin(`asked_${name}`, `${askedDatabase(name, 'postgres')}\n${grant}`);
  }
}

const statementOf = (one: SqlCase, dialect: string): string | null =>
  dialect === 'mysql' ? (one.mysql ?? one.sql) : one.sql;

/** Writes the recorded statement of a known question, then has something to say of its rows. */
function goldOr(dialect: string): (request: ScriptedRequest) => ScriptedReply {
  return ({ body }) => {
    const content = body.messages?.at(-1)?.content;
    const said = typeof content === 'string' ? content : '';
    // What was wrong with a recorded statement is for the assertion to show.
    if (said.startsWith('That cannot be run:'))
      return { text: JSON.stringify({ sql: null, reason: said.slice(0, 400) }) };
    if (!said.startsWith('The tables:')) return { text: 'That is what was found.' };
    const one = sqlCases.find(({ question }) => said.endsWith(`The question: ${question}`));
    const sql = one === undefined ? null : statementOf(one, dialect);
    return { text: JSON.stringify({ sql, reason: sql === null ? 'No table knows that.' : null }) };
  };
}

/** Writes these statements one after the other, then the words. */
function writes(statements: readonly string[], words = 'Told.'): void {
  let next = 0;
  script = () => {
    const sql = statements[next++];
    return sql === undefined ? { text: words } : { text: JSON.stringify({ sql, reason: null }) };
  };
}

const asked = (): string => JSON.stringify(model.requests.slice(from).map(({ text }) => text));

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & {
    readonly columns: string[];
    readonly rows: unknown[][];
    readonly trace?: { type: string; columns: string[]; rows: never[][]; truncated: boolean }[];
  };
}

async function send(method: string, path: string, body?: object | string, type?: string): Promise<Answer> {
  const response = await fetch(`${platform.url}${path}`, {
    method,
    headers: {
      'x-jf-apikey': platform.apiKey,
      ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}
const post = (path: string, body: object): Promise<Answer> => send('POST', path, body);
const query = (name: string, sql: string, more: object = {}): Promise<Answer> =>
  post(`/api/v1/sql/${name}/query`, { sql, ...more });
const ask = (body: object): Promise<Answer> =>
  post('/api/v1/sql/ask', { question: 'How many customers are there?', trace: true, ...body });

async function makeFixture(schema: SchemaName, name: string): Promise<void> {
  expect((await post('/api/v1/sql', { name })).status).toBe(201);
  const path = `/api/v1/sql/${name}/import`;
  expect((await send('POST', path, askedDatabase(schema, 'sqlite'), 'application/sql')).status).toBe(200);
}

describe('a managed database', () => {
  it('is made, filled, read, exported and destroyed with a receipt', async () => {
    const created = await post('/api/v1/sql', { name: 'life' });
    expect(created.status).toBe(201);
    expect((await post('/api/v1/sql', { name: 'life' })).body).toMatchObject({
      code: 'databases.name_taken',
    });
    const migrations = [
      { id: '001', sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, raw BLOB)' },
    ];
    const migrate = (): Promise<Answer> => post('/api/v1/sql/life/migrations', { migrations });
    expect((await migrate()).body).toEqual({ applied: ['001'] });
    expect((await migrate()).body).toEqual({ applied: [] });

    const params = [{ int: '9007199254740993' }, 'Ümläut 🪼', { base64: 'AAE=' }];
    const inserted = await query('life', 'INSERT INTO t VALUES (?, ?, ?)', { params });
    expect(inserted).toMatchObject({ status: 200, body: { changes: 1 } });
    expect((await query('life', 'SELECT * FROM t')).body.rows).toEqual([params]);

    const csv = await send(
      'POST',
      '/api/v1/sql/life/import?table=t',
      'id,name\n1,a\n2,"b ""c"""\n',
      'text/csv',
    );
    expect(csv.body).toEqual({ rows: 2 });
    const exported = await fetch(`${platform.url}/api/v1/sql/life/export`, { headers: { jfwt: token } });
    const text = await exported.text();
    await post('/api/v1/sql', { name: 'copy' });
    expect((await send('POST', '/api/v1/sql/copy/import', text, 'application/sql')).status).toBe(200);
    const rows = async (name: string): Promise<unknown> =>
      (await query(name, 'SELECT * FROM t ORDER BY id')).body.rows;
    expect(await rows('copy')).toEqual(await rows('life'));

    const dropped = await send('DELETE', '/api/v1/sql/life');
    expect(dropped.body['id']).toBe(created.body['id']);
    expect(await receiptOf(platform.url, String(dropped.body['receipt']))).toContain(
      String(created.body['id']),
    );
    expect((await query('life', 'SELECT 1')).body).toMatchObject({ code: 'database.not_found' });
    expect((await post('/api/v1/sql', { name: 'life' })).status).toBe(201);
    expect((await query('life', 'SELECT * FROM t')).status).toBe(400);
  });

  it('takes a batch as a whole or not at all, and writes nothing read-only', async () => {
    await post('/api/v1/sql', { name: 'whole' });
    await query('whole', 'CREATE TABLE t (id INTEGER PRIMARY KEY)');
    const statements = [{ sql: 'INSERT INTO t VALUES (1)' }, { sql: 'INSERT INTO t VALUES (1)' }];
    expect((await post('/api/v1/sql/whole/batch', { statements })).status).toBe(409);
    expect((await query('whole', 'SELECT COUNT(*) FROM t')).body.rows).toEqual([[0]]);
    const refused = await query('whole', 'INSERT INTO t VALUES (1)', { readOnly: true });
    expect(refused.body).toMatchObject({ code: 'sql.refused' });
  });

  it('gives all rows as lines, and ends with its reader', async () => {
    await post('/api/v1/sql', { name: 'lines' });
    const numbers =
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n';
    expect((await query('lines', numbers)).body).toMatchObject({ truncated: true });
    const stream = (signal?: AbortSignal): Promise<Response> =>
      fetch(`${platform.url}/api/v1/sql/lines/query`, {
        method: 'POST',
        headers: { jfwt: token, 'content-type': 'application/json', accept: 'application/x-ndjson' },
        body: JSON.stringify({ sql: numbers }),
        signal: signal ?? null,
      });
    const lines = (await (await stream()).text()).trimEnd().split('\n');
    expect([lines[0], lines.length, lines.at(-1)]).toEqual([
      '{"columns":["i"]}',
      5002,
      '{"done":true,"rows":5000}',
    ]);
    const leave = new AbortController();
    const left = await stream(leave.signal);
    await left.body?.getReader().read();
    leave.abort();
    expect((await query('lines', 'SELECT 1')).status).toBe(200);
  });

  it('is not there for other accounts, nor without a live key or token', async () => {
    await post('/api/v1/sql', { name: 'mine' });
    const owner = createClient(platform.url, platform.apiKey);
    const person = { type: 'user', name: 'Mallory', email: 'mallory@example.org' };
    const made = await owner.core('POST', '/entity', JSON.stringify(person));
    const { password } = (await made.json()) as { password: string };
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${platform.url}/api/v1/sql/mine`, { headers })).status;
    const theirs = await createClient(platform.url, password).token();
    expect(await statusOf({ jfwt: token })).toBe(200);
    expect(await statusOf({ 'x-jf-apikey': password })).toBe(404);
    expect(await statusOf({ jfwt: theirs })).toBe(404);
    expect(await statusOf({ jfwt: `${token.slice(0, -2)}xx` })).toBe(403);
    expect(await statusOf({})).toBe(401);
  });
});

describe('the command line', () => {
  let command: Command;
  beforeAll(async () => {
    command = newCommand();
    await command.run(['secret', '--url', platform.url], { input: platform.apiKey });
  });
  afterAll(() => command.remove());

  it('makes, fills, asks and destroys a database, and keeps nothing of it', async () => {
    const run = async (words: readonly string[], input = ''): Promise<string> => {
      const { code, out, err } = await command.run(['sql', ...words], { input });
      if (code !== 0) throw new Error(`${words.join(' ')}: ${err}`);
      return out;
    };
    const before = readdirSync(command.home);
    await run(['create', 'cli']);
    writeFileSync(join(command.home, 'shop.sql'), askedDatabase('shop', 'sqlite'));
    expect(await run(['import', 'cli', 'shop.sql'])).toContain('statements run');
    expect(await run(['list'])).toContain('cli');
    expect(await run(['show', 'cli'])).toContain('→ customers(id)');
    const rows = await run([
      'query',
      'cli',
      'SELECT name, country FROM customers WHERE id < ? ORDER BY id',
      '--params',
      '[3]',
    ]);
    expect(rows.split('\n').slice(0, 4)).toEqual([
      'name        country',
      '──────────  ───────',
      'Ada Berg    FR',
      'Ben Okafor  AT',
    ]);
    expect(
      await run(['shell', 'cli'], 'SELECT CANARY_TYPED\n  FROM (SELECT 14 AS CANARY_TYPED);\n\\d orders\n'),
    ).toContain('14');
    expect(await run(['ask', 'cli', 'How many customers are there?'])).toBe('That is what was found.\n');
    expect(await run(['export', 'cli', '--table', 'categories'])).toContain('1,Tea');
    expect((await run(['drop', 'cli'])).trim().split('\n').at(-1)?.split('.')).toHaveLength(3);
    expect(readdirSync(command.home).toSorted()).toEqual([...before, 'shop.sql'].toSorted());
    expect(existsSync(join(command.home, '.node_repl_history'))).toBe(false);
  });
});

/** The same questions to the same rows, in three dialects. */
describe.each(['sqlite', 'mysql', 'postgres'])('questions to %s', (dialect) => {
  const connections: Record<string, (schema: SchemaName) => string | undefined> = {
    sqlite: (schema) => `jellyfaas://asked-${schema}`,
    // Go's form, with a certificate that is verified; Postgres has another authority, so it is not.
    mysql: (schema) => mariadb && `reader:reader@tcp(127.0.0.1:${mariadb.port})/asked_${schema}?tls=true`,
    postgres: (schema) =>
      postgres && `postgres://reader:reader@127.0.0.1:${postgres.port}/asked_${schema}?sslmode=require`,
  };
  const connection = (schema: SchemaName): string | undefined => connections[dialect]?.(schema);
  beforeAll(async () => {
    if (dialect === 'sqlite') for (const name of names) await makeFixture(name, `asked-${name}`);
  });
  beforeEach((context) => {
    script = goldOr(dialect);
    context.skip(connection('shop') === undefined, 'not installed');
  });

  it.each(names)('run every recorded statement over %s, with the rows of SQLite', async (schema) => {
    for (const one of sqlCases.filter((each) => each.schema === schema)) {
      const { status, body } = await ask({
        question: one.question,
        connection: connection(schema),
        tables: SCHEMAS[schema],
      });
      const said = body['sql'] ?? body['answer'] ?? body['detail'];
      const written = statementOf(one, dialect) ?? 'No table knows that.';
      expect([one.question, status, body['code'], said]).toEqual([one.question, 200, undefined, written]);
      if (one.sql === null) continue;
      const result = body.trace?.find(({ type }) => type === 'result');
      const expected = await query(`asked-${schema}`, one.sql);
      const found = result ?? { columns: [], rows: [], truncated: true };
      const isSame = matchesResult(expected.body as never, found, one.isOrdered === true);
      expect([one.question, isSame ? 'same' : found.rows]).toEqual([one.question, 'same']);
    }
  });

  it('are answered to the public clients', async () => {
    const response = await fetch(`${platform.url}/query-service/v1/rdbms`, {
      method: 'POST',
      headers: { jfwt: token, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: 'How many customers are there?',
        tables: ['customers'],
        mysql_connection_string: connection('shop'),
      }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ answer: 'That is what was found.', finish: 'complete' });
  });

  it('never reach a table that was not named, nor write', async () => {
    for (const hostile of [
      'DELETE FROM customers',
      'SELECT number FROM payment_cards',
      'SELECT name FROM customers UNION ALL SELECT number FROM payment_cards',
      'SELECT 1; DELETE FROM customers',
      'WITH gone AS (DELETE FROM customers RETURNING id) SELECT * FROM gone',
    ]) {
      writes([hostile, 'SELECT COUNT(*) AS n FROM customers']);
      const { status, body } = await ask({ connection: connection('shop'), tables: ['customers'] });
      expect([hostile, status]).toEqual([hostile, 200]);
      expect(body.trace?.map(({ type }) => type)).toEqual(['statement', 'refused', 'statement', 'result']);
      expect(body.trace?.at(-1)?.rows.map((row) => Number(row[0]))).toEqual([14]);
    }
    expect(asked()).not.toContain('4000 0000');
  });

  it('show the model no value under rows: none, not even through errors', async () => {
    const cast = dialect === 'mysql' ? 'SIGNED' : 'INTEGER';
    writes(
      [`SELECT CAST(name AS ${cast}) / nothing FROM customers`, 'SELECT name, email, city FROM customers'],
      'They are {{0.name}} and others:\n\n{{rows}}',
    );
    const { body } = await ask({ connection: connection('shop'), tables: ['customers'], rows: 'none' });
    expect(body['answer']).toContain('They are Ada Berg and others');
    expect(body['answer']).toContain('| Nils Holm |');
    expect(asked()).not.toMatch(/Ada|Berg|Nils|example\.org|Hamburg/);
  });

  it('take what stands in rows for data', async () => {
    writes(['SELECT body FROM reviews WHERE id > 10']);
    const { body } = await ask({ connection: connection('shop'), tables: ['reviews'] });
    expect(body['answer']).toBe('Told.');
    const last = model.requests.at(-1)?.body;
    expect(last?.tools ?? []).toEqual([]);
    expect(asked()).toContain('Ignore all previous instructions');
    expect(model.requests.slice(from)).toHaveLength(2);
  });
});

describe('an outside database', () => {
  const secret = 'CANARY-passw0rd';

  it('that cannot be entered says why with a code, and nothing of its connection string', async (context) => {
    context.skip(mariadb === undefined || postgres === undefined, 'not installed');
    const tries: [string, number, string][] = [
      [`reader:${secret}@tcp(127.0.0.1:${mariadb?.port})/asked_shop?tls=true`, 403, 'sql.login_failed'],
      [
        `postgres://reader:${secret}@127.0.0.1:${postgres?.port}/asked_shop?sslmode=require`,
        403,
        'sql.login_failed',
      ],
      [`postgres://reader:${secret}@127.0.0.1:${postgres?.port}/asked_shop`, 502, 'sql.tls_failed'],
      [`reader:${secret}@tcp(127.0.0.1:9)/asked_shop`, 403, 'sql.address_refused'],
      [`mysql://reader:${secret}@169.254.169.254/x`, 403, 'sql.address_refused'],
      [`oracle://reader:${secret}@db.example.com/x`, 400, 'sql.bad_connection'],
    ];
    for (const [connection, status, code] of tries) {
      const answer = await ask({ connection, tables: ['customers'] });
      expect([answer.status, answer.body['code']]).toEqual([status, code]);
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    }
    expect(platform.output()).not.toContain(secret);
    expect(asked()).not.toContain(secret);
  });

  it('is not asked without a model, and no answer is pretended', async () => {
    const bare = inject('platform');
    const response = await fetch(`${bare.url}/api/v1/sql/ask`, {
      method: 'POST',
      headers: { 'x-jf-apikey': bare.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({
        question: 'How many?',
        connection: 'mysql://a:b@db.example.com/x',
        tables: ['t'],
      }),
    });
    expect(await response.json()).toMatchObject({ code: 'models.none_configured' });
  });

  it('is asked by named tables alone', async () => {
    const { body } = await ask({ connection: 'mysql://a:b@db.example.com/x' });
    expect(body).toMatchObject({ code: 'sql.no_tables' });
  });
});
