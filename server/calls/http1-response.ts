/**
 * A strict, incremental HTTP/1.1 response parser for answers of functions. The bytes are hostile: whatever could
 * be read in two ways (bare line feeds, folded lines, two lengths, a length beside chunks) is a protocol error.
 * Written by hand because a general client costs about 1.4 times the CPU and does not keep headers as they came.
 */
export interface ResponseSink {
  /** Not called for interim (1xx) answers. `headers`: name, value, name, value, in the bytes and order received. */
  onHead(status: number, reason: string, headers: string[]): void;
  onBody(chunk: Buffer): void;
}

export class ResponseProtocolError extends Error {
  override readonly name = 'ResponseProtocolError';
}

const HEAD_BYTES_MAX = 32_768;
const LINE_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 16_384;

/** Anything but visible characters, blanks, tabs and whole CRLF pairs. */
const ILLEGAL_IN_HEAD = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
const STATUS_LINE = /HTTP\/1\.([01]) ([1-9]\d\d)(?: ([^\r]*))?\r\n/y;
const FIELD = /([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r]*)\r\n/y;
const CHUNK_SIZE = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i;

type State = 'head' | 'length' | 'close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

export class ResponseParser {
  /** Whether the connection may carry another request after this answer. */
  reusable = false;
  /** Lines after the last chunk of a complete answer, as they came. */
  trailers: string[] = [];
  #sink: ResponseSink;
  #state: State = 'done';
  #bodiless = false;
  #left = 0;
  #trailerBytes = 0;
  #held: Buffer | null = null;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Makes ready for one answer. `bodiless`: it answers a HEAD request. */
  expect(bodiless: boolean): void {
    this.#state = 'head';
    this.#bodiless = bodiless;
    this.#held = null;
    this.#trailerBytes = 0;
    this.trailers = [];
    this.reusable = false;
  }

  /** True when the answer is complete. Throws `ResponseProtocolError`. */
  push(received: Buffer): boolean {
    const chunk = this.#held === null ? received : Buffer.concat([this.#held, received]);
    this.#held = null;
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'done') {
        this.reusable = false;
        return true;
      }
      const next = this.#step(chunk, at);
      if (next === -1) {
        this.#held = at === 0 ? chunk : chunk.subarray(at);
        return false;
      }
      at = next;
    }
    return this.#state === 'done';
  }

  /** The connection ended. True when that is where the answer ends. */
  finish(): boolean {
    return this.#state === 'close' || this.#state === 'done';
  }

  /** Consumes from `at`; returns the next position, or -1 when more bytes are needed. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#stepHead(chunk, at);
      case 'length':
      case 'chunk-data':
        return this.#stepCounted(chunk, at);
      case 'chunk-size':
        return this.#stepChunkSize(chunk, at);
      case 'chunk-end':
        return this.#stepChunkEnd(chunk, at);
      case 'trailers':
        return this.#stepTrailer(chunk, at);
      case 'close':
        this.#sink.onBody(at === 0 ? chunk : chunk.subarray(at));
        return chunk.length;
      case 'done':
        return chunk.length;
    }
  }

  #stepHead(chunk: Buffer, at: number): number {
    const end = chunk.indexOf('\r\n\r\n', at, 'latin1');
    if ((end === -1 ? chunk.length : end) - at > HEAD_BYTES_MAX)
      throw new ResponseProtocolError('head too long');
    if (end === -1) return -1;
    this.#readHead(chunk.toString('latin1', at, end + 2));
    return end + 4;
  }

  #readHead(head: string): void {
    if (ILLEGAL_IN_HEAD.test(head)) throw new ResponseProtocolError('illegal character');
    STATUS_LINE.lastIndex = 0;
    const line = STATUS_LINE.exec(head);
    if (line === null) throw new ResponseProtocolError('status line');
    const status = Number(line[2]);
    if (status === 101) throw new ResponseProtocolError('upgrade');
    const fields = new HeadFields(line[1] === '1');
    let at = STATUS_LINE.lastIndex;
    while (at < head.length) {
      FIELD.lastIndex = at;
      const field = FIELD.exec(head);
      if (field === null) throw new ResponseProtocolError('header field');
      fields.add(field[1] ?? '', (field[2] ?? '').trimEnd());
      at = FIELD.lastIndex;
    }
    if (status < 200) return;
    this.#frame(status, fields);
    this.#sink.onHead(status, line[3] ?? '', fields.headers);
  }

  /** RFC 9112 section 6.3, refusing what it merely advises against. */
  #frame(status: number, fields: HeadFields): void {
    this.reusable = fields.keepAlive;
    if (fields.transferEncoding !== null && fields.contentLength !== -1) {
      throw new ResponseProtocolError('length beside transfer coding');
    }
    if (this.#bodiless || status === 204 || status === 304) {
      this.#state = 'done';
    } else if (fields.transferEncoding !== null) {
      if (fields.transferEncoding.toLowerCase() !== 'chunked')
        throw new ResponseProtocolError('transfer coding');
      this.#state = 'chunk-size';
    } else if (fields.contentLength !== -1) {
      this.#left = fields.contentLength;
      this.#state = this.#left === 0 ? 'done' : 'length';
    } else {
      this.reusable = false;
      this.#state = 'close';
    }
  }

  #stepCounted(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
    this.#sink.onBody(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    return end;
  }

  #stepChunkSize(chunk: Buffer, at: number): number {
    const end = lineEnd(chunk, at);
    if (end === -1) return -1;
    const size = CHUNK_SIZE.exec(chunk.toString('latin1', at, end));
    if (size === null) throw new ResponseProtocolError('chunk size');
    this.#left = Number.parseInt(size[1] ?? '', 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    return end + 2;
  }

  #stepChunkEnd(chunk: Buffer, at: number): number {
    if (chunk.length - at < 2) return -1;
    if (chunk[at] !== 13 || chunk[at + 1] !== 10) throw new ResponseProtocolError('chunk end');
    this.#state = 'chunk-size';
    return at + 2;
  }

  /** Kept for the answers of our own agents; those of functions go no further. */
  #stepTrailer(chunk: Buffer, at: number): number {
    const end = lineEnd(chunk, at);
    if (end === -1) return -1;
    this.#trailerBytes += end - at;
    if (this.#trailerBytes > TRAILER_BYTES_MAX) throw new ResponseProtocolError('trailers too long');
    if (end === at) this.#state = 'done';
    else this.trailers.push(chunk.toString('latin1', at, end));
    return end + 2;
  }
}

function lineEnd(chunk: Buffer, at: number): number {
  const end = chunk.indexOf('\r\n', at, 'latin1');
  if ((end === -1 ? chunk.length : end) - at > LINE_BYTES_MAX)
    throw new ResponseProtocolError('line too long');
  return end;
}

/** Collects the fields of a head and what they say about framing. */
class HeadFields {
  readonly headers: string[] = [];
  contentLength = -1;
  transferEncoding: string | null = null;
  keepAlive: boolean;

  constructor(isHttp11: boolean) {
    this.keepAlive = isHttp11;
  }

  add(name: string, value: string): void {
    this.headers.push(name, value);
    if (name.length === 14 && name.toLowerCase() === 'content-length') this.#addLength(value);
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (this.transferEncoding !== null) throw new ResponseProtocolError('two transfer codings');
      this.transferEncoding = value;
    } else if (name.length === 10 && name.toLowerCase() === 'connection' && /\bclose\b/i.test(value)) {
      this.keepAlive = false;
    }
  }

  #addLength(value: string): void {
    if (this.contentLength !== -1 || !/^\d{1,15}$/.test(value))
      throw new ResponseProtocolError('content length');
    this.contentLength = Number(value);
  }
}
