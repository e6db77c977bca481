import type { Workers } from '../languages/language.ts';
import type { CallLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type Shelf, Shelves } from './shelves.ts';
import { type Flavour, type StartWorker, type Worker, memoryMibOf, workerRequestOf } from './worker.ts';

/**
 * Workers booted ahead for the flavours used last, so that a first call pays for the claim alone. They have seen
 * nobody's code and stand in nobody's name; memory that live instances need is taken from here first.
 */
export interface WarmWorkers {
  /** A worker from the shelf; its memory is reserved and passes to the taker. */
  take(flavour: Flavour): Worker | undefined;
  /** Says that the flavour was used: its shelf is filled again, at the cost of the one used longest ago. */
  touch(flavour: Flavour): void;
  /** Ends one shelved worker to free memory; false when there is none. */
  sacrifice(): boolean;
  list(): readonly Worker[];
  close(): Promise<void>;
}

export interface WarmWorkersOptions {
  readonly languages: Workers;
  readonly startWorker: StartWorker;
  readonly budget: MemoryBudget;
  readonly limits: CallLimits;
}

export function createWarmWorkers({
  languages,
  startWorker,
  budget,
  limits,
}: WarmWorkersOptions): WarmWorkers {
  const shelves = new Shelves();
  let filling: Promise<void> | undefined;
  let isClosed = false;

  /** One boot at a time, most recently used flavour first: calls need the CPU more. */
  async function fill(): Promise<void> {
    for (let shelf = nextToFill(); shelf !== undefined; shelf = nextToFill()) await bootOnto(shelf);
  }

  function nextToFill(): Shelf | undefined {
    if (isClosed) return undefined;
    const shelfCount = Math.ceil(limits.prebootTotal / limits.prebootPerFlavour);
    const wanting = shelves.nextToFill(shelfCount, limits.prebootPerFlavour);
    if (wanting === undefined || shelves.workers.length < limits.prebootTotal) return wanting;
    return sacrifice(wanting) ? wanting : undefined;
  }

  async function bootOnto(shelf: Shelf): Promise<void> {
    const { flavour } = shelf;
    const plan = await languages.worker(workerRequestOf(flavour));
    const memoryMib = memoryMibOf(flavour, plan);
    if (!plan.preboot || !budget.tryReserve(memoryMib)) {
      shelf.isResting = true;
      return;
    }
    try {
      const worker = await startWorker(flavour, plan);
      shelf.workers.push(worker);
      void worker.process.exited.then(() => {
        const at = shelf.workers.indexOf(worker);
        if (at === -1) return;
        shelf.workers.splice(at, 1);
        budget.release(memoryMib);
      });
    } catch {
      shelf.isResting = true;
      budget.release(memoryMib);
    }
  }

  function sacrifice(spared?: Shelf): boolean {
    const worker = shelves.takeOldest(spared);
    if (worker === undefined) return false;
    void worker.process.kill().then(() => budget.release(memoryMibOf(worker.flavour, worker.plan)));
    return true;
  }

  return {
    take: (flavour) => shelves.take(flavour),
    touch(flavour) {
      shelves.use(flavour).isResting = false;
      if (limits.prebootTotal === 0 || limits.prebootPerFlavour === 0) return;
      filling ??= fill()
        .catch(() => undefined)
        .finally(() => (filling = undefined));
    },
    sacrifice,
    list: () => shelves.workers,
    async close() {
      isClosed = true;
      await filling;
      await Promise.all(shelves.workers.map((worker) => worker.process.kill()));
    },
  };
}
