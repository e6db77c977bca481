import type { Clock } from '../kernel/clock.ts';
import type { PlatformError } from '../kernel/errors.ts';
import type { JailExit } from '../sandbox/jail.ts';
import { callErrors, exitError } from './call-errors.ts';
import type { SealedKeys } from './guest-channel.ts';
import type { UpstreamRequest } from './http1-request.ts';
import { type CallLimits, sealedBytesMax } from './limits.ts';
import { type Scheduler, within } from '../kernel/scheduler.ts';
import { type Exchange, type ResponseHandler, Upstream, type UpstreamFailure } from './upstream.ts';
import { type Worker, memoryMibOf } from './worker.ts';

/** How long the reason of an exit may lag behind the end of the connections. */
const EXIT_WAIT_MS = 1000;

export interface InstanceOptions {
  readonly worker: Worker;
  readonly limits: CallLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** A place became free. */
  readonly onReleased: (instance: Instance) => void;
}

/** One running function of one caller: a claimed worker, its connections, and how many calls it has in hand. */
export class Instance {
  readonly memoryMib: number;
  readonly exited: Promise<JailExit>;
  /** Calls in hand, abandoned ones included until the function let go of them. */
  active = 0;
  /** Takes no new calls; ends when it has none left. */
  isDraining = false;
  hasAnswered = false;
  idleSince: number;
  /** Calls given up that the function has not let go of yet: until it does, it may hang altogether. */
  #unsettled = 0;
  readonly #options: InstanceOptions;
  readonly #upstream: Upstream;

  constructor(options: InstanceOptions) {
    const { worker, limits, clock, scheduler } = options;
    this.#options = options;
    this.memoryMib = memoryMibOf(worker.flavour, worker.plan);
    this.exited = worker.process.exited;
    this.idleSince = clock.monotonicMs();
    this.#upstream = new Upstream({
      socketPath: worker.socketPath,
      clock,
      scheduler,
      abandonMs: limits.abandonMs,
      requestBodyBytesMax: worker.flavour.isSealed
        ? sealedBytesMax(limits.requestBodyBytesMax)
        : limits.requestBodyBytesMax,
    });
  }

  get hasRoom(): boolean {
    return !this.isDraining && this.#unsettled === 0 && this.active < this.#options.worker.plan.concurrency;
  }

  get isIdle(): boolean {
    return this.active === 0 && !this.isDraining;
  }

  send(request: UpstreamRequest, handler: ResponseHandler): Exchange {
    return this.#upstream.send(request, handler);
  }

  /** Of an instance that opens sealed calls. Whoever asks is about to call, so it counts as use. */
  sealedKeys(): Promise<SealedKeys> {
    this.idleSince = this.#options.clock.monotonicMs();
    return this.#options.worker.sealedKeys();
  }

  /** The call that had the place is over. */
  release(): void {
    this.active--;
    this.idleSince = this.#options.clock.monotonicMs();
    this.#options.onReleased(this);
  }

  /** Gives a call up. The instance takes new ones once the function let go of it, or never if it does not. */
  abandon(exchange: Exchange): void {
    this.#unsettled++;
    exchange.abandon((isStuck) => {
      this.#unsettled--;
      if (isStuck) this.isDraining = true;
      this.release();
    });
  }

  /** Whose fault a failed exchange was, and what to tell the caller. */
  async diagnose(failure: UpstreamFailure): Promise<PlatformError> {
    if (failure === 'protocol') return callErrors.badResponse();
    if (failure === 'body_too_large')
      return callErrors.bodyTooLarge(this.#options.limits.requestBodyBytesMax);
    if (failure === 'body_failed') return callErrors.cancelled();
    const exit = await within(this.#options.scheduler, EXIT_WAIT_MS, this.exited);
    return exit === undefined ? callErrors.badResponse() : exitError(exit);
  }

  async kill(): Promise<void> {
    this.isDraining = true;
    await this.#options.worker.process.kill();
  }
}
