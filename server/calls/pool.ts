import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId, DeploymentId } from '../kernel/ids.ts';
import type { Language, RuntimeId } from '../languages/language.ts';
import type { Jail } from '../sandbox/jail.ts';
import { callErrors } from './call-errors.ts';
import { type Acquirer, CallGroup } from './call-group.ts';
import type { ConsoleFeed } from './console.ts';
import type { Deployment, DeploymentDirectory } from './deployment.ts';
import { createInstanceStarter } from './instance-starter.ts';
import type { Instance } from './instance.ts';
import type { CallLimits } from './limits.ts';
import { createMemoryBudget } from './memory-budget.ts';
import type { CallMetrics } from './metrics.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import { createWarmWorkers } from './warm-workers.ts';
import { type Worker, createWorkerStarter, flavourOf } from './worker.ts';

export interface PoolStatus {
  /** Live and pre-booted workers by runtime. */
  readonly instances: ReadonlyMap<RuntimeId, number>;
  readonly live: number;
  readonly warm: number;
  readonly waiting: number;
}

/** Running instances, keyed by (calling account, deployment) and never shared beyond that. */
export interface Pool {
  /** Answers at once when an instance has a free place; otherwise in the order of arrival. */
  acquire(deployment: Deployment, caller: AccountId, acquirer: Acquirer): void;
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
  readonly languages: Pick<Language, 'worker'>;
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
  const groups = new Map<DeploymentId, Map<AccountId, CallGroup>>();
  const budget = createMemoryBudget({
    limitMib: limits.poolMemoryMib,
    makeRoom: () => warm.sacrifice() || endLongestIdle(allInstances()),
    onExhausted: () => events.emit('pool.exhausted', { live: allInstances().length }),
  });
  const startWorker = createWorkerStarter(options);
  const warm = createWarmWorkers({ ...options, startWorker, budget });
  const start = createInstanceStarter({ ...options, startWorker, warm, budget });
  const retired = new Set<DeploymentId>();
  let sweepTimer: Timer | undefined;
  let isClosed = false;

  const allGroups = () => [...groups.values()].flatMap((accounts) => [...accounts.values()]);
  const allInstances = () => allGroups().flatMap((group) => group.instances);

  function groupOf(deployment: Deployment, caller: AccountId): CallGroup {
    let accounts = groups.get(deployment.id);
    if (accounts === undefined) groups.set(deployment.id, (accounts = new Map()));
    let group = accounts.get(caller);
    if (group === undefined) {
      const onIdle = () => budget.retry();
      group = new CallGroup({ deployment, caller, limits, clock, scheduler, start, onIdle });
      accounts.set(caller, group);
      sweepTimer ??= scheduler.after(limits.idleMs / 4, sweep);
    }
    return group;
  }

  /** Scales to zero. A sweep instead of a timer for each instance: calls come and go too often to move timers. */
  function sweep(): void {
    sweepTimer = undefined;
    const idleBefore = clock.monotonicMs() - limits.idleMs;
    for (const instance of allInstances()) {
      if (instance.isIdle && instance.idleSince <= idleBefore) void instance.kill();
    }
    for (const [deploymentId, accounts] of groups) {
      for (const [caller, group] of accounts) if (group.isEmpty) accounts.delete(caller);
      if (accounts.size === 0) groups.delete(deploymentId);
    }
    if (groups.size > 0) sweepTimer = scheduler.after(limits.idleMs / 4, sweep);
  }

  const pool: Pool = {
    acquire(deployment, caller, acquirer) {
      if (isClosed) acquirer.onUnavailable(callErrors.stopping());
      else if (retired.has(deployment.id)) acquirer.onUnavailable(notFound('deployment'));
      else groupOf(deployment, caller).acquire(acquirer);
    },
    withdraw: (deployment, caller, acquirer) => groups.get(deployment.id)?.get(caller)?.withdraw(acquirer),
    prime: (deployment) => warm.touch(flavourOf(deployment)),
    smokeTest: (deployment, signal) => smokeTest(pool, deployment, signal),
    retire(deploymentId) {
      const accounts = groups.get(deploymentId);
      groups.delete(deploymentId);
      retired.add(deploymentId);
      for (const oldest of retired) if (retired.size > RETIRED_MAX) retired.delete(oldest);
      for (const group of accounts?.values() ?? []) void group.retire();
    },
    retireCaller: (caller) => retireGroupsOf(groups.values(), caller),
    instancesOf: (deploymentId, caller) => groups.get(deploymentId)?.get(caller)?.instances.length ?? 0,
    status: () => statusOf(allGroups(), warm.list()),
    async close() {
      isClosed = true;
      sweepTimer?.close();
      await Promise.all(allGroups().map((group) => group.retire(callErrors.stopping())));
      await warm.close();
    },
  };
  return pool;
}

function retireGroupsOf(groups: Iterable<Map<AccountId, CallGroup>>, caller: AccountId): void {
  for (const accounts of groups) {
    void accounts.get(caller)?.retire();
    accounts.delete(caller);
  }
}

function statusOf(groups: readonly CallGroup[], warm: readonly Worker[]): PoolStatus {
  const instances = new Map<RuntimeId, number>();
  const count = (runtime: RuntimeId) => instances.set(runtime, (instances.get(runtime) ?? 0) + 1);
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
  const { promise, resolve, reject } = Promise.withResolvers<Instance>();
  const acquirer: Acquirer = { onInstance: resolve, onUnavailable: reject };
  const onAbort = () => {
    pool.withdraw(deployment, deployment.ownerId, acquirer);
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  pool.acquire(deployment, deployment.ownerId, acquirer);
  try {
    (await promise).release();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
