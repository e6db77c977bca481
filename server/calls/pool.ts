import type { Clock } from '../kernel/clock.ts';
import { type PlatformError, notFound } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, DeploymentId } from '../kernel/ids.ts';
import type { WorkerRuntime, Workers } from '../languages/language.ts';
import type { Jail } from '../sandbox/jail.ts';
import { callErrors } from './call-errors.ts';
import { type Acquirer, CallGroup } from './call-group.ts';
import type { ConsoleFeed } from './console.ts';
import type { Deployment, DeploymentDirectory } from './deployment.ts';
import { CallGroups } from './call-groups.ts';
import { createIdleSweep } from './idle-sweep.ts';
import { type StartInstance, createInstanceStarter } from './instance-starter.ts';
import type { Instance } from './instance.ts';
import type { CallLimits } from './limits.ts';
import { createKeyHolders } from './key-holders.ts';
import { createMemoryBudget } from './memory-budget.ts';
import type { CallMetrics } from './metrics.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { untilInstance } from './until-instance.ts';
import { createWarmWorkers } from './warm-workers.ts';
import { type Worker, createWorkerStarter, flavourOf } from './worker.ts';
import type { SealedKeys } from './guest-channel.ts';

export interface PoolStatus {
  /** Live and pre-booted workers by runtime. */
  readonly instances: ReadonlyMap<WorkerRuntime, number>;
  readonly live: number;
  readonly warm: number;
  readonly waiting: number;
}

/** Running instances, keyed by (calling account, deployment) and never shared beyond that. */
export interface Pool {
  /** Answers at once when an instance has a free place; otherwise in the order of arrival. */
  acquire(deployment: Deployment, caller: AccountId, acquirer: Acquirer): void;
  /** As `acquire`, in the instance that has given out keys; without one the key of the call cannot be known. */
  acquireSealed(deployment: Deployment, caller: AccountId, acquirer: Acquirer): void;
  /**
   * Keys of the sealed instance of this deployment for this account, which is started if there is none. Rejects with
   * the error that a call would get.
   */
  sealedKeys(deployment: Deployment, caller: AccountId): Promise<SealedKeys>;
  /** For an acquirer that has heard nothing yet and wants nothing more. */
  withdraw(deployment: Deployment, caller: AccountId, acquirer: Acquirer): void;
  /** A hint that calls of this deployment are likely: workers of its flavour are booted. */
  prime(deployment: Deployment): void;
  /**
   * Proves that the function starts, as its owner, and keeps the instance for his first call. Rejects with the
   * error that his call would get, load message included.
   */
  smokeTest(deployment: Deployment, signal: AbortSignal): Promise<void>;
  /** Ends a deployment's instances: running calls may finish, waiting ones get the 404 of a missing deployment. */
  retire(deploymentId: DeploymentId): void;
  /** The same for all instances that run for this account; it calls nothing any more. */
  retireCaller(caller: AccountId): void;
  /** Instances that run for this account now. */
  instancesOf(deploymentId: DeploymentId, caller: AccountId): number;
  status(): PoolStatus;
  /** Drains, then ends everything. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly jail: Pick<Jail, 'start'>;
  readonly languages: Workers;
  readonly loadCode: DeploymentDirectory['loadCode'];
  readonly limits: CallLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  readonly console: ConsoleFeed;
  readonly metrics: CallMetrics;
}

/** Ids are never used again; the latest are remembered for calls that were already on their way. */
const RETIRED_MAX = 1000;

export function createPool(options: PoolOptions): Pool {
  const { limits, clock, scheduler, events } = options;
  const budget = createMemoryBudget({
    limitMib: limits.poolMemoryMib,
    makeRoom: () => warm.sacrifice() || endLongestIdle(allInstances()),
    onExhausted: () => events.emit('pool.exhausted', { live: allInstances().length }),
  });
  const startWorker = createWorkerStarter(options);
  const warm = createWarmWorkers({ ...options, startWorker, budget });
  const starting = { ...options, startWorker, warm, budget };
  const plain = groupsOf(createInstanceStarter({ ...starting, isSealed: false }), limits);
  // The one instance that has the keys: a call goes where its key was made.
  const sealed = groupsOf(createInstanceStarter({ ...starting, isSealed: true }), {
    ...limits,
    instancesPerKeyMax: 1,
  });
  const retired = new Set<DeploymentId>();
  let isClosed = false;

  const idleSweep = createIdleSweep({ ...options, groups: [plain, sealed] });
  const allGroups = () => [...plain.list(), ...sealed.list()];
  const allInstances = () => allGroups().flatMap((group) => group.instances);

  function groupsOf(start: StartInstance, groupLimits: CallLimits): CallGroups {
    const onIdle = () => budget.retry();
    return new CallGroups((deployment, caller) => {
      idleSweep.ensure();
      return new CallGroup({ deployment, caller, limits: groupLimits, clock, scheduler, start, onIdle });
    });
  }

  /** Why nothing of this deployment may be acquired. */
  function refusal({ id }: Deployment): PlatformError | undefined {
    if (isClosed) return callErrors.stopping();
    return retired.has(id) ? notFound('deployment') : undefined;
  }

  const holders = createKeyHolders({ ...options, groups: sealed, refusal });

  const pool: Pool = {
    acquire(deployment, caller, acquirer) {
      const refused = refusal(deployment);
      if (refused === undefined) plain.obtain(deployment, caller).acquire(acquirer);
      else acquirer.onUnavailable(refused);
    },
    acquireSealed: holders.acquire,
    sealedKeys: holders.keys,
    withdraw(deployment, caller, acquirer) {
      plain.find(deployment.id, caller)?.withdraw(acquirer);
      sealed.find(deployment.id, caller)?.withdraw(acquirer);
    },
    prime: (deployment) => warm.touch(flavourOf(deployment)),
    smokeTest: (deployment, signal) => smokeTest(pool, deployment, signal),
    retire(deploymentId) {
      retired.add(deploymentId);
      for (const oldest of retired) if (retired.size > RETIRED_MAX) retired.delete(oldest);
      retireAll([...plain.take(deploymentId), ...sealed.take(deploymentId)]);
    },
    retireCaller: (caller) => retireAll([...plain.takeOf(caller), ...sealed.takeOf(caller)]),
    instancesOf: (deploymentId, caller) =>
      [plain, sealed].reduce(
        (total, groups) => total + (groups.find(deploymentId, caller)?.instances.length ?? 0),
        0,
      ),
    status: () => statusOf(allGroups(), warm.list()),
    async close() {
      isClosed = true;
      idleSweep.close();
      await Promise.all(allGroups().map((group) => group.retire(callErrors.stopping())));
      await warm.close();
    },
  };
  return pool;
}

function retireAll(groups: readonly CallGroup[]): void {
  for (const group of groups) void group.retire();
}

function statusOf(groups: readonly CallGroup[], warm: readonly Worker[]): PoolStatus {
  const instances = new Map<WorkerRuntime, number>();
  const count = (runtime: WorkerRuntime) => instances.set(runtime, (instances.get(runtime) ?? 0) + 1);
  for (const group of groups) for (const _ of group.instances) count(group.deployment.runtime);
  const live = groups.reduce((total, group) => total + group.instances.length, 0);
  for (const { flavour } of warm) count(flavour.runtime);
  return {
    instances,
    live,
    warm: warm.length,
    waiting: groups.reduce((total, group) => total + group.waitingCount, 0),
  };
}

function endLongestIdle(instances: readonly Instance[]): boolean {
  const idle = instances
    .filter((instance) => instance.isIdle)
    .toSorted((a, b) => a.idleSince - b.idleSince)[0];
  if (idle !== undefined) void idle.kill();
  return idle !== undefined;
}

async function smokeTest(pool: Pool, deployment: Deployment, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const instance = await untilInstance(
    {
      acquire: (acquirer) => pool.acquire(deployment, deployment.ownerId, acquirer),
      withdraw: (acquirer) => pool.withdraw(deployment, deployment.ownerId, acquirer),
    },
    signal,
  );
  instance.release();
}
