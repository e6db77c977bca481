import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';

/** A call reaches the function as the client sent it and its answer comes back as the function gave it. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let probe: Deployed;

interface Echo {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

async function echo(path: string, init: RequestInit = {}): Promise<Echo> {
  const response = await owner.call(probe, path, init);
  expect(response.status).toBe(200);
  return (await response.json()) as Echo;
}

beforeAll(async () => {
  probe = await owner.deploy('invprobe', fixtureFiles('probe', { shortname: 'invprobe', egress: [] }));
});

describe('a call', () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    it(`keeps the method ${method}`, async () => {
      expect((await echo('?do=echo', { method })).method).toBe(method);
    });
  }

  it('passes HEAD and OPTIONS on to a function without CORS setting', async () => {
    const head = await owner.call(probe, '?do=status&code=207', { method: 'HEAD' });
    expect([head.status, head.headers.get('x-from-function')]).toEqual([207, 'yes']);
    expect((await echo('?do=echo', { method: 'OPTIONS' })).method).toBe('OPTIONS');
  });

  for (const path of [
    '/?do=echo',
    '/a/b?do=echo',
    '//a//b?do=echo',
    '/a%2Fb/%3F?do=echo',
    '/invprobe?do=echo',
    '/ü?do=echo&x=%C3%BC',
    '?do=echo&a=1&a=2&b=',
  ]) {
    it(`keeps the path and query ${path}`, async () => {
      const seen = await echo(path);
      const sent = new URL(`http://h/x${path}`);
      const expected = path.startsWith('?') ? `/${sent.search}` : `${sent.pathname.slice(2)}${sent.search}`;
      expect(seen.url).toBe(expected);
    });
  }

  it('keeps headers and takes the credentials out', async () => {
    const { headers } = await echo('?do=echo', {
      headers: { 'x-mine': 'one, two', cookie: 'a=b', 'user-agent': 'me/1', 'x-jf-apikey': apiKey },
    });
    expect(headers).toMatchObject({ 'x-mine': 'one, two', cookie: 'a=b', 'user-agent': 'me/1' });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['jfwt']));
    expect(headers['jfwt'] ?? headers['x-jf-apikey']).toBeUndefined();
  });

  it('keeps a body of any kind byte for byte', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 256);
    const response = await owner.call(probe, '?do=raw', {
      method: 'POST',
      body: bytes,
      headers: { 'content-type': 'application/pdf' },
    });
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes)).toBe(0);
    const form = new FormData();
    form.set('file', new Blob(['content']), 'näme.txt');
    const seen = await echo('?do=echo', { method: 'POST', body: form });
    expect(seen.headers['content-type']).toContain('multipart/form-data; boundary=');
  });

  it('tolerates an empty body with a JSON content type, as both SDKs send it', async () => {
    const seen = await echo('?do=echo', { headers: { 'content-type': 'application/json' } });
    expect(seen.headers['content-type']).toBe('application/json');
    expect(
      (
        await echo('?do=echo', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': '0' },
        })
      ).body,
    ).toBe('');
  });

  it('takes a body of exactly the limit and refuses one byte more', async () => {
    const limit = 32 * 1024 * 1024;
    const send = (size: number): Promise<Response> =>
      owner.call(probe, '?do=status&code=200', {
        method: 'POST',
        body: new Uint8Array(size),
        headers: { 'content-type': 'application/octet-stream' },
      });
    expect((await send(limit)).status).toBe(200);
    const refused = await send(limit + 1);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({
      errorId: expect.any(String),
      errorMessage: expect.stringContaining('32'),
    });
  });

  for (const code of [201, 204, 301, 304, 400, 404, 418, 500, 503]) {
    it(`passes the function's own ${code} through`, async () => {
      const response = await owner.call(probe, `?do=status&code=${code}&text=mine`, { redirect: 'manual' });
      expect([response.status, response.headers.get('x-from-function')]).toEqual([code, 'yes']);
      if (![204, 304].includes(code)) expect(await response.text()).toBe('mine');
    });
  }

  it('streams an answer while the function is still writing it', async () => {
    const response = await owner.call(probe, '?do=stream&chunks=5&every=50');
    const pieces: string[] = [];
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) pieces.push(decoder.decode(piece));
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.join('')).toBe('chunk 4\nchunk 3\nchunk 2\nchunk 1\nchunk 0\n');
  });

  it('needs a valid token: missing, garbled and foreign ones get the same 403', async () => {
    const answers = [];
    for (const jfwt of [undefined, 'x', `${(await owner.token()).slice(0, -4)}AAAA`, apiKey]) {
      const response = await fetch(`${url}/${probe.deploymentId}?do=echo`, {
        headers: jfwt === undefined ? {} : { jfwt },
      });
      expect(response.status).toBe(403);
      answers.push(await response.text());
    }
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0] ?? '')).toEqual({
      errorId: expect.any(String),
      errorMessage: expect.any(String),
    });
  });

  it('tells a crash, memory exhaustion and a timeout apart, and the next call works', async () => {
    const hasty = await owner.deploy(
      'invhasty',
      fixtureFiles('probe', { shortname: 'invhasty', timeoutSeconds: 3 }),
    );
    const cases = [
      [probe, '?do=exit&code=3', 502, 'calls.function_crashed'],
      [probe, '?do=oom', 502, 'calls.function_out_of_memory'],
      [hasty, '?do=sleep&ms=20000', 504, 'calls.function_timeout'],
    ] as const;
    for (const [deployment, path, status, errorId] of cases) {
      const response = await owner.call(deployment, path);
      expect([response.status, ((await response.json()) as { errorId: string }).errorId]).toEqual([
        status,
        errorId,
      ]);
      expect((await owner.call(deployment, '?do=count')).status).toBe(200);
    }
  });
});

describe('CORS', () => {
  it('is answered by the gateway for the origins that the function names, and for no other', async () => {
    const open = await owner.deploy(
      'invcors',
      fixtureFiles('probe', { shortname: 'invcors', cors: { origins: ['https://site.example'] } }),
    );
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${url}/${open.deploymentId}`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'jfwt',
        },
      });
    const allowed = await preflight('https://site.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://site.example',
    ]);
    expect(allowed.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('jfwt');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const called = await owner.call(open, '?do=count', { headers: { origin: 'https://site.example' } });
    expect(called.headers.get('access-control-allow-origin')).toBe('https://site.example');
  });
});

describe('the call record', () => {
  it('holds account, function and version, origin IP, duration and success, and nothing else', async () => {
    const recorded = await owner.deploy('invrecord', fixtureFiles('probe', { shortname: 'invrecord' }));
    await owner.call(recorded, '/secret/path?do=count&q=secret');
    await owner.call(recorded, '?do=status&code=500');
    const calls = await recordsOf('invrecord', 2);
    for (const call of calls) {
      expect(Object.keys(call).toSorted()).toEqual([
        'day',
        'durationMs',
        'functionId',
        'ok',
        'originIp',
        'shortname',
        'version',
      ]);
      expect(call).toMatchObject({ originIp: '127.0.0.1', shortname: 'invrecord', version: 1 });
    }
    expect(new Set(calls.map(({ ok }) => ok))).toEqual(new Set([false, true]));
    expect(JSON.stringify(calls)).not.toContain('secret');
  });
});

/** Records are written a tenth of a second behind the call: asks until they are there. */
async function recordsOf(shortname: string, count: number): Promise<Record<string, unknown>[]> {
  for (;;) {
    const response = await fetch(`${url}/api/v1/calls?function=${shortname}`, {
      headers: { 'x-jf-apikey': apiKey },
    });
    const { calls } = (await response.json()) as { calls: Record<string, unknown>[] };
    if (calls.length >= count) return calls;
    await new Promise((done) => setTimeout(done, 30));
  }
}
