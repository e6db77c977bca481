import type { Clock } from '../kernel/clock.ts';

export interface KeptOptions<T> {
  readonly load: () => Promise<T>;
  readonly clock: Clock;
  /** After that it is read again. */
  readonly freshMs: number;
  /** At least so long between two attempts. */
  readonly coolDownMs: number;
}

/** Something of the provider's that is remembered, and goes on to be used while the provider is down. */
export class Kept<T> {
  readonly #options: KeptOptions<T>;
  #value: { readonly of: T; readonly at: number } | undefined;
  #triedAt = -Infinity;
  #pending: Promise<T> | undefined;
  #failure: unknown;

  constructor(options: KeptOptions<T>) {
    this.#options = options;
  }

  /** Rejects as loading did when there is nothing to go on with. */
  async get(): Promise<T> {
    const { clock, freshMs } = this.#options;
    const isFresh = this.#value !== undefined && clock.monotonicMs() - this.#value.at < freshMs;
    return isFresh && this.#value !== undefined ? this.#value.of : await this.renew();
  }

  /** Reads it again, unless that was tried a moment ago. */
  async renew(): Promise<T> {
    const { clock, coolDownMs } = this.#options;
    if (this.#pending !== undefined) return await this.#pending;
    if (clock.monotonicMs() - this.#triedAt >= coolDownMs) {
      this.#triedAt = clock.monotonicMs();
      this.#pending = this.#load().finally(() => (this.#pending = undefined));
      return await this.#pending;
    }
    if (this.#value === undefined) throw this.#failure;
    return this.#value.of;
  }

  async #load(): Promise<T> {
    try {
      const value = await this.#options.load();
      this.#value = { of: value, at: this.#options.clock.monotonicMs() };
      return value;
    } catch (thrown) {
      this.#failure = thrown;
      if (this.#value === undefined) throw thrown;
      return this.#value.of;
    }
  }
}
