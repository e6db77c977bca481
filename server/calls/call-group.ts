import type { Clock } from '../kernel/clock.ts';
import { type PlatformError, notFound, toPlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { callErrors, exitError } from './call-errors.ts';
import type { JailExit } from '../sandbox/jail.ts';
import type { Deployment } from './deployment.ts';
import type { StartInstance } from './instance-starter.ts';
import type { Instance } from './instance.ts';
import type { CallLimits } from './limits.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import { LoadFailure } from './worker.ts';

/** Somebody who wants an instance. Hears exactly one of the two, possibly at once. */
export interface Acquirer {
  onInstance(instance: Instance): void;
  onUnavailable(error: PlatformError): void;
}

export interface CallGroupOptions {
  readonly deployment: Deployment;
  readonly caller: AccountId;
  readonly limits: CallLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly start: StartInstance;
  /** An instance has nothing to do. */
  readonly onIdle: () => void;
}

/** Deaths without an answer in a row, from which on starts are held back. */
const FAILURES_ALLOWED = 3;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 30_000;

/** All instances of one deployment for one calling account, and the calls that wait for them in order. */
export class CallGroup {
  readonly instances: Instance[] = [];
  readonly deployment: Deployment;
  readonly caller: AccountId;
  readonly #options: CallGroupOptions;
  #waiting: Acquirer[] = [];
  /** One at a time: the others of a burst would only fight it for the CPU. */
  #isStarting = false;
  #scaleTimer: Timer | undefined;
  #failures = 0;
  #blockedUntil = 0;
  #lastFailure: PlatformError | undefined;
  #isRetired = false;

  constructor(options: CallGroupOptions) {
    this.#options = options;
    this.deployment = options.deployment;
    this.caller = options.caller;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Holds nothing worth keeping. */
  get isEmpty(): boolean {
    return (
      this.instances.length + this.#waiting.length === 0 &&
      !this.#isStarting &&
      this.#options.clock.monotonicMs() >= this.#blockedUntil
    );
  }

  acquire(acquirer: Acquirer): void {
    const instance = this.#leastBusy();
    if (instance !== undefined) {
      instance.active++;
      acquirer.onInstance(instance);
      return;
    }
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      acquirer.onUnavailable(refusal);
      return;
    }
    this.#waiting.push(acquirer);
    this.#ensureProgress();
  }

  /** Takes back a wish that was not answered yet. */
  withdraw(acquirer: Acquirer): void {
    const at = this.#waiting.indexOf(acquirer);
    if (at !== -1) this.#waiting.splice(at, 1);
  }

  /** Waiting calls get `error`; running ones may finish within the drain time. Resolves when all are gone. */
  async retire(error: PlatformError = notFound('deployment')): Promise<void> {
    this.#isRetired = true;
    this.#scaleTimer?.close();
    this.#refuseAll(error);
    await Promise.all(this.instances.map((instance) => this.#drain(instance)));
  }

  async #drain(instance: Instance): Promise<void> {
    instance.isDraining = true;
    if (instance.active === 0) await instance.kill();
    const { scheduler, limits } = this.#options;
    const timer = scheduler.after(limits.drainMs, () => void instance.kill());
    await instance.exited;
    timer.close();
  }

  #leastBusy(): Instance | undefined {
    let best: Instance | undefined;
    for (const instance of this.instances) {
      if (instance.hasRoom && (best === undefined || instance.active < best.active)) best = instance;
    }
    return best;
  }

  #refusal(): PlatformError | undefined {
    if (this.#isRetired) return notFound('deployment');
    if (this.#waiting.length >= this.#options.limits.waitingPerKeyMax) return callErrors.overloaded();
    return this.instances.length === 0 ? this.#blocked() : undefined;
  }

  /** Why no instance may be started now. */
  #blocked(): PlatformError | undefined {
    const leftMs = this.#blockedUntil - this.#options.clock.monotonicMs();
    if (leftMs <= 0 || this.#lastFailure === undefined) return undefined;
    return callErrors.again(this.#lastFailure, Math.ceil(leftMs / 1000));
  }

  #startOne(): void {
    this.#isStarting = true;
    this.#options
      .start(this.deployment, this.caller, (instance) => this.#onReleased(instance))
      .then(
        (instance) => this.#onStarted(instance),
        (error: unknown) => this.#onStartFailed(error),
      );
  }

  #onStarted(instance: Instance): void {
    this.#isStarting = false;
    if (this.#isRetired) {
      void instance.kill();
      return;
    }
    this.instances.push(instance);
    void instance.exited.then((exit) => this.#onExited(instance, exit));
    while (instance.hasRoom) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      instance.active++;
      next.onInstance(instance);
    }
    this.#ensureProgress();
  }

  #onReleased(instance: Instance): void {
    if (instance.hasAnswered) this.#failures = 0;
    const next = instance.hasRoom ? this.#waiting.shift() : undefined;
    if (next !== undefined) {
      instance.active++;
      next.onInstance(instance);
    } else if (instance.active === 0) {
      if (instance.isDraining) void instance.kill();
      else this.#options.onIdle();
    }
    if (instance.isDraining) this.#ensureProgress();
  }

  #onExited(instance: Instance, exit: JailExit): void {
    instance.isDraining = true;
    const at = this.instances.indexOf(instance);
    if (at !== -1) this.instances.splice(at, 1);
    if (exit.reason !== 'killed' && !instance.hasAnswered) this.#noteFailure(exitError(exit));
    this.#ensureProgress();
  }

  #onStartFailed(thrown: unknown): void {
    this.#isStarting = false;
    const error = thrown instanceof LoadFailure ? this.#loadError(thrown) : toPlatformError(thrown);
    this.#noteFailure(error);
    if (this.instances.length === 0) this.#refuseAll(error);
  }

  #loadError(failure: LoadFailure): PlatformError {
    if (failure.exit?.reason === 'oom') return callErrors.outOfMemory();
    return callErrors.startFailed(this.caller === this.deployment.ownerId ? failure.detail : undefined);
  }

  #noteFailure(error: PlatformError): void {
    this.#lastFailure = error;
    this.#failures++;
    if (this.#failures < FAILURES_ALLOWED) return;
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (this.#failures - FAILURES_ALLOWED));
    this.#blockedUntil = this.#options.clock.monotonicMs() + backoffMs;
  }

  /** Calls wait and nothing is on its way to them: starts an instance, or says why not. */
  #ensureProgress(): void {
    if (this.#waiting.length === 0 || this.#isStarting) return;
    if (this.instances.some((instance) => !instance.isDraining)) {
      this.#armScaleOut();
      return;
    }
    const refusal = this.#blocked();
    if (refusal === undefined) this.#startOne();
    else this.#refuseAll(refusal);
  }

  #refuseAll(error: PlatformError): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const acquirer of refused) acquirer.onUnavailable(error);
  }

  /** A further instance, when calls still wait after the delay: short bursts pass on their own. */
  #armScaleOut(): void {
    const { limits, scheduler } = this.#options;
    if (this.#scaleTimer !== undefined || this.instances.length >= limits.instancesPerKeyMax) return;
    this.#scaleTimer = scheduler.after(limits.scaleOutAfterMs, () => {
      this.#scaleTimer = undefined;
      if (this.#waiting.length > 0 && !this.#isStarting && !this.#isRetired) this.#startOne();
    });
  }
}
