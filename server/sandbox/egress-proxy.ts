import { chmod } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EventLog } from '../kernel/events.ts';
import { admit, EgressRefused, hostNetwork, parseTarget, type EgressNetwork } from './egress-guard.ts';
import type { EgressPolicy } from './egress-policy.ts';

export interface EgressProxyOptions {
  readonly policy: EgressPolicy;
  /** Unix socket to listen on; the directory around it decides who may connect. */
  readonly path: string;
  readonly events: EventLog;
  /** Default: the host's own network. */
  readonly network?: EgressNetwork;
}

export interface EgressProxy {
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 128;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 120_000;

/**
 * The only way out of a jail: an HTTP proxy on a Unix socket, one for each jail, that takes `CONNECT host:port`
 * and `GET http://host/…`. What it refuses is answered with a plain 403 and counted by code, never by name.
 */
export async function openEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const open = new Set<Duplex>();
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  const dial = (authority: string, defaultPort?: number): Promise<Socket> =>
    reach(options, authority, defaultPort).then((socket) => hold(open, socket));
  server.on('connection', (socket: Socket) => hold(open, socket));
  server.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    tunnel(() => dial(incoming.url ?? ''), client, head).catch((error: unknown) => {
      refuse(options.events, error, (status, reason) =>
        client.end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${reason}\n`),
      );
    });
  });
  server.on('request', (incoming: IncomingMessage, answer: ServerResponse) => {
    forward(dial, incoming, answer).catch((error: unknown) => {
      refuse(options.events, error, (status, reason) => {
        if (answer.headersSent) return answer.destroy();
        return answer
          .writeHead(Number(status.slice(0, 3)), { 'content-type': 'text/plain' })
          .end(`${reason}\n`);
      });
    });
  });
  await listen(server, options.path);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  await chmod(path, 0o666);
}

/** Keeps a socket in the set of those to close at the end, and closes it when nothing moves on it. */
function hold(open: Set<Duplex>, socket: Socket): Socket {
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  socket.on('error', () => socket.destroy());
  return socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
}

/** A connection to an admitted address of `host:port`. Rejects with `EgressRefused`, or as connecting does. */
export async function reach(
  { policy, network = hostNetwork }: Pick<EgressProxyOptions, 'policy' | 'network'>,
  authority: string,
  defaultPort?: number,
): Promise<Socket> {
  const target = parseTarget(authority, defaultPort);
  const addresses = await admit(policy, target, network);
  const socket = network.connect(addresses, target.port);
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error('connect timeout')), CONNECT_TIMEOUT_MS);
    socket.once('connect', resolve).once('error', reject);
    socket.once('connect', () => clearTimeout(late)).once('close', () => clearTimeout(late));
  });
  return socket;
}

async function tunnel(dial: () => Promise<Socket>, client: Duplex, head: Buffer): Promise<void> {
  client.on('error', () => client.destroy());
  const upstream = await dial();
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  upstream.write(head);
  // From here on an error has nobody to be told to: both sides just end.
  await Promise.allSettled([pipeline(client, upstream), pipeline(upstream, client)]);
  client.destroy();
  upstream.destroy();
}

const ABSOLUTE_HTTP = /^http:\/\/([^/?#]+)(\/[^\s#]*|\?[^\s#]*)?$/i;

async function forward(
  dial: (authority: string, defaultPort: number) => Promise<Socket>,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const [, authority, path = '/'] = ABSOLUTE_HTTP.exec(incoming.url ?? '') ?? [];
  if (authority === undefined) throw new EgressRefused('bad_target');
  const upstream = await dial(authority, 80);
  const outgoing = request({
    createConnection: () => upstream,
    method: incoming.method,
    path: path.startsWith('?') ? `/${path}` : path,
    headers: ['host', authority, ...endToEnd(incoming.rawHeaders, REQUEST_ONLY)],
    setHost: false,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  const [reply] = await Promise.all([answered, pipeline(incoming, outgoing)]);
  answer.writeHead(reply.statusCode ?? 502, endToEnd(reply.rawHeaders, new Set()));
  await pipeline(reply, answer);
}

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `host` is set from the checked target, so that it cannot name another one. */
const REQUEST_ONLY: ReadonlySet<string> = new Set(['host', 'expect']);

/** The headers that travel on, as a flat list of names and values. */
function endToEnd(rawHeaders: readonly string[], also: ReadonlySet<string>): string[] {
  const named = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue;
    for (const name of (rawHeaders[i + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (HOP_BY_HOP.has(name) || also.has(name) || named.has(name)) continue;
    kept.push(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  }
  return kept;
}

function refuse(events: EventLog, error: unknown, answer: (status: string, reason: string) => unknown): void {
  if (!(error instanceof EgressRefused)) {
    answer('502 Bad Gateway', 'Could not connect to the host.');
    return;
  }
  events.emit('egress.refused', { code: error.code });
  answer('403 Forbidden', `Refused: ${error.message}.`);
}
