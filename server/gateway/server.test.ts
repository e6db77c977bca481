import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MEMBER_KEY, OWNER_KEY } from './testing/fakes.ts';
import { type RunningGateway, json, startGateway } from './testing/start.ts';
import { type GatewayOptions, deploymentIdOf } from './server.ts';

let running: RunningGateway | undefined;
afterEach(async () => {
  await running?.gateway.close(1000);
  running = undefined;
});

/** Starts the gateway that the end of the test closes. */
async function start(over: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  running = await startGateway(over);
  return running;
}

const ID = 'greeter-d4hq7r3c1ab2cd3ef4gh-1-s';

describe('the one listener', () => {
  it.each([
    [`/${ID}`, ID],
    [`/${ID}/sub/path?x=1`, ID],
    [`/${ID}?name=foo`, ID],
    ['/a-b-d4hq7r3c1ab2cd3ef4gh-12-xl', 'a-b-d4hq7r3c1ab2cd3ef4gh-12-xl'],
    [`//${ID}`, undefined],
    [`/api/${ID}`, undefined],
    [`http://x/${ID}`, undefined],
    ['*', undefined],
    ['/greeter', undefined],
    ['/greeter-d4hq7r3c1ab2cd3ef4gw-1-s', undefined],
    ['/Greeter-d4hq7r3c1ab2cd3ef4gh-1-s', undefined],
    [`/${'a'.repeat(200)}-d4hq7r3c1ab2cd3ef4gh-1-s`, undefined],
    [`/${ID}%2f..`, undefined],
    ['', undefined],
  ])('sees in %s the deployment %s', (url, expected) => {
    expect(deploymentIdOf(url)).toBe(expected);
  });

  it('gives calls to the data plane with everything as it came', async () => {
    const seen: string[] = [];
    const running = await start({
      dataPlane: (req, res, id) => {
        seen.push(`${req.method} ${req.url} ${id} ${String(req.headers['x-odd'])}`);
        req.resume().on('end', () => res.end('called'));
      },
    });
    const response = await fetch(`${running.url}/${ID}/a%2Fb?q=%20`, {
      method: 'DELETE',
      body: '{',
      headers: { 'content-type': 'application/json', 'x-odd': 'yes' },
    });
    expect(await response.text()).toBe('called');
    expect(seen).toEqual([`DELETE /${ID}/a%2Fb?q=%20 ${ID} yes`]);
    expect(response.headers.get('content-security-policy')).toBeNull();
  });

  it('answers everything else itself, with no trace of what serves it', async () => {
    const running = await start();
    for (const path of ['/favicon.ico', '/greeter', '/core-service/v1/nothing', '/%zz']) {
      const response = await running.fetch(path);
      expect([400, 404]).toContain(response.status);
      expect(await json(response)).toEqual({ errorId: expect.any(String), errorMessage: expect.any(String) });
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      });
      for (const header of ['server', 'x-powered-by', 'etag', 'set-cookie'])
        expect(response.headers.has(header)).toBe(false);
    }
  });

  it('uses the configured public URL in what it hands out', async () => {
    const running = await start({ publicUrl: 'https://faas.example.org' });
    expect(await json(running.fetch('/auth-service/v1/lookup?id=greeter'))).toMatchObject({
      dns: 'https://faas.example.org/greeter-d4hq7r3c1ab2cd3ef4gh-2-s',
    });
  });

  it('answers 404 or 400 to an over-long path parameter', async () => {
    const running = await start();
    const response = await running.fetch(`/core-service/v1/library/${'x'.repeat(5000)}`);
    expect([400, 404]).toContain(response.status);
    expect(await json(response)).toMatchObject({ errorId: expect.any(String) });
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n', '400', 'request.malformed'],
    ['a space in the URL', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', '400', 'request.malformed'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '400',
      'request.malformed',
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      '400',
      'request.malformed',
    ],
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '400', 'request.malformed'],
    [
      'an unknown expectation',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nConnection: close\r\n\r\n',
      '400',
      'request.malformed',
    ],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n', '400', 'request.malformed'],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: x\n\n', '400', 'request.malformed'],
    [
      'headers beyond 16 KiB',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17 * 1024)}\r\n\r\n`,
      '431',
      'request.headers_too_large',
    ],
  ])('is answered with a bare error: %s', async (_what, request, status, errorId) => {
    const running = await start();
    const answer = await running.raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ errorId });
  });

  it('cuts an answer that is under way rather than writing into it', async () => {
    const running = await start({
      dataPlane: (_req, res) => {
        res.writeHead(200, { 'content-length': '100' });
        res.write('half');
      },
    });
    const answer = await running.raw(`GET /${ID} HTTP/1.1\r\nHost: x\r\n\r\ngarbage\r\n\r\n`);
    expect(answer).not.toContain('400');
  });
});

describe('limits', () => {
  it('closes connections that do not finish their headers, and answers the others meanwhile', async () => {
    const running = await start({ limits: { headersTimeoutMs: 50, connectionCheckMs: 10 } });
    const slow = running.raw('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect((await running.fetch('/health/live')).status).toBe(200);
    const answer = await slow;
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('request.timeout');
  });

  it('closes connections whose body does not arrive', async () => {
    const running = await start({
      limits: { headersTimeoutMs: 40, requestTimeoutMs: 50, connectionCheckMs: 10 },
    });
    const answer = await running.raw(
      `POST /core-service/v1/entity HTTP/1.1\r\nHost: x\r\nx-jf-apikey: ${OWNER_KEY}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('does not cut an answer that streams longer than a request may take to arrive', async () => {
    const running = await start({
      limits: { headersTimeoutMs: 20, requestTimeoutMs: 30, connectionCheckMs: 5 },
      dataPlane: (_req, res) => {
        let ticks = 0;
        const timer = setInterval(() => {
          res.write('.');
          if (++ticks < 20) return;
          clearInterval(timer);
          res.end();
        }, 10);
      },
    });
    expect(await (await fetch(`${running.url}/${ID}`)).text()).toBe('.'.repeat(20));
  });

  it('makes room in a full house by closing connections that wait for nothing', async () => {
    const running = await start({ limits: { connectionsMax: 1 } });
    const idle = connect(running.port, '127.0.0.1');
    idle.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const closed = once(idle, 'close');
    await running.raw('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n').catch(() => undefined);
    await closed;
    const next = await running.raw('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(next).toContain('200 OK');
  });
});

describe('shutdown', () => {
  it('finishes what is in flight, answers readiness 503 meanwhile, and refuses new connections', async () => {
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const running = await start({
      dataPlane: (_req, res) => {
        entered.resolve();
        void gate.promise.then(() => res.end('finished'));
      },
    });
    const call = fetch(`${running.url}/${ID}`);
    await entered.promise;
    // This connection is busy with a half-sent request, so it outlives the closing of idle ones.
    const probe = connect(running.port, '127.0.0.1');
    probe.write('GET /health/ready HTTP/1.1\r\nHost: x\r\n');
    await once(probe, 'connect');
    await running.fetch('/health/live');

    const closed = running.gateway.close(60_000);
    probe.write('\r\n');
    const [chunk] = (await once(probe, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 503 /);
    expect(chunk.toString()).toContain('Connection: close');
    await expect(fetch(`${running.url}/health/live`)).rejects.toThrow();

    gate.resolve();
    expect(await (await call).text()).toBe('finished');
    await closed;
  });

  it('is not held up by connections that never send a whole request', async () => {
    const running = await start();
    const silent = connect(running.port, '127.0.0.1');
    const halfSent = connect(running.port, '127.0.0.1');
    halfSent.write('GET /health/live HTTP/1.1\r\nHost: x\r\n');
    for (const socket of [silent, halfSent]) {
      await once(socket, 'connect');
      socket.on('error', () => undefined);
    }
    await running.fetch('/health/live');
    await running.gateway.close(2 ** 31 - 1);
  });

  it('cuts what has not finished at the deadline', async () => {
    const entered = Promise.withResolvers<void>();
    const running = await start({ dataPlane: () => entered.resolve() });
    const call = fetch(`${running.url}/${ID}`);
    const cut = expect(call).rejects.toThrow();
    await entered.promise;
    await running.gateway.close(1);
    await cut;
  });
});

describe('health and metrics', () => {
  it('is alive before it is ready', async () => {
    let ready = false;
    const running = await start({ ready: () => ready });
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(503);
    ready = true;
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  });

  it('shows sums in Prometheus form, with no label but classes and runtimes', async () => {
    const running = await start();
    running.fakes.metrics.callEnded('function_error', 12);
    running.fakes.metrics.buildEnded(true, 1200);
    running.fakes.metrics.workerBooted('nodejs24', 20);
    const response = await fetch(`${running.url}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    expect(text).toContain('jellyfaas_calls_total{result="function_error"} 1');
    expect(text).toContain('jellyfaas_builds_total{result="ok"} 1');
    expect(text).toContain('jellyfaas_instances{runtime="nodejs24"} 2');
    expect(text).toContain('jellyfaas_log_events_dropped 0');
    const labels = [...text.matchAll(/^jellyfaas\w*\{([^}]*)\}/gm)].flatMap((match) =>
      [...(match[1] ?? '').matchAll(/(\w+)="/g)].map(([, name]) => name),
    );
    expect(new Set(labels)).toEqual(new Set(['le', 'result', 'runtime']));
  });

  it('shows metrics to the machine itself and to the owner, not through a proxy to anybody', async () => {
    const running = await start();
    const through = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${running.url}/metrics`, { headers: { 'x-forwarded-for': '192.0.2.1', ...headers } });
    expect((await through({})).status).toBe(401);
    expect((await through({ 'x-jf-apikey': MEMBER_KEY })).status).toBe(403);
    expect((await through({ authorization: `Bearer ${OWNER_KEY}` })).status).toBe(200);
  });
});
