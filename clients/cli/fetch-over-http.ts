import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { sendRequest } from './http.ts';

/** Statuses with which `Response` takes no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/** `fetch` as far as the SDK needs it, which waits for an answer as long as it takes and follows no redirect. */
export async function fetchOverHttp(url: string, init: RequestInit): Promise<Response> {
  const { method = 'GET', body, signal } = init;
  const answer = await sendRequest({
    url,
    method,
    headers: { ...(init.headers as Record<string, string>) },
    ...(body instanceof Uint8Array && { body }),
    ...(signal && { signal }),
  });
  return responseOf(answer);
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 502;
  const headers = pairsOf(answer.headers);
  if (!WITHOUT_BODY.has(status)) {
    return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers });
  }
  answer.resume();
  return new Response(null, { status, headers });
}

function pairsOf(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
}
