/** Time is a port so that tests can move it; nothing else in the server reads the clock directly. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds with sub-millisecond fraction; only differences mean anything. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** One moment by both clocks. */
export interface Moment {
  readonly wallMs: number;
  readonly steadyMs: number;
}

export function momentOf(clock: Clock): Moment {
  return { wallMs: clock.now(), steadyMs: clock.monotonicMs() };
}

/** Milliseconds by the clock that says more: one that is put back prolongs nothing, and sleep of the machine counts. */
export function elapsedMs(clock: Clock, since: Moment): number {
  return Math.max(clock.now() - since.wallMs, clock.monotonicMs() - since.steadyMs);
}

/**
 * The time for what destroys by age, to be asked at each look: a step forwards counts from the second look that finds it, so
 * that a clock that is wrong for a moment costs nothing. A step backwards counts at once.
 */
export function createCautiousTime(clock: Clock): () => number {
  let last: Moment | undefined;
  return () => {
    const seen = momentOf(clock);
    const expectedMs = last === undefined ? seen.wallMs : last.wallMs + seen.steadyMs - last.steadyMs;
    last = seen;
    return Math.min(seen.wallMs, expectedMs);
  };
}

/** RFC 3339 UTC in whole seconds, the only time form that all public clients decode. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `2026-11-23`, the name of a UTC day partition. */
export function utcDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
