import type { Clock } from '../kernel/clock.ts';
import { type PlatformError, toPlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { callErrors, resultOf, sealedErrors } from './call-errors.ts';
import type { Deployment } from './deployment.ts';
import type { UpstreamRequest } from './http1-request.ts';
import type { Instance } from './instance.ts';
import type { CallMetrics, CallResult } from './metrics.ts';
import type { Pool } from './pool.ts';
import type { Recorder } from './recorder.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { Exchange, ResponseHandler, UpstreamFailure } from './upstream.ts';

export interface Call {
  readonly deployment: Deployment;
  readonly caller: AccountId;
  /** Textual IPv4 or IPv6 address. */
  readonly originIp: string;
  /** When the request arrived, on the clock's monotonic scale. */
  readonly arrivedAt: number;
  readonly request: UpstreamRequest;
  /** The body is for the agent of a sealed instance, and so is the whole answer of what it opens. */
  readonly isSealed?: boolean;
  /** Whether it failed by another word than its answer's status. */
  readonly hasFailed?: () => boolean;
}

/** What the caller's side hears. Exactly one of `onEnd` and `onError` comes last; neither after `cancel()`. */
export interface CallHandler {
  /** `headers`: name, value, name, value as the function sent them. */
  onStart(status: number, reason: string, headers: string[]): void;
  /** False asks for a pause until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  /** After `onStart` it means that the answer is cut. */
  onError(error: PlatformError): void;
}

export interface RunningCall {
  resume(): void;
  /** The caller is gone. Idempotent. */
  cancel(): void;
}

/** The one way in which functions are called. The handler may hear its error before this returns. */
export type Invoke = (call: Call, handler: CallHandler) => RunningCall;

export interface InvokeOptions {
  readonly pool: Pick<Pool, 'acquire' | 'acquireSealed' | 'withdraw'>;
  readonly recorder: Pick<Recorder, 'admit' | 'add' | 'whenRoom'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly metrics: Pick<CallMetrics, 'callEnded'>;
}

/** The agent's trailer for a call that its function answered below 400; all that is told of a sealed answer. */
const SEALED_SUCCESS = 'ok: 1';

/** What the agent of a sealed instance says of a request that it did not open. */
function refusalOf(status: number): PlatformError {
  if (status === 422) return sealedErrors.unknownKey();
  if (status === 413) return sealedErrors.tooLarge();
  return status === 503 ? callErrors.overloaded() : sealedErrors.refused();
}

export function createInvoke(options: InvokeOptions): Invoke {
  const { recorder } = options;
  return (call, handler) => {
    try {
      recorder.admit(call.caller);
      recorder.admit(call.deployment.ownerId);
    } catch (thrown) {
      handler.onError(toPlatformError(thrown));
      return REFUSED;
    }
    return new Invocation(options, call, handler);
  };
}

/** A call that did not begin, of which nothing is recorded. */
const REFUSED: RunningCall = { resume: () => undefined, cancel: () => undefined };

/** One call from its arrival to its record. A class, because one is made for every call. */
class Invocation implements RunningCall, ResponseHandler {
  readonly #options: InvokeOptions;
  readonly #call: Call;
  readonly #handler: CallHandler;
  #timer: Timer;
  #instance: Instance | null = null;
  #exchange: Exchange | null = null;
  #status = 0;
  #isOver = false;
  #isRepeated = false;

  constructor(options: InvokeOptions, call: Call, handler: CallHandler) {
    this.#options = options;
    this.#call = call;
    this.#handler = handler;
    this.#timer = options.scheduler.after(call.deployment.timeoutMs, () => this.#onDeadline());
    options.recorder.whenRoom(() => this.#acquire());
  }

  resume(): void {
    this.#exchange?.resume();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#close(false, 'cancelled');
  }

  onInstance(instance: Instance): void {
    this.#instance = instance;
    try {
      this.#exchange = instance.send(this.#call.request, this);
    } catch {
      this.#leave();
      this.#endWith(callErrors.badRequest());
    }
  }

  onUnavailable(error: PlatformError): void {
    this.#endWith(error);
  }

  onResponseStart(status: number, reason: string, headers: string[]): void {
    this.#status = status;
    if (this.#isOpened()) this.#handler.onStart(status, reason, headers);
  }

  onResponseData(chunk: Buffer): boolean {
    return !this.#isOpened() || this.#handler.onData(chunk);
  }

  onResponseEnd(trailers: readonly string[]): void {
    const { isSealed, hasFailed } = this.#call;
    if (!this.#isOpened()) {
      this.#leave();
      this.#endWith(refusalOf(this.#status));
      return;
    }
    const isSuccess = this.#status < 400 && (isSealed !== true || trailers.includes(SEALED_SUCCESS));
    const isOk = isSuccess && hasFailed?.() !== true;
    this.#close(isOk, isOk ? 'ok' : 'function_error');
    if (this.#instance !== null) this.#instance.hasAnswered = true;
    this.#leave();
    this.#handler.onEnd();
  }

  /** Whether what comes is an answer, and not the agent's word that it could not open the request. */
  #isOpened(): boolean {
    return this.#call.isSealed !== true || this.#status === 200;
  }

  onResponseFailed(failure: UpstreamFailure): void {
    const instance = this.#instance;
    if (instance === null) return;
    if (failure === 'unreached') instance.isDraining = true;
    if (failure === 'unreached' && this.#call.request.body === null && !this.#isRepeated) {
      // The instance ended before it saw this call: another one takes it.
      this.#isRepeated = true;
      this.#leave();
      this.#acquire();
      return;
    }
    void instance.diagnose(failure).then((error) => {
      this.#leave();
      this.#endWith(error);
    });
  }

  #acquire(): void {
    if (this.#isOver) return;
    const { pool } = this.#options;
    const { deployment, caller, isSealed } = this.#call;
    if (isSealed === true) pool.acquireSealed(deployment, caller, this);
    else pool.acquire(deployment, caller, this);
  }

  /** The whole call is bounded, streamed answers included: after the head it means that the answer is cut. */
  #onDeadline(): void {
    const isWaiting = this.#instance === null;
    this.#letGo();
    this.#endWith(isWaiting ? callErrors.overloaded() : callErrors.timeout(this.#call.deployment.timeoutMs));
  }

  /** Stops waiting for, or using, an instance before the answer is complete. */
  #letGo(): void {
    const instance = this.#instance;
    const exchange = this.#exchange;
    this.#instance = null;
    this.#exchange = null;
    if (instance === null) this.#options.pool.withdraw(this.#call.deployment, this.#call.caller, this);
    else if (exchange === null) instance.release();
    else instance.abandon(exchange);
  }

  /** Gives the place back after the exchange is over. */
  #leave(): void {
    const instance = this.#instance;
    this.#instance = null;
    this.#exchange = null;
    instance?.release();
  }

  #endWith(error: PlatformError): void {
    if (this.#isOver) return;
    this.#close(false, resultOf(error));
    this.#handler.onError(error);
  }

  #close(ok: boolean, result: CallResult): void {
    this.#isOver = true;
    this.#timer.close();
    const { recorder, clock, metrics } = this.#options;
    const { deployment, caller, originIp, arrivedAt } = this.#call;
    const durationMs = clock.monotonicMs() - arrivedAt;
    recorder.add({
      accountId: caller,
      functionId: deployment.functionId,
      version: deployment.version,
      originIp,
      durationMs: Math.round(durationMs),
      ok,
    });
    metrics.callEnded(result, durationMs);
  }
}
