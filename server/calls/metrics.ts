import type { WorkerRuntime } from '../languages/language.ts';

/** How a call ended, as counted; never whose, which function or what. */
export type CallResult =
  | 'ok'
  | 'function_error'
  | 'function_crashed'
  | 'function_out_of_memory'
  | 'function_start_failed'
  | 'function_timeout'
  | 'overloaded'
  | 'cancelled'
  | 'refused'
  | 'platform_error';

/** Counts only. The gauges (live, waiting) are read from `Pool.status()` when somebody asks. */
export interface CallMetrics {
  callEnded(result: CallResult, durationMs: number): void;
  /** Booting a worker up to the claim. */
  workerBooted(runtime: WorkerRuntime, tookMs: number): void;
  /** From the claim of a worker to a function that answers. */
  instanceClaimed(runtime: WorkerRuntime, tookMs: number): void;
}

export const noMetrics: CallMetrics = {
  callEnded: () => undefined,
  workerBooted: () => undefined,
  instanceClaimed: () => undefined,
};
