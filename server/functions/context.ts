import type { CallStatistics } from '../calls/call-record.ts';
import type { Deployment } from '../calls/deployment.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Restriction } from '../rights/restriction.ts';
import type { Serial } from '../kernel/serial.ts';
import type { Language, RuntimeId } from '../languages/language.ts';
import type { Blobs } from './blobs.ts';
import type { BuildLog } from './build-log.ts';
import type { BuildQueue } from './build-queue.ts';
import type { LiveDirectory } from './directory.ts';
import type { FunctionStore } from './function-store.ts';

/** What the composition gives to the control plane of functions. */
export interface FunctionsPorts {
  readonly store: FunctionStore;
  readonly keyRing: KeyRing;
  /** Holds the sealed uploads and the sealed code; made when missing. */
  readonly blobsDir: string;
  /** The language that serves a runtime, whether or not this machine has the runtime. */
  readonly languages: (runtime: RuntimeId) => Language | undefined;
  readonly clock: Clock;
  readonly events: EventLog;
  /** Totals of a function's calls, by version. */
  readonly statistics: (functionId: FunctionId) => Promise<ReadonlyMap<number, CallStatistics>>;
  readonly accountName: (accountId: AccountId) => Promise<string>;
  /**
   * Starts one instance of a version that is about to go live, from the sealed code that calls will use, and
   * ends it. Rejects with a BuildFailure that tells why the function cannot be loaded.
   */
  readonly smokeTest: (deployment: Deployment, signal: AbortSignal) => Promise<void>;
  /** Whose builds rest. */
  readonly restriction?: Pick<Restriction, 'isRestricted'>;
  /** Told of every build's end, for counting. */
  readonly buildEnded?: (ok: boolean, tookMs: number) => void;
  /** Builds that run at the same time. Default: one for each CPU, two at most. */
  readonly buildConcurrency?: number;
  /** Default: ten minutes. */
  readonly buildDeadlineMs?: number;
}

/** What the use cases share. */
export interface FunctionsContext extends FunctionsPorts {
  readonly buildDeadlineMs: number;
  readonly blobs: Blobs;
  readonly directory: LiveDirectory;
  readonly queue: BuildQueue;
  /** Builds that wait or run. */
  readonly logs: Map<string, { readonly accountId: AccountId; readonly log: BuildLog }>;
  /** Uploads are unpacked and stored one after another: each may take hundreds of MiB meanwhile. */
  readonly uploadInTurn: Serial;
  /** What is live changes one step at a time, so that store and directory never tell different stories. */
  readonly changeInTurn: Serial;
}
