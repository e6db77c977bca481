import { PlatformError } from '../kernel/errors.ts';
import type { AccountId, BuildId } from '../kernel/ids.ts';

const WAITING_MAX = 200;
const WAITING_PER_ACCOUNT_MAX = 50;
const RETRY_AFTER_SECONDS = 30;

/** Why a build's signal fired; the worker reads it from `signal.reason`. */
export const BUILD_CANCELLED = new Error('The build was cancelled.');
export const PLATFORM_CLOSING = new Error('The platform is closing.');

export interface BuildJob {
  readonly accountId: AccountId;
  readonly buildId: BuildId;
  /** Never rejects: the worker turns every fault into the build's outcome. */
  run(signal: AbortSignal): Promise<void>;
}

/** A place in the queue, held while the upload is checked and stored. */
export interface BuildSlot {
  enqueue(job: BuildJob): void;
  /** Gives the place back; without effect after `enqueue`. */
  release(): void;
}

/**
 * Builds wait here and run a few at a time. Accounts take turns, so one that uploads fifty functions delays
 * another's single deploy by one build at most.
 */
export interface BuildQueue {
  /** Throws `functions.build_queue_full` (resource_exhausted, with the seconds to wait). */
  reserve(accountId: AccountId): BuildSlot;
  /** For builds that were accepted before: resumed ones wait even when the queue is full. */
  add(job: BuildJob): void;
  /** Takes a waiting build out or aborts a running one; resolves when it no longer runs. */
  cancel(buildId: BuildId): Promise<void>;
  /** Aborts what runs, forgets what waits; resolves when nothing runs. */
  close(): Promise<void>;
}

export function createBuildQueue(concurrency: number): BuildQueue {
  const line = createLine();
  const running = new Map<BuildId, { controller: AbortController; done: Promise<void> }>();
  let closed = false;

  function fill(): void {
    while (running.size < concurrency && !closed) {
      const job = line.next();
      if (job === undefined) return;
      const controller = new AbortController();
      const done = job.run(controller.signal).finally(() => {
        running.delete(job.buildId);
        fill();
      });
      running.set(job.buildId, { controller, done });
    }
  }

  function add(job: BuildJob): void {
    line.add(job);
    fill();
  }

  return {
    add,
    reserve(accountId) {
      if (closed || !line.hold(accountId)) throw queueFull();
      let held = true;
      const release = () => {
        if (held) line.letGo(accountId);
        held = false;
      };
      return {
        release,
        enqueue: (job) => {
          release();
          add(job);
        },
      };
    },
    async cancel(buildId) {
      line.remove(buildId);
      const active = running.get(buildId);
      active?.controller.abort(BUILD_CANCELLED);
      await active?.done;
    },
    async close() {
      closed = true;
      const active = [...running.values()];
      for (const { controller } of active) controller.abort(PLATFORM_CLOSING);
      await Promise.all(active.map(({ done }) => done));
    },
  };
}

/** Who waits, by account; the order of the accounts is whose turn is next. */
function createLine() {
  const accounts = new Map<AccountId, { held: number; jobs: BuildJob[] }>();

  function at(accountId: AccountId): { held: number; jobs: BuildJob[] } {
    const found = accounts.get(accountId) ?? { held: 0, jobs: [] };
    accounts.set(accountId, found);
    return found;
  }

  function forgetIfEmpty(accountId: AccountId): void {
    const { held, jobs } = at(accountId);
    if (held === 0 && jobs.length === 0) accounts.delete(accountId);
  }

  return {
    add: (job: BuildJob) => void at(job.accountId).jobs.push(job),
    next(): BuildJob | undefined {
      for (const [accountId, place] of accounts) {
        const job = place.jobs.shift();
        if (job === undefined) continue;
        accounts.delete(accountId);
        accounts.set(accountId, place);
        forgetIfEmpty(accountId);
        return job;
      }
      return undefined;
    },
    remove(buildId: BuildId): void {
      for (const [accountId, place] of accounts) {
        place.jobs = place.jobs.filter((job) => job.buildId !== buildId);
        forgetIfEmpty(accountId);
      }
    },
    /** False when there is no place left. */
    hold(accountId: AccountId): boolean {
      const waiting = ({ held, jobs }: { held: number; jobs: BuildJob[] }) => held + jobs.length;
      const all = [...accounts.values()].reduce((sum, place) => sum + waiting(place), 0);
      const mine = accounts.get(accountId);
      if (all >= WAITING_MAX || (mine && waiting(mine) >= WAITING_PER_ACCOUNT_MAX)) return false;
      at(accountId).held++;
      return true;
    },
    letGo(accountId: AccountId): void {
      at(accountId).held--;
      forgetIfEmpty(accountId);
    },
  };
}

function queueFull(): PlatformError {
  return new PlatformError({
    kind: 'resource_exhausted',
    code: 'functions.build_queue_full',
    message: 'Too many builds are waiting. Your upload was not accepted; try again when some have finished.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
