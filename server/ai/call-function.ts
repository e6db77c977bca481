import type { Deployment } from '../calls/deployment.ts';
import type { Invoke } from '../calls/invoke.ts';
import type { FunctionSpec, Json } from '../functions/spec.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PlatformError } from '../kernel/errors.ts';
import type { ToolCaller, ToolResult } from './function-tool.ts';
import { requestOf } from './function-request.ts';

export interface CallFunctionOptions {
  readonly invoke: Invoke;
  readonly clock: Clock;
}

export interface FunctionCall {
  readonly deployment: Deployment;
  readonly spec: FunctionSpec;
  /** Have passed the tool's check. */
  readonly args: Json;
  readonly caller: ToolCaller;
}

/**
 * One call on the way that direct calls take, which leaves its record. A failure of the function is a result;
 * rejects only with the signal's reason, when the caller has gone.
 */
export function callFunction(
  { invoke, clock }: CallFunctionOptions,
  { deployment, spec, args, caller: { principal, originIp, signal, resultBytesMax } }: FunctionCall,
): Promise<ToolResult> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  const { promise, resolve, reject } = Promise.withResolvers<ToolResult>();
  const chunks: Buffer[] = [];
  let head = { status: 0, contentType: '' };
  let room = resultBytesMax;
  let truncated = false;

  const call = invoke(
    {
      deployment,
      caller: principal.accountId,
      originIp,
      arrivedAt: clock.monotonicMs(),
      request: requestOf(spec, args),
    },
    {
      onStart: (status, _reason, headers) => {
        head = { status, contentType: contentTypeOf(headers) };
      },
      // Read to its end even if it is not kept: a call that is cut would count as failed.
      onData: (chunk) => {
        truncated ||= chunk.length > room;
        if (room > 0) chunks.push(chunk.subarray(0, room));
        room -= Math.min(room, chunk.length);
        return true;
      },
      onEnd: () => resolve({ ok: head.status < 400, ...head, bytes: Buffer.concat(chunks), truncated }),
      onError: (error) => resolve(unanswered(error)),
    },
  );
  const cancel = (): void => {
    call.cancel();
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', cancel, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', cancel));
}

/** The result of a call that no function answered. */
export function unanswered({ message }: PlatformError): ToolResult {
  const contentType = 'text/plain; charset=utf-8';
  return { ok: false, status: null, contentType, bytes: Buffer.from(message), truncated: false };
}

function contentTypeOf(headers: readonly string[]): string {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]?.toLowerCase() === 'content-type') return headers[i + 1] ?? '';
  return '';
}
