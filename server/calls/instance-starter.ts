import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { SourceTree } from '../kernel/source-tree.ts';
import type { Workers } from '../languages/language.ts';
import type { ConsoleFeed } from './console.ts';
import type { Deployment, DeploymentDirectory } from './deployment.ts';
import { Instance, type InstanceOptions } from './instance.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { WarmWorkers } from './warm-workers.ts';
import { type StartWorker, type Worker, flavourOf, memoryMibOf, workerRequestOf } from './worker.ts';

export interface InstanceStarterOptions extends Omit<InstanceOptions, 'worker' | 'onReleased'> {
  readonly languages: Workers;
  readonly loadCode: DeploymentDirectory['loadCode'];
  readonly startWorker: StartWorker;
  readonly warm: WarmWorkers;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly console: ConsoleFeed;
  /** Whether the instances open sealed calls; those are never booted ahead. */
  readonly isSealed: boolean;
}

export type StartInstance = (
  deployment: Deployment,
  caller: AccountId,
  onReleased: (instance: Instance) => void,
) => Promise<Instance>;

/** Rejects with `LoadFailure` when the function does not load, and with a PlatformError when we cannot start it. */
export function createInstanceStarter(options: InstanceStarterOptions): StartInstance {
  const { languages, startWorker, warm, budget, clock, events, isSealed } = options;

  async function takeWorker(deployment: Deployment): Promise<Worker> {
    const flavour = flavourOf(deployment, isSealed);
    const shelved = isSealed ? undefined : warm.take(flavour);
    if (shelved !== undefined) return shelved;
    const plan = await languages.worker(workerRequestOf(flavour));
    await budget.reserve(memoryMibOf(flavour, plan));
    try {
      return await startWorker(flavour, plan);
    } catch (error) {
      budget.release(memoryMibOf(flavour, plan));
      throw error;
    }
  }

  /** Decrypts the code while the worker boots. A worker without code is of no use, and ends. */
  async function takeBoth(deployment: Deployment): Promise<[Worker, SourceTree]> {
    const [worker, code] = await Promise.allSettled([takeWorker(deployment), options.loadCode(deployment)]);
    if (worker.status === 'rejected') throw worker.reason;
    const memoryMib = memoryMibOf(worker.value.flavour, worker.value.plan);
    void worker.value.process.exited.then(() => budget.release(memoryMib));
    if (code.status === 'fulfilled') return [worker.value, code.value];
    void worker.value.process.kill();
    throw code.reason;
  }

  /** Only the owner's own calls are shown to him: what others make a function print is theirs. */
  function attachConsole({ process }: Worker, { ownerId, functionId }: Deployment, caller: AccountId): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (caller === ownerId) options.console.feed(ownerId, functionId, stream, process[stream]);
      else options.console.drain(process[stream]);
    }
  }

  return async (deployment, caller, onReleased) => {
    const from = clock.monotonicMs();
    const [worker, code] = await takeBoth(deployment);
    attachConsole(worker, deployment, caller);
    await worker.claim(code, deployment);
    if (!isSealed) warm.touch(worker.flavour);
    const { runtime } = deployment;
    events.emit('instance.started', { runtime, took: clock.monotonicMs() - from });
    void worker.process.exited.then(({ reason }) => events.emit('instance.ended', { runtime, reason }));
    return new Instance({ ...options, worker, onReleased });
  };
}
