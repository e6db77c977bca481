import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Bytes, Field, RequestHead } from '../../clients/sdk/src/sealed/index.ts';
import { requestHeaders, responseHeaders } from '../../server/gateway/data/headers.ts';
import { METHODS } from '../../server/gateway/data/methods.ts';

export interface FunctionAnswer {
  readonly status: number;
  readonly headers: readonly Field[];
  /** Throws when the function breaks off. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Passes a request on to the function; rejects when that breaks off, and with a RangeError for what is no function call. */
export type Forward = (
  request: RequestHead,
  content: readonly Bytes[],
  passing: Passing,
) => Promise<FunctionAnswer>;

export interface Passing {
  readonly signal: AbortSignal;
  /** Of a desk, from the gateway and never from the sealed request; its header reaches no function. */
  readonly pass: string | string[] | undefined;
}

const HEADER_BYTES_MAX = 65_536;
/** Of binary HTTP: with another one the caller would take an authentic answer for a changed one. */
const STATUS_MAX = 599;

export function createForward(socketPath: string): Forward {
  return async (request, content, { signal, pass }) => {
    const { method, path } = request;
    const headers = headersOf(request, content);
    if (typeof pass === 'string') headers?.push('jfwt', pass);
    if (headers === undefined || !METHODS.has(method) || !path.startsWith('/')) throw new RangeError();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = httpRequest(
      { socketPath, method, path, headers, agent: false, signal, maxHeaderSize: HEADER_BYTES_MAX },
      resolve,
    );
    outgoing.once('error', reject);
    for (const piece of content) outgoing.write(piece);
    outgoing.end();
    const incoming = await promise;
    const { statusCode: status = 0 } = incoming;
    if (status > STATUS_MAX) {
      outgoing.destroy();
      throw new Error('the status cannot be sealed');
    }
    return {
      status,
      headers: fieldsOf(responseHeaders(incoming.rawHeaders, false)),
      content: incoming as AsyncIterable<Uint8Array>,
    };
  };
}

/** What crosses the gateway in a plain call; undefined for a request that two servers may read as two different ones. */
function headersOf({ headers, authority }: RequestHead, content: readonly Bytes[]): string[] | undefined {
  const length = content.reduce((bytes, piece) => bytes + piece.length, 0);
  const declares = headers.some(([name]) => name === 'content-length');
  const given = headers.filter(([name]) => name !== 'content-length').flat();
  const host = headers.some(([name]) => name === 'host') ? [] : ['host', authority || 'function'];
  const framing = length > 0 || declares ? ['content-length', String(length)] : [];
  return requestHeaders([...host, ...given, ...framing], false);
}

function fieldsOf(raw: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return fields;
}
