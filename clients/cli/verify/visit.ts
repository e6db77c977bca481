import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { CliError } from '../failure.ts';
import { sendRequest } from '../http.ts';

/** One answer as it came, whatever its status. */
export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Visit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly form?: FormData;
}

/** Sends requests of one visitor: `credential` goes along with each. */
export interface Visitor {
  (path: string, visit?: Visit): Promise<Seen>;
}

const TIMEOUT_MS = 120_000;

export function visitorOf(url: string, credential: Readonly<Record<string, string>>): Visitor {
  return async (path, { method, headers = {}, json, form } = {}) => {
    const body = await bodyOf(json, form);
    const answer = await sendRequest({
      url: `${url}${path}`,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { accept: 'application/json', ...credential, ...body?.headers, ...headers },
      ...(body && { body: body.bytes }),
      timeoutMs: TIMEOUT_MS,
    });
    const bytes = await buffer(answer);
    return { status: answer.statusCode ?? 0, headers: answer.headers, bytes, text: bytes.toString('utf8') };
  };
}

async function bodyOf(
  json: unknown,
  form: FormData | undefined,
): Promise<{ bytes: Uint8Array; headers: Record<string, string> } | undefined> {
  if (form !== undefined) {
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    return { bytes: new Uint8Array(await encoded.arrayBuffer()), headers: { 'content-type': type } };
  }
  if (json === undefined) return undefined;
  return { bytes: Buffer.from(JSON.stringify(json)), headers: { 'content-type': 'application/json' } };
}

/** The JSON of an answer; throws a CliError with the path and status where it is another one than `expected`. */
export function expectJson<T>({ status, text }: Seen, path: string, expected = 200): T {
  if (status !== expected) throw unexpected(`${path} answered ${status} instead of ${expected}`);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw unexpected(`${path} answered something other than JSON`);
  }
}

function unexpected(seen: string): CliError {
  return new CliError(`${seen}. Check that --url is a JellyFaaS server of the version of this command.`, {
    code: 'cli.unexpected_answer',
  });
}
