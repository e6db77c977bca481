import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEventLog } from '../kernel/events.ts';
import type { EgressNetwork } from './egress-guard.ts';
import type { EgressPolicy } from './egress-policy.ts';
import { openEgressProxy, type EgressProxy } from './egress-proxy.ts';

const PUBLIC = '93.184.215.14';

let directory: string;
let origin: Server;
let proxy: EgressProxy | undefined;
let log: string[];
let dialled: { addresses: readonly string[]; port: number }[];

/** Every public address is played by the local origin server; anything else would be a real connection. */
function network(resolve: EgressNetwork['resolvePublic']): EgressNetwork {
  return {
    resolvePublic: resolve,
    resolveAsHost: resolve,
    connect(addresses, port) {
      dialled.push({ addresses, port });
      return connect({
        port: (origin.address() as AddressInfo).port,
        host: '127.0.0.1',
        allowHalfOpen: true,
      });
    },
    ownAddresses: () => ['127.0.0.1'],
  };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'egress-'));
  dialled = [];
  log = [];
  origin = createServer((incoming, answer) => {
    void text(incoming).then((body) => {
      answer.writeHead(200, { 'x-seen': JSON.stringify(incoming.headers) });
      answer.end(`${incoming.method} ${incoming.url} ${body}`);
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  origin.closeAllConnections();
  await new Promise((resolve) => origin.close(resolve));
  await rm(directory, { recursive: true });
});

async function open(
  policy: EgressPolicy,
  resolve: EgressNetwork['resolvePublic'] = () => Promise.resolve([PUBLIC]),
) {
  const path = join(directory, 'egress.sock');
  const events = createEventLog(
    (line) => log.push(line),
    () => 0,
  );
  proxy = await openEgressProxy({ policy, path, events, network: network(resolve) });
  return { send: (request: string) => exchange(path, request), path };
}

async function exchange(path: string, request: string): Promise<string> {
  const socket = connect(path);
  socket.write(request);
  return text(socket);
}

const anyPublic: EgressPolicy = { kind: 'public', hosts: ['*'] };
const GET = 'GET /in HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

test('a tunnel carries bytes both ways to the checked address', async () => {
  const { send } = await open(anyPublic);
  const answer = await send(
    `CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com:443\r\n\r\n${GET}`,
  );
  expect(answer).toMatch(/^HTTP\/1.1 200 Connection established\r\n\r\nHTTP\/1.1 200 OK/);
  expect(answer).toContain('GET /in');
  expect(dialled).toEqual([{ addresses: [PUBLIC], port: 443 }]);
});

test('an absolute-form request is forwarded with the checked host and without hop-by-hop headers', async () => {
  const { send } = await open(anyPublic);
  const answer = await send(
    'POST http://api.example.com/a?b=c HTTP/1.1\r\nhost: other.example\r\nproxy-authorization: secret\r\n' +
      'connection: close, x-hop\r\nx-hop: 1\r\nx-kept: 2\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  );
  expect(answer).toContain('POST /a?b=c abc');
  const seen = JSON.parse(/x-seen: (.*)\r\n/.exec(answer)?.[1] ?? '{}') as Record<string, string>;
  expect(seen).toMatchObject({ host: 'api.example.com', 'x-kept': '2' });
  expect(seen).not.toHaveProperty('x-hop');
  expect(seen).not.toHaveProperty('proxy-authorization');
});

test('a name that turns private after its check reaches nothing', async () => {
  const answers = [[PUBLIC], ['127.0.0.1']];
  let lookups = 0;
  const { send } = await open(anyPublic, () => Promise.resolve(answers[lookups++] ?? []));
  await send(`CONNECT rebind.example:443 HTTP/1.1\r\n\r\n${GET}`);
  const second = await send('CONNECT rebind.example:443 HTTP/1.1\r\n\r\n');
  expect(second).toMatch(/^HTTP\/1.1 403 /);
  expect(lookups).toBe(2);
  expect(dialled).toEqual([{ addresses: [PUBLIC], port: 443 }]);
});

test.each([
  'CONNECT 169.254.169.254:80 HTTP/1.1',
  'CONNECT user@api.example.com:443 HTTP/1.1',
  'GET http://2130706433/ HTTP/1.1',
  'GET http://user:secret@api.example.com/ HTTP/1.1',
  'GET http://api.example.com:22/ HTTP/1.1',
  'GET https://api.example.com/ HTTP/1.1',
  'GET ftp://api.example.com/ HTTP/1.1',
  'GET /origin-form HTTP/1.1',
  'OPTIONS * HTTP/1.1',
])('%s is refused with 403 and connects nowhere', async (line) => {
  const { send } = await open(anyPublic);
  const answer = await send(`${line}\r\nhost: api.example.com\r\nconnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 403 /);
  expect(dialled).toEqual([]);
});

test('a refusal is logged by its code and never by its host', async () => {
  const { send } = await open({ kind: 'public', hosts: ['api.example.com'] });
  await send('CONNECT very-private-name.example:443 HTTP/1.1\r\n\r\n');
  expect(log).toHaveLength(1);
  expect(log[0]).toContain('host_not_listed');
  expect(log[0]).not.toContain('very-private-name');
});

test('a name that does not resolve answers 502 and logs nothing', async () => {
  const { send } = await open(anyPublic, () => Promise.reject(new Error('ENOTFOUND secret.example')));
  const answer = await send('CONNECT secret.example:443 HTTP/1.1\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 502 /);
  expect(answer).not.toContain('ENOTFOUND');
  expect(log).toEqual([]);
});

test('an origin that hangs up answers 502', async () => {
  const rude = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
  const path = join(directory, 'egress.sock');
  const events = createEventLog(
    (line) => log.push(line),
    () => 0,
  );
  const dialRude = (): Socket => connect((rude.address() as AddressInfo).port, '127.0.0.1');
  proxy = await openEgressProxy({
    policy: anyPublic,
    path,
    events,
    network: { ...network(() => Promise.resolve([PUBLIC])), connect: dialRude },
  });
  const answer = await exchange(
    path,
    'GET http://api.example.com/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1.1 502 /);
  rude.close();
});

test('headers above 16 KiB are refused', async () => {
  const { send } = await open(anyPublic);
  const answer = await send(`CONNECT api.example.com:443 HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 431 /);
});

test('connections beyond the limit are closed at once', async () => {
  const { path } = await open(anyPublic);
  const sockets = Array.from({ length: 140 }, () => connect(path));
  await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  for (const socket of sockets) socket.destroy();
});

test('closing the proxy ends its open tunnels', async () => {
  const { path } = await open(anyPublic);
  const socket = connect(path);
  socket.write('CONNECT api.example.com:443 HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await proxy?.close();
  await ended;
});
