import { PlatformError } from '../kernel/errors.ts';
import type { JailExit } from '../sandbox/jail.ts';
import type { CallResult } from './metrics.ts';

/** A function that could not be run is its author's matter (`owner: function`); the platform's limits are ours. */
export const callErrors = {
  crashed: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'calls.function_crashed',
      owner: 'function',
      message:
        'The function ended unexpectedly while it handled this call. Its author finds the cause in its console.',
    }),
  outOfMemory: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'calls.function_out_of_memory',
      owner: 'function',
      message:
        'The function used more memory than its size allows and was ended. Send less, or deploy a larger size.',
    }),
  /** `detail`: the function's own words, for its owner only. */
  startFailed: (detail: string | undefined) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'calls.function_start_failed',
      owner: 'function',
      message:
        detail === undefined || detail === ''
          ? 'The function could not be started. Its owner sees the reason when he calls it.'
          : `The function could not be started: ${detail}`,
    }),
  /** The last failure again, for calls that come before the next try. */
  again: ({ kind, code, owner, message }: PlatformError, retryAfterSeconds: number) =>
    new PlatformError({ kind, code, owner, message, retryAfterSeconds }),
  badResponse: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'calls.function_bad_response',
      owner: 'function',
      message: 'The function closed the connection without a complete HTTP answer.',
    }),
  timeout: (timeoutMs: number) =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'calls.function_timeout',
      owner: 'function',
      message: `The function's answer was not complete within ${timeoutMs} ms. Its author can raise the timeout in jellyspec.json.`,
    }),
  overloaded: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'calls.overloaded',
      message: 'Too many calls of this function are waiting. Try again in a moment.',
      retryAfterSeconds: 1,
    }),
  stopping: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'calls.stopping',
      message: 'The platform is stopping. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
  interrupted: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'calls.interrupted',
      message: 'The call was ended: the function was deleted, or the platform is stopping.',
      retryAfterSeconds: 1,
    }),
  workerUnavailable: (cause: unknown) =>
    new PlatformError({
      kind: 'unavailable',
      code: 'calls.worker_unavailable',
      message:
        'The platform could not start a worker for this runtime. Try again; tell the operator if it stays.',
      retryAfterSeconds: 5,
      cause,
    }),
  bodyTooLarge: (bytesMax: number) =>
    new PlatformError({
      kind: 'too_large',
      code: 'calls.body_too_large',
      message: `The request body is larger than ${bytesMax / 1_048_576} MiB. Send less, or send it in parts.`,
    }),
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'calls.cancelled',
      message: 'The request ended before its body was complete.',
    }),
  badRequest: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'calls.bad_request',
      message:
        'The request cannot be written as HTTP/1.1: illegal characters in method, path or header fields.',
    }),
};

/** Sealed calls that were not opened. Nothing in them tells why: a reason would help whoever probes a key. */
export const sealedErrors = {
  unknownKey: () =>
    new PlatformError({
      kind: 'unprocessable',
      code: 'calls.sealed_key_unknown',
      message:
        'The key of this sealed call is not known here, or no longer. Ask for the keys and seal again.',
    }),
  refused: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'calls.sealed_refused',
      message: 'The sealed call could not be opened.',
    }),
  tooLarge: () =>
    new PlatformError({
      kind: 'too_large',
      code: 'calls.sealed_too_large',
      message:
        'The sealed call is too large to be opened in one piece. Send it as message/ohttp-chunked-req.',
    }),
};

/** What the end of an instance means for the calls that it was handling. */
export function exitError(exit: JailExit): PlatformError {
  if (exit.reason === 'killed') return callErrors.interrupted();
  return exit.reason === 'oom' ? callErrors.outOfMemory() : callErrors.crashed();
}

const RESULTS: Readonly<Record<string, CallResult>> = {
  'calls.function_crashed': 'function_crashed',
  'calls.function_bad_response': 'function_crashed',
  'calls.function_out_of_memory': 'function_out_of_memory',
  'calls.function_start_failed': 'function_start_failed',
  'calls.function_timeout': 'function_timeout',
  'calls.overloaded': 'overloaded',
  'calls.stopping': 'overloaded',
  'calls.body_too_large': 'refused',
  'calls.bad_request': 'refused',
  'calls.sealed_key_unknown': 'refused',
  'calls.sealed_refused': 'refused',
  'calls.sealed_too_large': 'refused',
  'calls.cancelled': 'cancelled',
  'deployment.not_found': 'refused',
};

export function resultOf(error: PlatformError): CallResult {
  return RESULTS[error.code] ?? 'platform_error';
}
