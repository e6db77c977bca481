import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { type JellyFaaS, jellyfaas } from '../../sdk/src/index.ts';
import { QUESTIONS_ID, VECTORS_ID, endToEnd } from '../../sdk/src/sealed/index.ts';
import { CliError, isSystemError } from '../failure.ts';
import { sendRequest } from '../http.ts';
import { fetchOverHttp } from '../fetch-over-http.ts';
import { Refused, readBounded, tell } from './answers.ts';

export interface SealingProxyOptions {
  /** The server, without trailing slash. */
  readonly url: string;
  /** On 127.0.0.1; 0 takes any. */
  readonly port: number;
  /** As in the SDK's `ConnectOptions`. */
  readonly installationKey?: string | undefined;
}

export interface SealingProxy {
  /** What clients take for their server. */
  readonly url: string;
  readonly closed: Promise<unknown>;
  close(): void;
}

/**
 * Stands in for the server on this machine, for clients that cannot seal: what they call goes on sealed. It keeps nothing,
 * holds no key of an account, and passes nothing else than what a call takes, so that nothing goes out in the clear unseen.
 */
export async function startSealingProxy(options: SealingProxyOptions): Promise<SealingProxy> {
  const server = createServer((req, res) => {
    respond(req, res).catch((error: unknown) => tell(res, error));
  });
  server.listen(options.port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenFailure(error, options.port);
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const hosts: ReadonlySet<string> = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  const clientOf = clientsOf(options);

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // A page of the web that made its own name mean this machine must not reach through.
    if (!hosts.has(req.headers.host ?? '')) throw wrongHost(url);
    const address = { path: pathOf(options.url, req), server: options.url, own: url };
    const service = SERVICES.find(({ paths }) => paths.test(address.path));
    if (DEPLOYMENT.test(address.path)) await passSealed(req, res, { ...address, clientOf });
    else if (service !== undefined) {
      await passSealed(req, res, { ...address, path: `/${service.id}${address.path}`, clientOf });
    } else if (PASSED.test(address.path) && req.method === 'GET') await passPlain(req, res, address);
    else {
      throw new Refused(
        404,
        'proxy.not_passed',
        `This proxy seals calls of functions, questions, and what is in vector databases, and passes nothing else. Ask ${options.url} itself.`,
      );
    }
  }

  return {
    url,
    closed: once(server, 'close'),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const DEPLOYMENT = /^\/[a-z0-9-]+-[0-9a-v]{20}-\d+-[a-z]+(?:[/?]|$)/;
/** The platform's own, in the forms that the server knows: questions to a model, and what is in vector databases. */
const SERVICES = [
  { id: QUESTIONS_ID, paths: /^\/(?:api\/v1\/ai\/query|query-service\/v1\/(?:query|function))(?:\?|$)/ },
  {
    id: VECTORS_ID,
    paths:
      /^\/(?:api\/v1\/(?:vectors\/[^/?]+\/|uploads\/)|query-service\/v1\/vectordb(?:\?|$)|embedder-service\/v1\/)/,
  },
];
/** What a client asks before a call. */
const PASSED = /^\/auth-service\/v1\/(?:validate|lookup)(?:\?|$)/;

/** What is asked of the server, without steps upwards and the like: what is judged here is what is sent. */
function pathOf(server: string, req: IncomingMessage): string {
  return URL.parse(server + (req.url ?? '/'))?.href.slice(server.length) ?? '';
}

function wrongHost(url: string): Refused {
  return new Refused(
    421,
    'proxy.wrong_host',
    `Give your client ${url} as the address of the server. This is no proxy for other addresses (HTTP_PROXY).`,
  );
}

function listenFailure(error: unknown, port: number): unknown {
  if (!isSystemError(error, 'EADDRINUSE', 'EACCES')) return error;
  return new CliError(
    `Port ${port} of this machine is not free. Choose another with --port, or any with 0.`,
    {
      code: 'cli.port_taken',
    },
  );
}

const CLIENTS_MAX = 100;

/** One SDK client per token, because keys for sealing are given to one account. */
function clientsOf({ url, installationKey }: SealingProxyOptions): (token: string) => JellyFaaS {
  const clients = new Map<string, JellyFaaS>();
  return (token) => {
    const known = clients.get(token);
    if (known !== undefined) return known;
    const client = jellyfaas({
      url,
      token: () => token,
      fetch: fetchOverHttp,
      ...(installationKey !== undefined && { installationKey }),
    });
    if (clients.size >= CLIENTS_MAX) clients.clear();
    clients.set(token, client);
    return client;
  };
}

interface Address {
  readonly path: string;
  /** Without trailing slash, and so `own`, which clients take for it. */
  readonly server: string;
  readonly own: string;
}

interface SealedTarget extends Address {
  readonly clientOf: (token: string) => JellyFaaS;
}

const REQUEST_BYTES_MAX = 256 * 1_048_576;
/** Credentials, and what belongs to the connection between the client and this proxy. */
const DROPPED = new Set(['jfwt', 'p48wt', 'x-jf-apikey', 'x-p48-apikey', 'host', 'content-length', 'expect']);

async function passSealed(req: IncomingMessage, res: ServerResponse, target: SealedTarget): Promise<void> {
  const token = req.headers['jfwt'] ?? req.headers['p48wt'];
  if (typeof token !== 'string') {
    throw new Refused(403, 'auth.invalid_token', 'The token in the `jfwt` header is missing.');
  }
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const file = await readBounded(req, REQUEST_BYTES_MAX);
  const answer = await target.clientOf(token).call(new URL(target.server + target.path), {
    method: req.method ?? 'GET',
    headers: headersOf(req),
    ...(file.length > 0 && { file }),
    sealed: true,
    signal: gone.signal,
  });
  // The length that the function declared is not to be trusted before the end.
  const headers = endToEnd(answer.headers)
    .filter(([name]) => name !== 'content-length')
    .map(([name, value]) => [name, name === 'location' ? withOwnOrigin(value, target) : value]);
  res.writeHead(answer.status, headers.flat());
  if (answer.body === null) res.end();
  else await pipeline(Readable.fromWeb(answer.body as ReadableStream<Uint8Array>), res);
}

/** A function that sends its caller on to another address of the server would send him past this proxy, in the clear. */
function withOwnOrigin(location: string, { server, own }: Address): string {
  const to = /^(?:https?:)?\/\//i.test(location) ? URL.parse(location, server) : null;
  const { host, pathname: base } = new URL(server);
  if (to?.host !== host) return location;
  const path = to.pathname + to.search + to.hash;
  return own + (base !== '/' && path.startsWith(`${base}/`) ? path.slice(base.length) : path);
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const all = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return Object.fromEntries(endToEnd(all).filter(([name]) => !DROPPED.has(name)));
}

const ANSWER_BYTES_MAX = 4 * 1_048_576;

/** As the server answers; the address of a function becomes one of this proxy. */
async function passPlain(
  req: IncomingMessage,
  res: ServerResponse,
  { path, server, own }: Address,
): Promise<void> {
  const key = req.headers['x-jf-apikey'] ?? req.headers['x-p48-apikey'];
  const answer = await sendRequest({
    url: server + path,
    headers: { accept: 'application/json', ...(key !== undefined && { 'x-jf-apikey': key }) },
  });
  const body = withOwnAddress(await readBounded(answer, ANSWER_BYTES_MAX), own);
  const headers = {
    'content-type': answer.headers['content-type'] ?? 'text/plain',
    'content-length': body.length,
  };
  res.writeHead(answer.statusCode ?? 502, headers).end(body);
}

function withOwnAddress(body: Buffer, own: string): Buffer {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    return body;
  }
  if (typeof answer !== 'object' || answer === null || !('dns' in answer)) return body;
  const dns = `${own}/${String(answer.dns).split('/').at(-1)}`;
  return Buffer.from(JSON.stringify({ ...answer, dns }));
}
