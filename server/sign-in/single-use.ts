import { hash, randomBytes } from 'node:crypto';
import { type Clock, type Moment, elapsedMs, momentOf } from '../kernel/clock.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import { Secret } from '../kernel/secret.ts';

export interface SingleUseOptions {
  readonly lifetimeMs: number;
  /** Beyond that the one unused for longest goes. */
  readonly entriesMax: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

interface Entry<T> {
  readonly value: T;
  readonly begun: Moment;
  readonly timer: Timer;
}

/** Values that a secret opens once and for a short time. They lie in RAM, under a hash of the secret. */
export class SingleUse<T> {
  readonly #options: SingleUseOptions;
  readonly #entries: LruMap<string, Entry<T>>;

  constructor(options: SingleUseOptions) {
    this.#options = options;
    this.#entries = new LruMap(options.entriesMax);
  }

  put(value: T): { secret: Secret; expiresAt: number } {
    const { lifetimeMs, clock, scheduler } = this.#options;
    const secret = randomBytes(32).toString('base64url');
    const digest = digestOf(secret);
    const begun = momentOf(clock);
    const timer = scheduler.after(lifetimeMs, () => void this.#entries.take(digest));
    this.#entries.set(digest, { value, begun, timer })?.timer.close();
    return { secret: new Secret(secret), expiresAt: begun.wallMs + lifetimeMs };
  }

  /** Undefined for whatever is not a live secret; afterwards it is one no more. */
  take(presented: string): T | undefined {
    const entry = this.#entries.take(digestOf(presented));
    entry?.timer.close();
    const { clock, lifetimeMs } = this.#options;
    return entry !== undefined && elapsedMs(clock, entry.begun) < lifetimeMs ? entry.value : undefined;
  }

  clear(): void {
    for (const [digest] of this.#entries.entries()) this.#entries.take(digest)?.timer.close();
  }
}

/** Looking up a hash needs no constant time: nobody can choose its bytes. */
function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64');
}
