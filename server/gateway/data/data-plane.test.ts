import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ALICE, BOB, deploymentOf } from '../../calls/testing/rig.ts';
import type { DeploymentId } from '../../kernel/ids.ts';
import { type Plane, type PlaneOptions, bodyOf, createPlane, echoOf } from './testing/plane.ts';

let plane: Plane;
const start = async (options?: PlaneOptions): Promise<Plane> => (plane = await createPlane(options));
afterEach(() => plane.close());

const head = (token = 'acct_alice') => `Host: h\r\njfwt: ${token}\r\nConnection: close\r\n`;
const get = (target: string, fields = head()) => plane.exchange(`GET ${target} HTTP/1.1\r\n${fields}\r\n`);
const errorOf = (answer: string) => [
  Number(answer.slice(9, 12)),
  (JSON.parse(bodyOf(answer)) as { errorId: string }).errorId,
];

describe('who may call', () => {
  it('is told by a token: none, a bad one and two give the same 403', async () => {
    const { base } = await start();
    const answers = await Promise.all([
      get(base, 'Host: h\r\nConnection: close\r\n'),
      get(base, head('nonsense')),
      get(base, `${head('nonsense')}jfwt: acct_alice\r\n`),
    ]);
    for (const answer of answers) expect(errorOf(answer)).toEqual([403, 'auth.invalid_token']);
    expect(new Set(answers.map(bodyOf)).size).toBe(1);
  });

  it('cannot tell a private function of somebody else from none', async () => {
    const { deployments } = await start();
    const id = 'secret-00000000000000000000-1-s' as DeploymentId;
    deployments.set(id, deploymentOf({ id, published: false, ownerId: BOB }));
    const hidden = await get(`/${id}`);
    const missing = await get('/absent-00000000000000000000-1-s');
    const withoutDate = (answer: string) => answer.replace(/^date: .*\r\n/im, '');
    expect(errorOf(hidden)[0]).toBe(404);
    expect(withoutDate(hidden)).toBe(withoutDate(missing));
    expect(bodyOf(await get(`/${id}`, head('acct_bob')))).toBe('hello');
  });
});

describe('what is no call', () => {
  it('is refused: other methods and WebSockets', async () => {
    const { base } = await start();
    for (const method of ['TRACE', 'PROPFIND', 'PURGE']) {
      const answer = await plane.exchange(`${method} ${base} HTTP/1.1\r\n${head()}\r\n`);
      expect(errorOf(answer)).toEqual([501, 'calls.method_unsupported']);
    }
    const upgrade = 'Host: h\r\njfwt: acct_alice\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n';
    expect(errorOf(await get(base, upgrade))).toEqual([501, 'calls.upgrade_unsupported']);
    expect(await plane.exchange(`CONNECT ${base} HTTP/1.1\r\n${head()}\r\n`)).toMatch(/^($|HTTP\/1\.1 4)/);
  });

  const smuggled: Record<string, string> = {
    'two lengths': 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'the same length twice': 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
    'a list of lengths': 'Content-Length: 5, 5\r\n\r\nhello',
    'a signed length': 'Content-Length: +5\r\n\r\nhello',
    'a length beside chunks': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'an unknown coding': 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'chunked not last': 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'a blank before the colon': 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'a folded line': 'X: a\r\n b\r\n\r\n',
    'a bare line feed': 'X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a NUL': 'X: a\0b\r\n\r\n',
    'a bad chunk size': 'Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
    'a chunk without end': 'Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX0\r\n\r\n',
  };
  for (const [name, text] of Object.entries(smuggled)) {
    it(`is refused: ${name}, and nothing after it runs`, async () => {
      const { base, rig } = await start();
      const next = `GET ${base}?do=count HTTP/1.1\r\nHost: h\r\njfwt: acct_alice\r\n\r\n`;
      const answer = await plane.exchange(
        `POST ${base} HTTP/1.1\r\nHost: h\r\njfwt: acct_alice\r\n${text}${next}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
      expect(answer.match(/HTTP\/1\.1 \d\d\d/g)).toHaveLength(1);
      expect(await rig.call('/?do=count')).toMatchObject({ body: '1' });
    });
  }
});

describe('a request with two hosts', () => {
  it('is refused', async () => {
    const { base, rig } = await start();
    expect(errorOf(await get(base, `${head()}Host: evil\r\n`))).toEqual([400, 'calls.bad_request']);
    expect(rig.jail.started).toHaveLength(0);
  });
});

describe('a body over the limit', () => {
  const limits = { requestBodyBytesMax: 100_000 };

  it('is refused at once when it is announced', async () => {
    const { base, rig } = await start({ limits });
    const socket = plane.connect();
    socket.write(`POST ${base} HTTP/1.1\r\n${head()}Content-Length: 100001\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect(rig.jail.started).toHaveLength(0);
  });

  it('is cut when it only turns out', async () => {
    const { base } = await start({ limits });
    const chunk = `${(50_000).toString(16)}\r\n${'x'.repeat(50_000)}\r\n`;
    const chunked = `POST ${base}?do=hang HTTP/1.1\r\n${head()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`;
    expect(errorOf(await plane.exchange(chunked))).toEqual([413, 'calls.body_too_large']);
    const fits = `POST ${base}?do=echo HTTP/1.1\r\n${head()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(2)}0\r\n\r\n`;
    expect(echoOf(await plane.exchange(fits)).body).toHaveLength(100_000);
  });
});

describe('a function that fails', () => {
  it('gives the caller the reason in the compatible shape', async () => {
    const { base, deployments } = await start();
    const id = 'hasty-00000000000000000000-1-s' as DeploymentId;
    deployments.set(id, deploymentOf({ id, timeoutMs: 1500 }));
    expect(errorOf(await get(`${base}?do=crash`))).toEqual([502, 'calls.function_crashed']);
    expect(errorOf(await get(`${base}?do=oom`))).toEqual([502, 'calls.function_out_of_memory']);
    await get(`/${id}`);
    expect(errorOf(await get(`/${id}?do=hang`))).toEqual([504, 'calls.function_timeout']);
  });

  it('in the middle of its answer cuts the connection, so that nobody takes it as complete', async () => {
    const { base } = await start();
    const answer = await get(`${base}?do=cutAfter`).catch(() => 'cut');
    expect(answer === 'cut' || bodyOf(answer).length < 100).toBe(true);
  });
});

describe('a client that leaves', () => {
  it('ends the request of the function', async () => {
    const { base, rig } = await start();
    await get(base);
    const { createServer } = await import('node:net');
    const watcher = createServer().listen(0, '127.0.0.1');
    await once(watcher, 'listening');
    const { port } = watcher.address() as { port: number };
    const socket = plane.connect();
    socket.write(`GET ${base}?do=watch&port=${port} HTTP/1.1\r\n${head()}\r\n`);
    const [line] = await once(watcher, 'connection');
    await once(line, 'data');
    socket.destroy();
    expect(String((await once(line, 'data'))[0])).toContain('closed');
    watcher.close();
    await rig.recorder.flush();
    expect(rig.records.map(({ ok }) => ok)).toEqual([true, false]);
    expect(bodyOf(await get(base))).toBe('hello');
  });
});

describe('CORS', () => {
  const withCors = async (): Promise<string> => {
    const { deployments } = await start();
    const id = 'open-00000000000000000000-1-s' as DeploymentId;
    deployments.set(id, deploymentOf({ id, corsOrigins: ['https://site.example'] }));
    return `/${id}`;
  };
  const preflight = (target: string, origin: string) =>
    plane.exchange(
      `OPTIONS ${target} HTTP/1.1\r\nHost: h\r\nOrigin: ${origin}\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n`,
    );

  it('answers preflights of named origins without a token, and starts nothing for them', async () => {
    const answer = await preflight(await withCors(), 'https://site.example');
    expect(answer).toMatch(/^HTTP\/1\.1 204 /);
    expect(answer).toMatch(/^access-control-allow-origin: https:\/\/site\.example\r$/im);
    expect(answer).toMatch(/^access-control-allow-headers: content-type, jfwt\r$/im);
    expect(plane.rig.jail.started).toHaveLength(0);
  });

  it('gives other origins, and functions without the setting, nothing', async () => {
    const target = await withCors();
    for (const answer of [
      await preflight(target, 'https://evil.example'),
      await preflight(plane.base, 'https://site.example'),
    ]) {
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).not.toMatch(/access-control/i);
    }
  });

  it('lets the named origin read answers and errors', async () => {
    const target = await withCors();
    const origin = 'Origin: https://site.example\r\n';
    for (const answer of [await get(target, head() + origin), await get(target, head('bad') + origin)]) {
      expect(answer).toMatch(/^access-control-allow-origin: https:\/\/site\.example\r$/im);
      expect(answer).toMatch(/^vary: origin\r$/im);
    }
  });
});

describe('the origin IP', () => {
  const recorded = async (fields: string, trustedProxies?: string[]): Promise<string | undefined> => {
    const { base, rig } = await start(trustedProxies === undefined ? {} : { trustedProxies });
    await get(base, head() + fields);
    await rig.recorder.flush();
    return rig.records[0]?.originIp;
  };

  it("is the socket's peer whatever headers say", async () => {
    expect(
      await recorded(
        'X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n',
      ),
    ).toBe('127.0.0.1');
  });

  for (const [fields, ip] of [
    ['X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n', '203.0.113.9'],
    ['X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9:4711\r\n', '203.0.113.9'],
    ['X-Forwarded-For: ::ffff:203.0.113.9\r\n', '203.0.113.9'],
    ['X-Forwarded-For: [2001:DB8:0:0:0:0:0:1]:80\r\n', '2001:db8::1'],
    ['X-Forwarded-For: unknown\r\n', '127.0.0.1'],
    ['', '127.0.0.1'],
  ] as const) {
    it(`behind a trusted proxy is its last hop: ${fields.trim() || 'none'}`, async () => {
      expect(await recorded(fields, ['127.0.0.0/8'])).toBe(ip);
    });
  }

  it('never reaches the function through the fields that a trusted proxy adds', async () => {
    const { base } = await start({ trustedProxies: ['127.0.0.1'] });
    const fields = 'X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n';
    expect((await get(`${base}?do=echo`, head() + fields)).includes('203.0.113.9')).toBe(false);
  });
});

describe('many callers at once', () => {
  it('get ten thousand answers, with clients leaving in between, and never one of somebody else', async () => {
    const { base, rig } = await start({ plan: { concurrency: 16 } });
    let crossed = 0;
    let answered = 0;
    const client = async (name: string, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const mark = `${name}-${i}`;
        const post = `POST ${base}?do=reflect HTTP/1.1\r\n${head(name)}Content-Length: ${mark.length}\r\n\r\n${mark}`;
        if (i % 7 === 3) {
          const socket = plane.connect();
          socket.write(post);
          if (i % 2 === 0) await once(socket, 'connect');
          socket.destroy();
          continue;
        }
        const body = bodyOf(await plane.exchange(post));
        answered++;
        if (body !== mark) crossed++;
      }
    };
    const names = [ALICE, BOB, 'acct_carol', 'acct_dan'];
    await Promise.all(Array.from({ length: 20 }, (_, i) => client(names[i % 4] ?? ALICE, 500)));
    expect([crossed, answered]).toEqual([0, 20 * (500 - 71)]);
    expect(rig.pool.status()).toMatchObject({ waiting: 0 });
  }, 120_000);
});
