import type { Clock } from '../kernel/clock.ts';
import type { DeploymentId, LayerId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { WorkerPlan, WorkerRequest, WorkerRuntime, Workers } from '../languages/language.ts';
import type { Jail, JailExit, JailSpec, JailedProcess } from '../sandbox/jail.ts';
import { callErrors } from './call-errors.ts';
import { type Deployment, SIZES, type SizeCode } from './deployment.ts';
import {
  type GuestChannel,
  type GuestMessage,
  type SealedClaim,
  type SealedKeys,
  openGuestChannel,
} from './guest-channel.ts';
import { type CallLimits, SEALED_ROOM_BYTES, sealedBytesMax } from './limits.ts';
import type { CallMetrics } from './metrics.ts';
import { type Scheduler, within } from '../kernel/scheduler.ts';

/** Everything that has to be settled before a worker starts; nothing in it names an account or a function. */
export interface Flavour {
  readonly key: string;
  readonly runtime: WorkerRuntime;
  readonly layer: LayerId | null;
  readonly size: SizeCode;
  /** The way out is a property of the jail, so a worker with another one cannot serve. */
  readonly egress: readonly string[];
  /** An agent that opens sealed calls comes before the worker. */
  readonly isSealed: boolean;
}

export function flavourOf({ runtime, layer, size, egress }: Deployment, isSealed = false): Flavour {
  const key = [runtime, layer ?? '', size, ...egress].join(' ');
  return { key, runtime, layer, size, egress, isSealed };
}

export function workerRequestOf({ runtime, layer, size, isSealed }: Flavour): WorkerRequest<WorkerRuntime> {
  return { runtime, layer, memoryMib: SIZES[size].memoryMib, isSealed };
}

/** What the jail of this flavour is allowed, and so what the pool reserves for it. */
export function memoryMibOf(flavour: Flavour, plan: WorkerPlan): number {
  return Math.max(SIZES[flavour.size].memoryMib, plan.memoryMibMin) + (plan.agent?.memoryMib ?? 0);
}

/** The function's own loading failed; `detail` are its words, for its owner only. */
export class LoadFailure extends Error {
  override readonly name = 'LoadFailure';
  readonly detail: string;
  readonly exit: JailExit | undefined;

  constructor(detail: string, exit?: JailExit) {
    super('the function could not be loaded');
    this.detail = detail;
    this.exit = exit;
  }
}

/** A jailed process with its runtime loaded and its socket sealed, that has seen nobody's code yet. */
export interface Worker {
  readonly flavour: Flavour;
  readonly plan: WorkerPlan;
  readonly process: JailedProcess;
  readonly socketPath: string;
  /** Gives it a function, once. Rejects with `LoadFailure` when that does not load. */
  claim(code: SourceTree, deployment: Claimed): Promise<void>;
  /** Of a claimed worker with an agent. Rejects with `calls.worker_unavailable`. */
  sealedKeys(): Promise<SealedKeys>;
}

export type Claimed = Pick<Deployment, 'entrypoint' | 'id'>;

export interface WorkerStarterOptions {
  readonly jail: Pick<Jail, 'start'>;
  readonly languages: Workers;
  readonly limits: CallLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly metrics: CallMetrics;
}

const EXIT_WAIT_MS = 1000;
/** How long an agent may take to name its keys, making new ones included. */
const KEYS_WAIT_MS = 5000;

export type StartWorker = (flavour: Flavour, plan: WorkerPlan) => Promise<Worker>;

/** Rejects with `calls.worker_unavailable`: up to here only platform code runs. */
export function createWorkerStarter(options: WorkerStarterOptions): StartWorker {
  const { jail, limits, clock, metrics } = options;
  return async (flavour, plan) => {
    const from = clock.monotonicMs();
    let jailed: JailedProcess | undefined;
    try {
      jailed = await jail.start(jailSpec(flavour, plan, limits));
      const channel = openGuestChannel(jailed.control);
      const message = await within(options.scheduler, limits.bootMs, channel.next());
      if (message?.t !== 'up') throw new Error('the worker did not come up');
      const socketPath = await jailed.sealSocket(plan.agent?.socketName);
      metrics.workerBooted(flavour.runtime, clock.monotonicMs() - from);
      return createWorker({ flavour, plan, process: jailed, socketPath }, channel, options);
    } catch (error) {
      await jailed?.kill();
      throw callErrors.workerUnavailable(error);
    }
  };
}

function jailSpec(flavour: Flavour, plan: WorkerPlan, limits: CallLimits): JailSpec {
  const size = SIZES[flavour.size];
  return {
    argv: plan.argv,
    env: plan.env,
    binds: plan.binds,
    limits: {
      memoryMib: memoryMibOf(flavour, plan),
      tasks: size.tasks + (plan.agent?.tasks ?? 0),
      cpuPercent: limits.bootCpuPercent,
      tmpMib: size.tmpMib,
    },
    ...(flavour.egress.length > 0 && { egress: { kind: 'public', hosts: flavour.egress } }),
    ...(plan.egress !== undefined && { egress: plan.egress }),
    ...(plan.door !== undefined && { door: plan.door }),
  };
}

function sealedClaim(deploymentId: DeploymentId, limits: CallLimits): SealedClaim {
  const bytesMax = sealedBytesMax(limits.requestBodyBytesMax);
  return { deploymentId, bytesMax, roomBytes: SEALED_ROOM_BYTES, keyLifeMs: limits.sealedKeyLifeMs };
}

function createWorker(
  booted: Omit<Worker, 'claim' | 'sealedKeys'>,
  channel: GuestChannel,
  { limits, clock, scheduler, metrics }: WorkerStarterOptions,
): Worker {
  const { process, flavour } = booted;
  let asked: Promise<SealedKeys> | undefined;

  async function loadFailure(message: GuestMessage | null | undefined): Promise<LoadFailure> {
    // A channel that ended announces an exit whose reason is about to be known.
    if (message === null) await within(scheduler, EXIT_WAIT_MS, process.exited);
    const exit = await process.kill();
    if (message?.t === 'failed') return new LoadFailure(message.message, exit);
    if (message === null) return new LoadFailure('it ended while it was loading', exit);
    return new LoadFailure(`it did not finish loading within ${limits.loadMs} ms`, exit);
  }

  async function askKeys(): Promise<SealedKeys> {
    channel.askKeys();
    const message = await within(scheduler, KEYS_WAIT_MS, channel.next());
    channel.stop();
    if (message?.t === 'keys') return message;
    // Whatever it says later would answer another question.
    void process.kill();
    throw callErrors.workerUnavailable(new Error('the agent named no keys'));
  }

  const cpuPercent = Math.max(SIZES[flavour.size].cpuPercent, booted.plan.cpuPercentMin ?? 0);
  return {
    ...booted,
    sealedKeys() {
      asked ??= askKeys().finally(() => (asked = undefined));
      return asked;
    },
    async claim(code, { entrypoint, id }) {
      const from = clock.monotonicMs();
      await Promise.all([process.writeApp(code), process.setCpuPercent(cpuPercent)]);
      channel.claim({
        t: 'claim',
        entrypoint,
        egress: flavour.egress.length > 0,
        ...(flavour.isSealed && { sealed: sealedClaim(id, limits) }),
      });
      const message = await within(scheduler, limits.loadMs, channel.next());
      if (message?.t !== 'ready') throw await loadFailure(message);
      channel.stop();
      metrics.instanceClaimed(flavour.runtime, clock.monotonicMs() - from);
    },
  };
}
