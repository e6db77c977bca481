import { cpSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAllStores } from '../privacy/open-stores.ts';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';

/** Other accounts, bad credentials and stolen disks at databases: there is nothing, and nothing opens. */
let platform: Platform;
let owner: Client;
beforeAll(async () => {
  platform = await startPlatform();
  owner = createClient(platform.url, platform.apiKey);
});
afterAll(async () => {
  await platform.stop();
  platform.remove();
});

async function newAccount(name: string): Promise<Client> {
  const person = { type: 'user', name, email: `${name}@example.org` };
  const response = await owner.core('POST', '/entity', JSON.stringify(person));
  const { password } = (await response.json()) as { password: string };
  return createClient(platform.url, password);
}

type Credential = Record<string, string>;
const keyOf = ({ apiKey }: Client): Credential => ({ 'x-jf-apikey': apiKey });

function request(
  credential: Credential,
  method: string,
  path: string,
  { body, signal }: { body?: object; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${platform.url}${path}`, {
    method,
    headers: { ...credential, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

async function post<T>(credential: Credential, path: string, body: object): Promise<T> {
  const response = await request(credential, 'POST', path, { body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

async function fill(client: Client, secret: string): Promise<void> {
  const key = keyOf(client);
  await post(key, '/api/v1/vectors', { name: 'notes', dimensions: 3, model: null });
  const records = [1, 2, 3].map((n) => ({
    id: `r${n}`,
    vector: [n, 1, 0],
    text: `secret ${secret} number ${n}`,
  }));
  await post(key, '/api/v1/vectors/notes/records', { records });
  await post(key, '/api/v1/sql', { name: 'shop' });
  await post(key, '/api/v1/sql/shop/batch', {
    statements: [{ sql: 'create table t (a text)' }, { sql: 'insert into t values (?)', params: [secret] }],
  });
}

/** Every route that names a database. */
const ROUTES: readonly [method: string, path: string, body?: object][] = [
  ['GET', '/api/v1/vectors/notes'],
  ['POST', '/api/v1/vectors/notes/records', { records: [{ id: 'x', vector: [1, 2, 3] }] }],
  ['POST', '/api/v1/vectors/notes/query', { vector: [1, 2, 3] }],
  ['POST', '/api/v1/vectors/notes/delete', { ids: ['r1'] }],
  ['POST', '/api/v1/vectors/notes/ask', { question: 'what?' }],
  ['GET', '/api/v1/vectors/notes/documents'],
  ['DELETE', '/api/v1/vectors/notes/documents/x'],
  ['DELETE', '/api/v1/vectors/notes'],
  ['GET', '/api/v1/sql/shop'],
  ['GET', '/api/v1/sql/shop/schema'],
  ['GET', '/api/v1/sql/shop/export'],
  ['POST', '/api/v1/sql/shop/query', { sql: 'select * from t' }],
  ['POST', '/api/v1/sql/shop/batch', { statements: [{ sql: 'drop table t' }] }],
  ['POST', '/api/v1/sql/shop/migrations', { migrations: [{ id: 'm', sql: 'drop table t' }] }],
  ['POST', '/api/v1/sql/ask', { question: 'what?', database: 'shop' }],
  ['DELETE', '/api/v1/sql/shop'],
];

describe('a database of another account', () => {
  let victim: Client;
  let mallory: Client;
  beforeAll(async () => {
    [victim, mallory] = await Promise.all([newAccount('victim'), newAccount('mallory')]);
    await fill(victim, 'of the victim');
  });

  it.each(ROUTES)('does not exist for %s %s', async (method, path, body) => {
    const theirs = await request(keyOf(mallory), method, path, { ...(body && { body }) });
    const nothing = await request(keyOf(mallory), method, path.replace(/notes|shop/, 'nothing'), {
      ...(body && { body: JSON.parse(JSON.stringify(body).replace('shop', 'nothing')) as object }),
    });
    expect([theirs.status, await theirs.text()]).toEqual([nothing.status, await nothing.text()]);
    expect([404, 409]).toContain(theirs.status);
  });

  it('is as it was after all that', async () => {
    const hits = await post<{ hits: unknown[] }>(keyOf(victim), '/api/v1/vectors/notes/query', {
      vector: [1, 1, 0],
    });
    expect(hits.hits).toHaveLength(3);
    const { rows } = await post<{ rows: unknown[] }>(keyOf(victim), '/api/v1/sql/shop/query', {
      sql: 'select * from t',
    });
    expect(rows).toEqual([['of the victim']]);
  });
});

describe('a credential that is not live', () => {
  it.each(['revoked', 'tampered', 'foreign', 'none'])('opens nothing: %s', async (kind) => {
    const client = await newAccount(`holder-${kind}`);
    await fill(client, kind);
    const jfwt = await client.token();
    const credentials: Record<string, () => Promise<Credential>> = {
      revoked: async () => {
        const second = await post<{ apiKey: string }>(keyOf(client), '/api/v1/api-keys', {});
        const keys = (await (await request(keyOf(client), 'GET', '/api/v1/api-keys')).json()) as {
          apiKeys: { id: string; current: boolean }[];
        };
        const own = keys.apiKeys.find(({ current }) => current)?.id ?? '';
        await request({ 'x-jf-apikey': second.apiKey }, 'DELETE', `/api/v1/api-keys/${own}`);
        return { jfwt };
      },
      tampered: async () => ({ jfwt: `${jfwt.slice(0, -6)}AAAAAA` }),
      foreign: async () => ({ jfwt: `ey${'A'.repeat(300)}` }),
      none: async () => ({}),
    };
    const credential = (await credentials[kind]?.()) ?? {};
    for (const [method, path, body] of ROUTES) {
      const { status } = await request(credential, method, path, { ...(body && { body }) });
      expect([401, 403], `${method} ${path}`).toContain(status);
    }
  });
});

describe('fifty accounts at once, leaving whenever they like', () => {
  it('never see a word of each other', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, (_, n) => newAccount(`tenant${n}`)));
    for (const [n, client] of clients.entries()) {
      await post(keyOf(client), '/api/v1/vectors', { name: 'notes', dimensions: 3, model: null });
      const records = [{ id: `r${n}`, vector: [1, n, 0], text: `tenant number${n}word` }];
      await post(keyOf(client), '/api/v1/vectors/notes/records', { records });
    }
    let crossings = 0;
    let answered = 0;
    const visit = async (n: number, round: number): Promise<void> => {
      const leave = new AbortController();
      if ((n + round) % 3 === 0) setImmediate(() => leave.abort());
      try {
        const response = await request(keyOf(clients[n] ?? owner), 'POST', '/api/v1/vectors/notes/query', {
          body: { vector: [1, n, 0], text: 'tenant' },
          signal: leave.signal,
        });
        const text = await response.text();
        if (response.status !== 200) return;
        answered++;
        for (const [, other] of text.matchAll(/number(\d+)word/g)) if (Number(other) !== n) crossings++;
      } catch (thrown) {
        if (!leave.signal.aborted) throw thrown;
      }
    };
    for (let round = 0; round < 20; round++) await Promise.all(clients.map((_, n) => visit(n, round)));
    expect(crossings).toBe(0);
    expect(answered).toBeGreaterThan(400);
  });
});

describe('a database that is dropped while it is used', () => {
  it('ends what still runs as if it had never been, and leaves no file', async () => {
    const client = await newAccount('dropper');
    await fill(client, 'dropped');
    const before = readdirSync(join(platform.dataDir, 'databases')).length;
    const busy = Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0
        ? request(keyOf(client), 'POST', '/api/v1/vectors/notes/query', { body: { vector: [1, 1, 1] } })
        : request(keyOf(client), 'POST', '/api/v1/sql/shop/query', {
            body: {
              sql: 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select max(i) from n',
            },
          }),
    );
    const drops = await Promise.all(
      ['/api/v1/vectors/notes', '/api/v1/sql/shop'].map((path) => request(keyOf(client), 'DELETE', path)),
    );
    expect(drops.map(({ status }) => status)).toEqual([200, 200]);
    for (const response of await Promise.all(busy)) expect([200, 404]).toContain(response.status);
    expect(readdirSync(join(platform.dataDir, 'databases'))).toHaveLength(before - 2);
    expect((await request(keyOf(client), 'GET', '/api/v1/vectors/notes')).status).toBe(404);
  });
});

describe('a stolen disk with every key that the service has', () => {
  it('opens no database', async () => {
    const client = await newAccount('robbed');
    await fill(client, 'gold');
    const stolen = join(tmpdir(), `stolen-${process.pid}`);
    cpSync(platform.dataDir, stolen, { recursive: true });
    try {
      // Throws when a service key opens a file of a database.
      const rows = await readAllStores(stolen);
      expect(rows.filter(({ table }) => table === 'database').length).toBeGreaterThan(2);
      expect(JSON.stringify(rows)).not.toMatch(/notes|shop|gold/);
    } finally {
      rmSync(stolen, { recursive: true, force: true });
    }
  });
});
