import { connect } from 'node:net';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles, rawExchange } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** Requests that no honest client sends, as bytes on a socket. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let target: Deployed;
let neighbour: Neighbour;
let token: string;

beforeAll(async () => {
  target = await owner.deploy(
    'httptarget',
    fixtureFiles('probe', { shortname: 'httptarget', timeoutSeconds: 5 }),
  );
  neighbour = await moveIn(owner);
  token = await owner.token();
});

afterEach(() => neighbour.answers());

/** How often the function has run; asking counts once. */
async function calls(): Promise<number> {
  return ((await (await owner.call(target, '?do=count')).json()) as { calls: number }).calls;
}

function head(extra: string, method = 'POST', path = `/${target.deploymentId}?do=status&code=200`): string {
  return `${method} ${path} HTTP/1.1\r\nhost: a\r\njfwt: ${token}\r\n${extra}`;
}

/** The request that an attacker would smuggle inside another one's body: the only one that counts. */
const inner = (): string => head('content-length: 0\r\n\r\n', 'POST', `/${target.deploymentId}?do=count`);

describe('smuggling', () => {
  const attacks: Record<string, () => string> = {
    'Content-Length beside Transfer-Encoding': () =>
      head(`content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner()}`),
    'two different Content-Lengths': () =>
      head(`content-length: 0\r\ncontent-length: ${inner().length}\r\n\r\n${inner()}`),
    'a list of Content-Lengths': () => head(`content-length: 0, ${inner().length}\r\n\r\n${inner()}`),
    'a Content-Length with sign': () => head(`content-length: +0\r\n\r\n${inner()}`),
    'a hexadecimal Content-Length': () => head(`content-length: 0x0\r\n\r\n${inner()}`),
    'an unknown transfer coding': () => head(`transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${inner()}`),
    'chunked not last': () => head(`transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner()}`),
    'a space before the colon': () =>
      head(`transfer-encoding : chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n${inner()}`),
    'a folded header': () =>
      head(`x-a: 1\r\n transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n${inner()}`),
    'a bare line feed': () =>
      head(`x-a: 1\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n${inner()}`),
    'a chunk size that overflows': () =>
      head(`transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${inner()}`),
    'a chunk size with garbage': () => head(`transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n${inner()}`),
    'a NUL in a header': () => head(`x-a: a\0b\r\ncontent-length: 0\r\n\r\n`),
    'a carriage return in a header': () => head(`x-a: a\rb\r\ncontent-length: 0\r\n\r\n`),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    it(`by ${name} is refused and runs nothing twice`, async () => {
      const before = await calls();
      const answer = await rawExchange(url, attack());
      // A broken chunk shows only after the head has passed; the rest is refused before anything runs.
      if (!name.includes('chunk size')) expect(answer).not.toMatch(/HTTP\/1\.1 2\d\d/);
      expect(await calls()).toBe(before + 1);
    });
  }

  it('by hop-by-hop headers named in Connection reaches nobody', async () => {
    const answer = await rawExchange(
      url,
      head(
        'connection: x-secret, close\r\nx-secret: 1\r\nkeep-alive: 1\r\nproxy-authorization: 1\r\nte: trailers\r\n\r\n',
        'GET',
        `/${target.deploymentId}?do=echo`,
      ),
    );
    expect(answer).toContain('HTTP/1.1 200');
    for (const gone of ['x-secret', 'keep-alive', 'proxy-authorization', '"te"', 'jfwt'])
      expect(answer.split('\r\n\r\n')[1]).not.toContain(gone);
  });
});

describe('odd methods and targets', () => {
  const requests: Record<string, [string, RegExp]> = {
    CONNECT: ['CONNECT example.org:443 HTTP/1.1\r\nhost: a\r\n\r\n', /^(HTTP\/1\.1 4\d\d|$)/],
    TRACE: [
      'TRACE / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-secret: s\r\n\r\n',
      /^(HTTP\/1\.1 [45]\d\d|$)/,
    ],
    'an unknown method': ['FROB / HTTP/1.1\r\nhost: a\r\n\r\n', /^HTTP\/1\.1 4\d\d/],
    'a proxy request': [
      'GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nhost: 169.254.169.254\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 404/,
    ],
    'no Host': ['GET / HTTP/1.1\r\nconnection: close\r\n\r\n', /^HTTP\/1\.1 400/],
    'a request line of 100 KiB': [
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      /^HTTP\/1\.1 4\d\d/,
    ],
    'headers of 1 MiB': [
      `GET / HTTP/1.1\r\nhost: a\r\nx-a: ${'a'.repeat(1 << 20)}\r\n\r\n`,
      /^(HTTP\/1\.1 4\d\d|$)/,
    ],
    '5,000 headers': [`GET / HTTP/1.1\r\nhost: a\r\n${'a: b\r\n'.repeat(5000)}\r\n`, /^(HTTP\/1\.1 4\d\d|$)/],
    'not HTTP at all': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^(HTTP\/1\.1 400|$)/],
    'an upgrade to HTTP/2': [
      'GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
      /^(HTTP\/1\.1 4\d\d|$)/,
    ],
  };
  for (const [name, [request, expected]] of Object.entries(requests)) {
    it(`${name} is refused without a stack trace`, async () => {
      const answer = await rawExchange(url, request);
      expect(answer).toMatch(expected);
      expect(answer).not.toMatch(/at .*\.(ts|js):\d+/);
    });
  }

  it('a path that climbs reaches only the function it is addressed to', async () => {
    for (const path of [
      `/${target.deploymentId}/../core-service/v1/library?do=echo`,
      `/${target.deploymentId}/%2e%2e/%2e%2e/etc/passwd?do=echo`,
      `/${target.deploymentId}/..%2f..%2fx?do=echo`,
    ]) {
      const answer = await rawExchange(url, head('connection: close\r\n\r\n', 'GET', path));
      expect(answer).toContain('HTTP/1.1 200');
      expect(answer).toContain('"method":"GET"');
      expect(answer).not.toContain('root:');
    }
  });
});

describe('too much and too slow', () => {
  it('a body announced too large is refused before it is sent', async () => {
    const answer = await rawExchange(url, head('content-length: 99999999999\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
  });

  it('a chunked body that grows too large is cut', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x10_0000)}\r\n`;
    const answer = await rawExchange(
      url,
      head(
        `content-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(34)}`,
        'POST',
        `/${target.deploymentId}?do=raw`,
      ),
      8000,
    );
    expect(answer).toMatch(/^(HTTP\/1\.1 413|$)/);
  });

  it('an upload over the limit is refused in the compatible shape', async () => {
    const response = await owner.upload('huge', new Uint8Array(51 * 1024 * 1024));
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ errorId: expect.any(String), errorMessage: expect.any(String) });
  });

  it('a JSON body over the limit is refused', async () => {
    const response = await owner.core(
      'POST',
      '/entity',
      JSON.stringify({ type: 'user', name: 'x'.repeat(2 << 20) }),
      { 'content-type': 'application/json' },
    );
    expect(response.status).toBe(413);
  });

  it('a hundred slow-loris connections keep nobody waiting', async () => {
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: 100 }, () => connect(Number(port), hostname));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.write(`POST /${target.deploymentId} HTTP/1.1\r\nhost: a\r\nx-slow: `);
    }
    await neighbour.answers();
    expect(await calls()).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
  });

  it('twenty clients that never read their answers keep nobody waiting', async () => {
    const { hostname, port } = new URL(url);
    const sockets = Array.from({ length: 20 }, () => connect(Number(port), hostname));
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(
        head('content-length: 0\r\n\r\n', 'POST', `/${target.deploymentId}?do=stream&chunks=3000&every=0`),
      );
    }
    await neighbour.answers();
    for (const socket of sockets) socket.destroy();
  });
});
