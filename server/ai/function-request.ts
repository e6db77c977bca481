import { Readable } from 'node:stream';
import type { UpstreamRequest } from '../calls/http1-request.ts';
import type { FunctionSpec, Json } from '../functions/spec.ts';

/** What the gateway would take of a client: its bound of a request's head leaves room for this. */
export const QUERY_BYTES_MAX = 8 * 1024;

type Arguments = { readonly [name: string]: Json };

/** `?name=value&…`, or nothing. */
export function queryOf({ queryParams }: FunctionSpec, args: Json): string {
  const given = args as Arguments;
  const query = new URLSearchParams();
  for (const { name } of queryParams) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof value === 'string') query.append(name, value);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** The request that a client with these arguments would send. `args` have passed the tool's check. */
export function requestOf(spec: FunctionSpec, args: Json): UpstreamRequest {
  const body = bodyOf(spec, args as Arguments);
  const headers = ['host', 'localhost', 'accept', '*/*'];
  if (body !== undefined)
    headers.push('content-type', body.type, 'content-length', String(body.bytes.byteLength));
  return {
    method: spec.requestType,
    path: `/${queryOf(spec, args)}`,
    headers,
    body: body === undefined ? null : Readable.from([body.bytes]),
  };
}

function bodyOf({ input }: FunctionSpec, args: Arguments): { type: string; bytes: Buffer } | undefined {
  if (input.type === 'JSON')
    return { type: 'application/json', bytes: Buffer.from(JSON.stringify(args['body'])) };
  if (input.type === 'NONE' || args['file'] === undefined) return undefined;
  const { base64 } = args['file'] as { readonly base64: string };
  return { type: 'application/octet-stream', bytes: Buffer.from(base64, 'base64') };
}
