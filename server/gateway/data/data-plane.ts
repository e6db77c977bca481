import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../accounts/principal.ts';
import { callErrors } from '../../calls/call-errors.ts';
import { type Deployment, type DeploymentDirectory, mayCall } from '../../calls/deployment.ts';
import type { Call, CallHandler, Invoke, RunningCall } from '../../calls/invoke.ts';
import type { UpstreamRequest } from '../../calls/http1-request.ts';
import { type CallLimits, sealedBytesMax } from '../../calls/limits.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';
import type { Clock } from '../../kernel/clock.ts';
import { PlatformError, notFound } from '../../kernel/errors.ts';
import type { EventLog } from '../../kernel/events.ts';
import type { Pass, Passes } from '../../desk/passes.ts';
import { isDesk } from '../../desk/deployment.ts';
import { type ErrorFormat, reportFailure, writeError } from '../errors.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { METHODS } from './methods.ts';
import type { Origin, OriginReader } from './origin-ip.ts';
import { sealedAnswerHeaders, sealedRequest, sealedTypeOf } from './sealed-call.ts';

export interface DataPlaneOptions {
  readonly accounts: { verifyToken(token: string): Promise<Principal | undefined> };
  readonly directory: Pick<DeploymentDirectory, 'find'>;
  readonly invoke: Invoke;
  readonly originOf: OriginReader;
  readonly limits: Pick<CallLimits, 'requestBodyBytesMax'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  /** Where there are desks. */
  readonly passes?: Pick<Passes, 'issue'>;
}

/** Answers one request below `/<deployment id>`; the id is well-formed but need not exist. */
export type DataPlane = (req: IncomingMessage, res: ServerResponse, deploymentId: string) => void;

/**
 * The way from a public request to a function and back, on which nothing is parsed, buffered or kept. Request
 * and response trailers are dropped; Host passes as the client sent it; no field is added.
 */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { accounts, directory, clock, events, originOf } = options;

  return (req, res, deploymentId) => {
    const arrivedAt = clock.monotonicMs();
    const refused = refusal(req);
    if (refused !== undefined) {
      refuse(options, { req, res }, refused);
      return;
    }
    const origin = req.headers.origin;
    const cors = origin === undefined ? undefined : corsHeaders(directory.find(deploymentId), origin);
    if (cors !== undefined && isPreflight(req)) {
      res.writeHead(204, [...cors, ...preflightHeaders(METHODS)]).end();
      return;
    }
    const exchange = new CallExchange(options, { req, res, cors, sealedType: sealedTypeOf(req) });
    const token = tokenOf(req);
    if (token === undefined) {
      exchange.onError(badToken());
      return;
    }
    accounts.verifyToken(token).then(
      (principal) => {
        const deployment = directory.find(deploymentId);
        if (principal === undefined) exchange.onError(badToken());
        else if (deployment === undefined || !mayCall(principal.accountId, deployment)) {
          exchange.onError(notFound('deployment'));
        } else if (isDesk(deployment.runtime) && !exchange.isSealed) {
          exchange.onError(notFound('deployment'));
        } else exchange.start({ principal, token, deployment, origin: originOf(req), arrivedAt });
      },
      (error: unknown) => {
        reportFailure(events, error, 'calls');
        writeError(res, error);
      },
    );
  };
}

export function tokenOf({ headers }: IncomingMessage): string | undefined {
  const token = headers['jfwt'] ?? headers['p48wt'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

export function badToken(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'auth.invalid_token',
    message: 'The token in the `jfwt` header is missing, wrong or expired. Get a new one with your API key.',
  });
}

/** What HTTP allows and a function call is not. */
function refusal(req: IncomingMessage): PlatformError | undefined {
  if (req.method === undefined || !METHODS.has(req.method)) {
    return new PlatformError({
      kind: 'unimplemented',
      code: 'calls.method_unsupported',
      owner: 'caller',
      message: `Functions can be called with ${[...METHODS].join(', ')}.`,
    });
  }
  // A coding that we do not know could end elsewhere for whoever does: only plain chunked passes.
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return callErrors.badRequest();
  // Other upgrades (h2c, which some clients offer on every connection) may be ignored, and are.
  if (req.headers.upgrade?.toLowerCase().includes('websocket')) {
    return new PlatformError({
      kind: 'unimplemented',
      code: 'calls.upgrade_unsupported',
      owner: 'caller',
      message: 'Functions answer single requests; WebSocket connections are not supported.',
    });
  }
  return undefined;
}

export function isPreflight(req: IncomingMessage): boolean {
  return req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined;
}

interface Edge {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Header pairs when this origin may read the answer; the gateway then speaks for the function in CORS. */
  readonly cors: string[] | undefined;
  /** Of a sealed call. */
  readonly sealedType: string | undefined;
}

interface Admitted {
  readonly principal: Principal;
  /** That proved it. */
  readonly token: string;
  readonly deployment: Deployment;
  readonly origin: Origin;
  readonly arrivedAt: number;
}

/** A body that comes whole and is at most this long leaves together with its head. */
const HELD_BYTES_MAX = 16_384;

/** One admitted request and its answer. A class, because one is made for every call. */
class CallExchange implements CallHandler {
  readonly #options: DataPlaneOptions;
  readonly #edge: Edge;
  #call: RunningCall | undefined;
  #isOver = false;
  #hasWritten = false;
  /** The first bytes of the body, until it is known whether they are all of it. */
  #held: Buffer | undefined;

  constructor(options: DataPlaneOptions, edge: Edge) {
    this.#options = options;
    this.#edge = edge;
  }

  get isSealed(): boolean {
    return this.#edge.sealedType !== undefined;
  }

  start(admitted: Admitted): void {
    const { principal, deployment, origin, arrivedAt } = admitted;
    const { req, res, sealedType } = this.#edge;
    const { requestBodyBytesMax } = this.#options.limits;
    const declared = req.headers['content-length'];
    const bytesMax = sealedType === undefined ? requestBodyBytesMax : sealedBytesMax(requestBodyBytesMax);
    if (declared !== undefined && Number(declared) > bytesMax) {
      this.onError(callErrors.bodyTooLarge(requestBodyBytesMax));
      return;
    }
    // The client is gone, or the parser refused the rest of the request while the token was looked at.
    if (res.destroyed || !req.socket.writable) return;
    const hasBody = (declared !== undefined && declared !== '0') || 'transfer-encoding' in req.headers;
    const body = hasBody ? req : null;
    const pass = this.#passOf(admitted);
    const request =
      sealedType === undefined
        ? passedRequest(req, { deployment, origin, body })
        : sealedRequest(sealedType, { declaredLength: declared, pass: pass?.token }, body);
    if (request === undefined) {
      this.onError(callErrors.badRequest());
      return;
    }
    const call: Call = {
      deployment,
      caller: principal.accountId,
      originIp: origin.ip,
      arrivedAt,
      request,
      isSealed: sealedType !== undefined,
      ...(pass !== undefined && { hasFailed: () => pass.hasFailed }),
    };
    res.on('close', () => this.#call?.cancel());
    this.#call = this.#options.invoke(call, this);
  }

  /** Good for as long as the client waits. */
  #passOf({ principal, origin, token, deployment }: Admitted): Pass | undefined {
    if (!isDesk(deployment.runtime)) return undefined;
    const pass = this.#options.passes?.issue({ principal, originIp: origin.ip }, token);
    if (pass !== undefined) this.#edge.res.once('close', () => pass.end());
    return pass;
  }

  onStart(status: number, reason: string, headers: string[]): void {
    const { res, cors, sealedType } = this.#edge;
    const passed =
      sealedType === undefined
        ? responseHeaders(headers, cors !== undefined)
        : sealedAnswerHeaders(sealedType);
    res.writeHead(status, reason, cors === undefined ? passed : [...passed, ...cors]);
    process.nextTick(flushStart, this);
  }

  onData(chunk: Buffer): boolean {
    if (!this.#hasWritten && this.#held === undefined && chunk.length <= HELD_BYTES_MAX) {
      this.#held = chunk;
      return true;
    }
    this.#writeHeld();
    return this.#write(chunk);
  }

  onEnd(): void {
    const { res } = this.#edge;
    const held = this.#held;
    this.#held = undefined;
    this.#hasWritten = true;
    // As text, because Node then sends head and body in one piece.
    if (held === undefined) res.end();
    else res.end(held.toString('latin1'), 'latin1');
  }

  #write(chunk: Buffer): boolean {
    this.#hasWritten = true;
    const { res } = this.#edge;
    if (res.write(chunk)) return true;
    res.once('drain', () => this.#call?.resume());
    return false;
  }

  #writeHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(held);
  }

  onError(error: PlatformError): void {
    this.#isOver = true;
    this.#held = undefined;
    const { res, cors, sealedType } = this.#edge;
    if (cors !== undefined && !res.headersSent) {
      for (let i = 0; i < cors.length; i += 2) res.setHeader(cors[i] ?? '', cors[i + 1] ?? '');
    }
    refuse(this.#options, this.#edge, error, sealedType === undefined ? 'compatible' : 'problem');
  }

  /** What did not come whole at once must not wait: neither first bytes nor a head without any (an event stream). */
  flush(): void {
    this.#writeHeld();
    if (this.#hasWritten || this.#isOver) return;
    this.#hasWritten = true;
    this.#edge.res.flushHeaders();
  }
}

function flushStart(exchange: CallExchange): void {
  exchange.flush();
}

/** What a plain call passes on; undefined for a request that two servers may read as two different ones. */
function passedRequest(
  req: IncomingMessage,
  { deployment, origin, body }: { deployment: Deployment; origin: Origin; body: UpstreamRequest['body'] },
): UpstreamRequest | undefined {
  const headers = requestHeaders(req.rawHeaders, origin.isBehindProxy);
  if (headers === undefined) return undefined;
  return { method: req.method ?? 'GET', path: pathBelow(req.url ?? '', deployment.id), headers, body };
}

/** Raw: never decoded or normalised, so it means to the function what it meant to the client. */
function pathBelow(url: string, deploymentId: string): string {
  const rest = url.slice(deploymentId.length + 1);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** How long a client may go on sending a body that nobody wants, so that it gets to read the refusal. */
const LINGER_MS = 2000;

function refuse(
  { events, scheduler }: Pick<DataPlaneOptions, 'events' | 'scheduler'>,
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
  error: PlatformError,
  format: ErrorFormat = 'compatible',
): void {
  reportFailure(events, error, 'calls');
  writeError(res, error, format);
  if (req.complete || req.destroyed) return;
  req.on('error', () => undefined);
  const timer = scheduler.after(LINGER_MS, () => req.socket.destroy());
  req.once('close', () => timer.close());
}
