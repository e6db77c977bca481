import { JellyFaaSError, failedAnswer, received } from './error.ts';
import type { CallOptions, ContentType, InvokeInput } from './functions.ts';
import { sendSealedCall } from './sealed-call.ts';
import type { Session } from './session.ts';

export interface Target {
  readonly url: string;
  readonly method: string;
}

/** One call; the answer as it came, whatever its status. A sealed one rejects for what did not come from the function. */
export function sendCall(
  session: Session,
  target: Target,
  { query, json, file, ...options }: InvokeInput & CallOptions,
): Promise<Response> {
  if (json !== undefined && file !== undefined) {
    throw new JellyFaaSError('A call has one body: give either json or file.', { errorId: 'sdk.two_bodies' });
  }
  const url = new URL(target.url);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) url.searchParams.append(name, String(one));
    }
  }
  const type = json !== undefined ? 'application/json' : typeOf(file);
  const body = json !== undefined ? JSON.stringify(json) : file;
  const request = {
    method: options.method ?? target.method,
    headers: { ...(type !== undefined && { 'content-type': type }), ...options.headers },
    ...(body !== undefined && { body }),
    signal: options.signal,
  };
  return options.sealed === true
    ? sendSealedCall(session, url, request)
    : session.sendWithToken(url.href, request);
}

function typeOf(file: InvokeInput['file']): string | undefined {
  if (file === undefined) return undefined;
  return (file instanceof Blob && file.type) || 'application/octet-stream';
}

/**
 * What an answer holds: the value of JSON, the text of `text/*`, else bytes; undefined when it is empty. A declared
 * FILE is always bytes. Rejects for statuses outside 200 to 299.
 */
export async function decodeAnswer(
  response: Response,
  { declared, signal }: { declared?: ContentType | undefined; signal?: AbortSignal | undefined },
): Promise<unknown> {
  if (!response.ok) throw await failedAnswer(response);
  const type = response.headers.get('content-type') ?? '';
  const bytes = new Uint8Array(await received(response.arrayBuffer(), signal));
  if (declared === 'FILE') return bytes;
  const isJson = declared === 'JSON' || /^application\/([\w.+-]+\+)?json\b/i.test(type);
  if (bytes.length === 0) return undefined;
  if (isJson) return parseJson(new TextDecoder().decode(bytes), response.status);
  return /^text\//i.test(type) ? new TextDecoder().decode(bytes) : bytes;
}

function parseJson(body: string, status: number): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new JellyFaaSError('The answer is not JSON.', { errorId: 'sdk.answer_not_json', status, body });
  }
}
