import { totalmem } from 'node:os';

/** Every bound of the call path in one place. */
export interface CallLimits {
  /** Memory that all live and pre-booted instances may be given together (their limits, not their use). */
  readonly poolMemoryMib: number;
  readonly instancesPerKeyMax: number;
  /** Calls that may wait for an instance, for each account and deployment. */
  readonly waitingPerKeyMax: number;
  /** A further instance starts when a call has waited this long. */
  readonly scaleOutAfterMs: number;
  readonly idleMs: number;
  /** How long running calls may go on after their deployment was retired or the server stops. */
  readonly drainMs: number;
  readonly prebootPerFlavour: number;
  readonly prebootTotal: number;
  readonly bootCpuPercent: number;
  /** From the start of a worker to `up`; platform code only. */
  readonly bootMs: number;
  /** From the claim to `ready`: the function's own loading time. */
  readonly loadMs: number;
  /** How long a cancelled request may go on holding its place before its instance counts as stuck. */
  readonly abandonMs: number;
  readonly requestBodyBytesMax: number;
  /** From the birth of a key for sealed calls to its end; its successor comes a twelfth earlier. */
  readonly sealedKeyLifeMs: number;
  readonly recordFlushMs: number;
  /** Rows that start a flush at once. */
  readonly recordFlushRows: number;
  /** Rows in memory at which calls begin to wait for the store. */
  readonly recordRowsMax: number;
}

/** Memory of a sealed instance's agent for what all requests hold until the function has them. */
export const SEALED_ROOM_BYTES = 64 * 1_048_576;

/** What a sealed request may have when what is in it may have `bytesMax`: room for its chunks and its header section. */
export function sealedBytesMax(bytesMax: number): number {
  return Math.min(bytesMax + Math.ceil(bytesMax / 64) + 131_072, SEALED_ROOM_BYTES);
}

export function defaultCallLimits(): CallLimits {
  return {
    poolMemoryMib: Math.floor((totalmem() / 1_048_576) * 0.6),
    instancesPerKeyMax: 4,
    waitingPerKeyMax: 1000,
    scaleOutAfterMs: 50,
    idleMs: 60_000,
    drainMs: 30_000,
    prebootPerFlavour: 2,
    prebootTotal: 6,
    bootCpuPercent: 200,
    bootMs: 30_000,
    loadMs: 20_000,
    abandonMs: 1000,
    requestBodyBytesMax: 32 * 1_048_576,
    sealedKeyLifeMs: 3_600_000,
    recordFlushMs: 100,
    recordFlushRows: 500,
    recordRowsMax: 100_000,
  };
}
