import { type Socket, connect } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import { BodySender, type UpstreamRequest, encodeHead } from './http1-request.ts';
import { ResponseParser, type ResponseSink } from './http1-response.ts';
import type { Scheduler } from '../kernel/scheduler.ts';

export type UpstreamFailure =
  /** The function saw nothing of the request. */
  | 'unreached'
  /** The connection ended before the answer did. */
  | 'broken'
  /** What came back is not HTTP/1.1. */
  | 'protocol'
  | 'body_too_large'
  /** The request's own body ended early or failed. */
  | 'body_failed';

/** What a call hears of its exchange. Exactly one of `onResponseEnd` and `onResponseFailed` comes last. */
export interface ResponseHandler {
  /** `headers`: name, value, name, value in the bytes and order received. */
  onResponseStart(status: number, reason: string, headers: string[]): void;
  /** False asks for a pause until `resume()`; what was already read still comes. */
  onResponseData(chunk: Buffer): boolean;
  /** `trailers`: lines after the last chunk, as they came. */
  onResponseEnd(trailers: readonly string[]): void;
  onResponseFailed(failure: UpstreamFailure): void;
}

export interface UpstreamOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** How long an abandoned request may keep its connection before it counts as stuck. */
  readonly abandonMs: number;
  readonly requestBodyBytesMax: number;
}

/** Guests close idle connections after 5 s (Node's default); one nearly that old is not trusted with a request. */
const IDLE_MS_MAX = 4000;

/** Keep-alive connections to one instance; the pool above bounds how many requests run at a time. */
export class Upstream {
  readonly options: UpstreamOptions;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();

  constructor(options: UpstreamOptions) {
    this.options = options;
  }

  /** Throws `TypeError` for a request that cannot be written as HTTP; nothing was sent then. */
  send(request: UpstreamRequest, handler: ResponseHandler): Exchange {
    const exchange = new Exchange(request, handler);
    this.carry(exchange);
    return exchange;
  }

  /** Gives the exchange a connection: for the first time, or again after a kept one proved closed. */
  carry(exchange: Exchange): void {
    let connection = this.#idle.pop();
    if (connection !== undefined && this.options.clock.monotonicMs() - connection.idleSince > IDLE_MS_MAX) {
      for (const old of [connection, ...this.#idle.splice(0)]) old.destroy();
      connection = undefined;
    }
    if (connection === undefined) {
      connection = new Connection(this);
      this.#open.add(connection);
    }
    connection.start(exchange);
  }

  park(connection: Connection): void {
    connection.idleSince = this.options.clock.monotonicMs();
    this.#idle.push(connection);
  }

  forget(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  destroy(): void {
    for (const connection of this.#open) connection.destroy();
  }
}

/** One request and its answer. */
export class Exchange {
  readonly request: UpstreamRequest;
  /** Null once the exchange is over or nobody listens any more. */
  handler: ResponseHandler | null;
  connection: Connection | null = null;

  constructor(request: UpstreamRequest, handler: ResponseHandler) {
    this.request = request;
    this.handler = handler;
  }

  resume(): void {
    this.connection?.resume();
  }

  /**
   * Gives up; the handler hears nothing more. An unanswered request is ended by closing our sending side, which
   * a healthy server answers by closing its own; `settled` says whether it failed to within the grace period.
   */
  abandon(settled: (isStuck: boolean) => void): void {
    this.handler = null;
    if (this.connection === null) settled(false);
    else this.connection.abandon(settled);
  }
}

/**
 * How a Unix socket ends when its peer closed it with our bytes unread or before we wrote them. A peer that read
 * the request and then died ends it without an error.
 */
const UNREAD: ReadonlySet<unknown> = new Set(['EPIPE', 'ECONNRESET']);

/** One connection, and the one exchange at a time that runs over it. */
class Connection implements ResponseSink {
  idleSince = 0;
  readonly #upstream: Upstream;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #exchange: Exchange | null = null;
  #body: BodySender | null = null;
  #settled: ((isStuck: boolean) => void) | null = null;
  #isConnected = false;
  #isKept = false;
  /** Bytes of the present answer came; its head was complete. */
  #hasHeard = false;
  #hasHead = false;
  #isUnread = false;
  #isPaused = false;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#socket = connect({ path: upstream.options.socketPath })
      .on('connect', () => (this.#isConnected = true))
      .on('data', (chunk: Buffer) => this.#onData(chunk))
      .on('end', () => this.#onEnd())
      .on('drain', () => this.#body?.resume())
      .on('error', (error: NodeJS.ErrnoException) => (this.#isUnread = UNREAD.has(error.code)))
      .on('close', () => this.#onClose());
  }

  start(exchange: Exchange): void {
    const { request } = exchange;
    this.#exchange = exchange;
    exchange.connection = this;
    this.#hasHeard = false;
    this.#hasHead = false;
    this.#parser.expect(request.method === 'HEAD');
    try {
      this.#write(request);
    } catch (error) {
      this.#exchange = null;
      this.#socket.destroy();
      throw error;
    }
  }

  #write(request: UpstreamRequest): void {
    if (request.body === null) {
      this.#socket.write(encodeHead(request, false), 'latin1');
      return;
    }
    this.#body = new BodySender(
      this.#socket,
      { ...request, body: request.body },
      { bytesMax: this.#upstream.options.requestBodyBytesMax, onFailed: (failure) => this.#fail(failure) },
    );
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  abandon(settled: (isStuck: boolean) => void): void {
    this.#stopBody();
    this.#exchange = null;
    if (this.#hasHead || !this.#isConnected) {
      // A server that answers notices the end of the connection when it writes.
      this.#socket.destroy();
      settled(false);
      return;
    }
    this.#settled = settled;
    this.#socket.end();
    const timer = this.#upstream.options.scheduler.after(this.#upstream.options.abandonMs, () => {
      this.#settle(true);
      this.#socket.destroy();
    });
    this.#socket.once('close', () => timer.close());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onHead(status: number, reason: string, headers: string[]): void {
    this.#hasHead = true;
    this.#exchange?.handler?.onResponseStart(status, reason, headers);
  }

  onBody(chunk: Buffer): void {
    const handler = this.#exchange?.handler;
    if (!handler || handler.onResponseData(chunk) || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #onData(chunk: Buffer): void {
    if (this.#settled !== null) return;
    if (this.#exchange === null) {
      // Bytes that nobody asked for: the next request must not take them for its answer.
      this.#socket.destroy();
      return;
    }
    this.#hasHeard = true;
    try {
      if (this.#parser.push(chunk)) this.#complete();
    } catch {
      // Whatever a hostile answer makes fail here, it is this call that fails and not the platform.
      this.#fail('protocol');
    }
  }

  /** The answer is whole: gives the connection back before the handler can start another request. */
  #complete(): void {
    const exchange = this.#detach();
    if (exchange === null) return;
    const isSent = this.#body === null || this.#body.isSent;
    const { trailers } = this.#parser;
    this.#stopBody();
    this.#isKept = true;
    if (this.#parser.reusable && isSent && !this.#socket.destroyed) {
      this.resume();
      this.#upstream.park(this);
    } else {
      this.#socket.destroy();
    }
    exchange.handler?.onResponseEnd(trailers);
  }

  #onEnd(): void {
    if (this.#exchange !== null && this.#parser.finish()) this.#complete();
  }

  #onClose(): void {
    this.#upstream.forget(this);
    this.#settle(false);
    const exchange = this.#exchange;
    if (exchange === null) return;
    const isUnseen = !this.#isConnected || (this.#isUnread && !this.#hasHeard);
    if (isUnseen && this.#isKept && exchange.request.body === null) {
      // The guest closed the idle connection just as we wrote: a fresh one will be heard.
      this.#exchange = null;
      this.#upstream.carry(exchange);
    } else {
      this.#fail(isUnseen ? 'unreached' : 'broken');
    }
  }

  #fail(failure: UpstreamFailure): void {
    const exchange = this.#detach();
    this.#stopBody();
    this.#socket.destroy();
    exchange?.handler?.onResponseFailed(failure);
  }

  #detach(): Exchange | null {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange !== null) exchange.connection = null;
    return exchange;
  }

  #stopBody(): void {
    this.#body?.stop();
    this.#body = null;
  }

  #settle(isStuck: boolean): void {
    const settled = this.#settled;
    this.#settled = null;
    settled?.(isStuck);
  }
}
