import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Readable } from 'node:stream';
import { CliError } from './failure.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Until the answer begins; without it the request may take as long as it takes. */
  readonly timeoutMs?: number;
}

/**
 * One request whose answer streams. Built on node:http because fetch gives up on an answer that takes five
 * minutes to begin, and functions may take fifteen.
 */
export async function sendRequest(request: HttpRequest): Promise<IncomingMessage> {
  const { url, method = 'GET', headers = {}, body, signal, timeoutMs } = request;
  const send = url.startsWith('https:') ? requestTls : requestPlain;
  const length = body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : {};
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = send(
    url,
    { method, headers: { ...headers, ...length }, ...(signal && { signal }) },
    resolve,
  );
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
          timeoutMs,
        );
  outgoing.on('error', reject);
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
  // A server that refuses in the middle answers before it has read everything.
  else body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
  try {
    return await promise;
  } catch (error) {
    throw connectionFailure(error, new URL(url).origin);
  } finally {
    clearTimeout(timer);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'No server answers at URL. Start it with "npm start", or name another one with --url.',
  ENOTFOUND: 'There is no host of the name in URL. Check --url, JELLYFAAS_URL or the saved login.',
  EAI_AGAIN: 'The name in URL cannot be looked up just now. Check the network and --url.',
  ECONNRESET: 'The server at URL closed the connection. Try again; look at its output if it stays.',
  ETIMEDOUT: 'The server at URL did not answer in time. Try again; look at its output if it stays.',
};

export function connectionFailure(error: unknown, origin: string): CliError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = REASONS[code];
  const message =
    known ?? `The connection to URL failed (${code || 'unknown reason'}). Check --url and the network.`;
  return new CliError(message.replace('URL', origin), { code: 'cli.unreachable' });
}
