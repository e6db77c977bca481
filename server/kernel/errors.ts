/**
 * The one error class of the platform. `code` is the stable name that documentation, the compatible
 * `errorId` and the problem type all use; `kind` is what the gateway turns into a status; `owner` says whose
 * fault it is, so that a 5xx never hides who has to act. `message` is shown to callers: it tells what
 * happened and what to do, and never carries content, secrets or stack traces.
 */
export type ErrorKind =
  | 'invalid_argument'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'conflict'
  | 'locked'
  | 'too_large'
  | 'unsupported_media'
  | 'unprocessable'
  | 'resource_exhausted'
  | 'cancelled'
  | 'deadline_exceeded'
  | 'bad_gateway'
  | 'unavailable'
  | 'unimplemented'
  | 'internal';

export type ErrorOwner = 'caller' | 'function' | 'provider' | 'platform';

/** One entry of a list of faults, addressed by JSON pointer. */
export interface Fault {
  readonly pointer: string;
  readonly message: string;
}

export interface ErrorOptions {
  readonly kind: ErrorKind;
  /** `area.what_went_wrong`, for example `functions.zip_slip`. */
  readonly code: string;
  readonly message: string;
  /** Defaults to `caller` for kinds a caller can fix and `platform` for the rest. */
  readonly owner?: ErrorOwner;
  readonly faults?: readonly Fault[];
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

const PLATFORM_KINDS: ReadonlySet<ErrorKind> = new Set(['internal', 'unavailable', 'unimplemented']);

export class PlatformError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly owner: ErrorOwner;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(options: ErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlatformError';
    this.kind = options.kind;
    this.code = options.code;
    this.owner = options.owner ?? (PLATFORM_KINDS.has(options.kind) ? 'platform' : 'caller');
    this.faults = options.faults ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/**
 * "Not there" and "not yours" are the same answer, built fresh each time so that no cause can tell them apart.
 */
export function notFound(what: string): PlatformError {
  return new PlatformError({
    kind: 'not_found',
    code: `${what.toLowerCase().replaceAll(' ', '_')}.not_found`,
    message: `There is no such ${what}. Check the name, and that it belongs to you or is published.`,
  });
}

/** Wraps anything thrown into a PlatformError; unknown errors show nothing of themselves to callers. */
export function toPlatformError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  return new PlatformError({
    kind: 'internal',
    code: 'platform.internal',
    message:
      'The platform failed to handle this request. It is not your fault; try again, and tell the operator if it stays.',
    cause: thrown,
  });
}

/** An error, what caused it, what caused that, and so on. */
export function causesOf(thrown: unknown): Error[] {
  const found: Error[] = [];
  for (let error = thrown; error instanceof Error && !found.includes(error); error = error.cause) {
    found.push(error);
  }
  return found;
}
