import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ControlPlaneOptions } from './control/control-plane-options.ts';
import { createControlPlane } from './control/control-plane.ts';
import { PlatformError } from '../kernel/errors.ts';
import type { DataPlane } from './data/data-plane.ts';
import { OHTTP_KEYS_PATH } from './data/ohttp-keys.ts';
import { writeError } from './errors.ts';
import { type GatewayLimits, gatewayLimits } from './limits.ts';

export interface GatewayOptions extends Omit<ControlPlaneOptions, 'limits' | 'publicUrl' | 'closing'> {
  readonly dataPlane: DataPlane;
  readonly ohttpKeys: DataPlane;
  /** How clients reach this server, without trailing slash; the address it listens on if absent. */
  readonly publicUrl?: string | undefined;
  readonly limits?: Partial<GatewayLimits>;
}

export interface Gateway {
  /** Starts to accept; port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number; publicUrl: string }>;
  /**
   * Stops accepting, ends event streams, lets requests in flight finish, and cuts what is left after
   * `deadlineMs`. Readiness answers 503 meanwhile.
   */
  close(deadlineMs: number): Promise<void>;
}

/** The one listener: calls of functions go to the data plane, everything else to the control plane. */
export function createGateway(options: GatewayOptions): Gateway {
  const limits: GatewayLimits = { ...gatewayLimits, ...options.limits };
  const closing = new AbortController();
  /** Every connection with its latest response; undefined before its first request. */
  const connections = new Map<Socket, ServerResponse | undefined>();
  const server = createServer(serverOptions(limits));
  server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  server.maxConnections = limits.connectionsMax;
  // A full house makes room by closing connections that wait for nothing.
  server.on('drop', () => server.closeIdleConnections());
  server.on('checkExpectation', (_req, res) => writeError(res, malformed('Its Expect header is unknown.')));
  const publicUrl = (): string => options.publicUrl ?? urlOf(server);

  const app = createControlPlane(
    { ...options, limits, publicUrl, closing: closing.signal },
    (control) =>
      server.on('request', (req, res) => {
        connections.set(req.socket, res);
        if (closing.signal.aborted) res.shouldKeepAlive = false;
        if (req.headers.host === undefined && req.httpVersion === '1.1') {
          writeError(res, malformed('It has no Host header.'));
          return;
        }
        const deploymentId = deploymentIdOf(req.url ?? '');
        const keysOf = deploymentId === undefined ? keysAskedFor(req) : undefined;
        if (deploymentId !== undefined) options.dataPlane(req, res, deploymentId);
        else if (keysOf !== undefined) options.ohttpKeys(req, res, keysOf);
        else control(req, res);
      }),
    (error, socket) => refuseMalformed(error, socket, connections.get(socket)),
  );

  return {
    async listen({ host, port }) {
      await app.ready();
      server.listen({ host, port, backlog: 1024 });
      await once(server, 'listening');
      const address = server.address() as AddressInfo;
      return { host: address.address, port: address.port, publicUrl: publicUrl() };
    },
    async close(deadlineMs) {
      closing.abort();
      if (server.listening) await drain(server, connections, deadlineMs);
      await app.close();
    },
  };
}

function serverOptions(limits: GatewayLimits): Parameters<typeof createServer>[0] & object {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.connectionCheckMs,
    insecureHTTPParser: false,
    // Refused here, with a body that says why.
    requireHostHeader: false,
    noDelay: true,
  };
}

const DEPLOYMENT_ID = /^[a-z0-9-]+-[0-9a-v]{20}-\d+-[a-z]+$/;
const DEPLOYMENT_ID_LENGTH_MAX = 100;

/** The first path segment, if it has the form of a deployment id. */
export function deploymentIdOf(url: string): string | undefined {
  const end = url.slice(1).search(/[/?#]/);
  const segment = end === -1 ? url.slice(1) : url.slice(1, end + 1);
  const fits = url.startsWith('/') && segment.length <= DEPLOYMENT_ID_LENGTH_MAX;
  return fits && DEPLOYMENT_ID.test(segment) ? segment : undefined;
}

/** The deployment whose keys a request asks for. */
export function keysAskedFor({ method, url = '' }: IncomingMessage): string | undefined {
  if ((method !== 'GET' && method !== 'OPTIONS') || !url.startsWith(OHTTP_KEYS_PATH)) return undefined;
  return deploymentIdOf(url.slice(OHTTP_KEYS_PATH.length - 1));
}

/** What a client that has just connected gets to send its request. */
const UNUSED_GRACE_MS = 500;

async function drain(
  server: Server,
  connections: ReadonlyMap<Socket, ServerResponse | undefined>,
  deadlineMs: number,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  // Node does not count those as idle that wait for their first request or for the rest of a request's head.
  const unused = setInterval(() => {
    for (const [socket, response] of connections) if (response?.writableFinished !== false) socket.destroy();
  }, UNUSED_GRACE_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearInterval(idle);
  clearInterval(unused);
  clearTimeout(deadline);
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  const { family, port } = address;
  const wildcard = address.address === '0.0.0.0' || address.address === '::';
  const host = family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${wildcard ? '127.0.0.1' : host}:${port}`;
}

function malformed(what: string): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'request.malformed',
    message: `This is not a well-formed HTTP/1.1 request. ${what}`,
  });
}

const REFUSALS: Record<string, { readonly status: string; readonly body: object }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    body: { errorId: 'request.headers_too_large', errorMessage: 'The request headers are too large.' },
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    body: { errorId: 'request.timeout', errorMessage: 'The request did not arrive in time.' },
  },
};
const MALFORMED = {
  status: '400 Bad Request',
  body: { errorId: 'request.malformed', errorMessage: 'This is not a well-formed HTTP/1.1 request.' },
};

/** What the HTTP parser refuses never becomes a request, so it is answered on the socket, which then closes. */
function refuseMalformed(error: Error, socket: Socket, response: ServerResponse | undefined): void {
  const halfAnswered = response !== undefined && response.headersSent && !response.writableFinished;
  if (!socket.writable || halfAnswered || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const { status, body } = REFUSALS['code' in error ? String(error.code) : ''] ?? MALFORMED;
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n` +
      `Connection: close\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    () => socket.destroy(),
  );
}
