import type { ServerResponse } from 'node:http';
import type { CompatibleError, Problem } from '../../contract/index.ts';
import { type ErrorKind, type PlatformError, toPlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** The only place that knows what a kind of error is in HTTP. */
const STATUS: Record<ErrorKind, { readonly status: number; readonly title: string }> = {
  invalid_argument: { status: 400, title: 'Invalid request' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  permission_denied: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  already_exists: { status: 409, title: 'Already exists' },
  failed_precondition: { status: 409, title: 'Not possible in the present state' },
  conflict: { status: 409, title: 'Conflict' },
  locked: { status: 423, title: 'Restricted' },
  too_large: { status: 413, title: 'Too large' },
  unsupported_media: { status: 415, title: 'Unsupported media type' },
  unprocessable: { status: 422, title: 'Cannot be processed' },
  resource_exhausted: { status: 429, title: 'Too many requests' },
  cancelled: { status: 499, title: 'Cancelled by the client' },
  internal: { status: 500, title: 'Internal error' },
  unimplemented: { status: 501, title: 'Not implemented' },
  bad_gateway: { status: 502, title: 'Bad gateway' },
  unavailable: { status: 503, title: 'Unavailable' },
  deadline_exceeded: { status: 504, title: 'Deadline exceeded' },
};

/** `compatible`: `{errorId, errorMessage}`; `problem`: RFC 9457. Both carry the same code. */
export type ErrorFormat = 'compatible' | 'problem';

export interface RenderedError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: CompatibleError | Problem;
}

export function renderError(thrown: unknown, format: ErrorFormat): RenderedError {
  const error = toPlatformError(thrown);
  const { status } = STATUS[error.kind];
  const headers = {
    ...(error.retryAfterSeconds !== undefined && { 'retry-after': String(error.retryAfterSeconds) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  };
  if (format === 'problem') {
    const type = 'application/problem+json; charset=utf-8';
    return { status, headers: { ...headers, 'content-type': type }, body: problemOf(error) };
  }
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: { errorId: error.code, errorMessage: messageWithFaults(error) },
  };
}

/** Problems that a standard names, by our code. */
const REGISTERED_TYPES: Readonly<Record<string, string>> = {
  'calls.sealed_key_unknown': 'https://iana.org/assignments/http-problem-types#ohttp-key',
};

function problemOf(error: PlatformError): Problem {
  const { status, title } = STATUS[error.kind];
  return {
    type: REGISTERED_TYPES[error.code] ?? `urn:jellyfaas:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    owner: error.owner,
    ...(error.faults.length > 0 && { errors: error.faults.map((fault) => ({ ...fault })) }),
    ...(error.retryAfterSeconds !== undefined && { retryAfter: error.retryAfterSeconds }),
  };
}

/** The compatible shape has no list of faults, so they follow the message. */
function messageWithFaults(error: PlatformError): string {
  if (error.faults.length === 0) return error.message;
  const faults = error.faults.map(({ pointer, message }) => `${pointer === '' ? '/' : pointer}: ${message}`);
  return `${error.message} ${faults.join('; ')}`;
}

/** Sends an error on a bare response; one that has begun to answer is cut, so that nobody takes it as complete. */
export function writeError(res: ServerResponse, thrown: unknown, format: ErrorFormat = 'compatible'): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, headers, body } = renderError(thrown, format);
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    ...SECURITY_HEADERS,
    ...headers,
    'content-length': bytes.byteLength,
  });
  res.end(bytes);
}

/** Logs failures that the operator has to act on; what callers did wrong is theirs alone. */
export function reportFailure(events: EventLog, thrown: unknown, area: string): void {
  const error = toPlatformError(thrown);
  if (error.owner !== 'platform') return;
  events.emit('request.failed', { code: systemCode(error.cause) ?? error.code, area });
}

/** `ENOSPC`, `SQLITE_FULL`, …: constants of the system's libraries, which say what to repair. */
function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return undefined;
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(cause.code) ? cause.code : undefined;
}
