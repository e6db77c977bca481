import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** One HTTP request, as it goes to the function: nothing is added but the framing of a body without length. */
export interface UpstreamRequest {
  readonly method: string;
  /** Origin form, raw: never decoded or normalised. */
  readonly path: string;
  /** Name, value, name, value in the order received; without hop-by-hop fields. Latin-1. */
  readonly headers: readonly string[];
  readonly body: Readable | null;
}

const ILLEGAL_IN_TARGET = /[^\x21-\x7e]/;
const ILLEGAL_IN_FIELD = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The request's head as Latin-1 text. Checks again what the public parser has checked, because the next caller
 * of this code may have made the request himself: a line break here would be a second request.
 */
export function encodeHead({ method, path, headers }: UpstreamRequest, isChunked: boolean): string {
  if (ILLEGAL_IN_TARGET.test(method) || ILLEGAL_IN_TARGET.test(path))
    throw new TypeError('illegal request target');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const field = `${headers[i]}: ${headers[i + 1]}`;
    if (ILLEGAL_IN_FIELD.test(field)) throw new TypeError('illegal header field');
    head += `${field}\r\n`;
  }
  return isChunked ? `${head}Transfer-Encoding: chunked\r\n\r\n` : `${head}\r\n`;
}

/** The declared Content-Length, or -1. */
export function declaredLength(headers: readonly string[]): number {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(headers[i + 1]);
  }
  return -1;
}

export type BodyFailure = 'body_too_large' | 'body_failed';

/** Streams a request body into a connection, at the pace of the slower side, and never more than was declared. */
export class BodySender {
  isSent = false;
  readonly #socket: Socket;
  readonly #body: Readable;
  readonly #lengthBytes: number;
  readonly #bytesMax: number;
  readonly #onFailed: (kind: BodyFailure) => void;
  #sentBytes = 0;
  #isStopped = false;

  constructor(
    socket: Socket,
    request: UpstreamRequest & { readonly body: Readable },
    options: { readonly bytesMax: number; readonly onFailed: (kind: BodyFailure) => void },
  ) {
    this.#socket = socket;
    this.#body = request.body;
    this.#lengthBytes = declaredLength(request.headers);
    this.#bytesMax = options.bytesMax;
    this.#onFailed = options.onFailed;
    // Head and whatever of the body is here already leave in one packet.
    socket.cork();
    socket.write(encodeHead(request, this.#lengthBytes === -1), 'latin1');
    this.#body
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onError);
    this.#body.resume();
    process.nextTick(() => {
      socket.uncork();
      // A body that failed while its call waited tells nobody again.
      if (this.#body.destroyed && !this.#body.readableEnded) this.#onError();
    });
  }

  /** The connection takes bytes again. */
  resume(): void {
    if (!this.isSent) this.#body.resume();
  }

  stop(): void {
    this.#isStopped = true;
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onError);
    // The error listener stays: a body that fails after the call ended must not end the process.
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#sentBytes += chunk.length;
    if (this.#sentBytes > this.#bytesMax) {
      this.#fail('body_too_large');
      return;
    }
    if (this.#lengthBytes === -1) this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    else if (this.#sentBytes > this.#lengthBytes) {
      this.#fail('body_failed');
      return;
    }
    let hasRoom = this.#socket.write(chunk);
    if (this.#lengthBytes === -1) hasRoom = this.#socket.write('\r\n', 'latin1');
    if (!hasRoom) this.#body.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#lengthBytes === -1) this.#socket.write('0\r\n\r\n', 'latin1');
    else if (this.#sentBytes !== this.#lengthBytes) {
      this.#fail('body_failed');
      return;
    }
    this.isSent = true;
    this.stop();
  };

  readonly #onError = (): void => {
    if (!this.#isStopped) this.#fail('body_failed');
  };

  #fail(kind: BodyFailure): void {
    this.stop();
    this.#onFailed(kind);
  }
}
