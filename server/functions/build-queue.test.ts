import { describe, expect, it } from 'vitest';
import { newId, type AccountId, type BuildId } from '../kernel/ids.ts';
import { BUILD_CANCELLED, createBuildQueue, PLATFORM_CLOSING, type BuildJob } from './build-queue.ts';

const alice = newId<AccountId>('acct');
const bob = newId<AccountId>('acct');

interface HeldJob extends BuildJob {
  finish(): void;
  readonly started: Promise<AbortSignal>;
}

/** A job that runs until it is told to finish or aborted. */
function held(accountId: AccountId, order: string[] = [], name = ''): HeldJob {
  const end = Promise.withResolvers<void>();
  const started = Promise.withResolvers<AbortSignal>();
  return {
    accountId,
    buildId: newId<BuildId>('bld'),
    run: (signal) => {
      order.push(name);
      signal.addEventListener('abort', () => end.resolve());
      started.resolve(signal);
      return end.promise;
    },
    finish: () => end.resolve(),
    started: started.promise,
  };
}

describe('the build queue', () => {
  it('lets accounts take turns, however much one of them uploaded', async () => {
    const queue = createBuildQueue(1);
    const order: string[] = [];
    const jobs = ['a1', 'a2', 'a3'].map((name) => held(alice, order, name));
    for (const job of jobs) queue.add(job);
    const late = held(bob, order, 'b1');
    queue.add(late);
    for (const job of [...jobs, late]) job.finish();
    await Promise.all([...jobs, late].map(({ started }) => started));
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3']);
    await queue.close();
  });

  it('runs as many builds at a time as it was told', async () => {
    const queue = createBuildQueue(2);
    const order: string[] = [];
    const jobs = ['1', '2', '3'].map((name) => held(alice, order, name));
    for (const job of jobs) queue.add(job);
    expect(order).toEqual(['1', '2']);
    jobs[0]?.finish();
    await jobs[2]?.started;
    expect(order).toEqual(['1', '2', '3']);
    await queue.close();
  });

  it('refuses an account’s 51st waiting build with the time to come back, and others not', () => {
    const queue = createBuildQueue(1);
    const slots = Array.from({ length: 50 }, () => queue.reserve(alice));
    expect(() => queue.reserve(alice)).toThrow(
      expect.objectContaining({
        kind: 'resource_exhausted',
        code: 'functions.build_queue_full',
        retryAfterSeconds: 30,
      }),
    );
    queue.reserve(bob).release();
    slots[0]?.release();
    slots[0]?.release();
    queue.reserve(alice);
    expect(() => queue.reserve(alice)).toThrow();
  });

  it('refuses everybody beyond 200 waiting builds', () => {
    const queue = createBuildQueue(1);
    for (let i = 0; i < 200; i++) queue.reserve(newId<AccountId>('acct'));
    expect(() => queue.reserve(bob)).toThrow(expect.objectContaining({ kind: 'resource_exhausted' }));
  });

  it('cancels what waits and what runs, and goes on with the rest', async () => {
    const queue = createBuildQueue(1);
    const order: string[] = [];
    const [running, waiting, last] = ['running', 'waiting', 'last'].map((name) => held(alice, order, name));
    for (const job of [running, waiting, last]) queue.add(job!);
    await queue.cancel(waiting!.buildId);
    await queue.cancel(running!.buildId);
    expect((await running!.started).reason).toBe(BUILD_CANCELLED);
    await last!.started;
    expect(order).toEqual(['running', 'last']);
    await queue.close();
  });

  it('aborts what runs when it closes, and starts nothing more', async () => {
    const queue = createBuildQueue(1);
    const order: string[] = [];
    const running = held(alice, order, 'running');
    queue.add(running);
    queue.add(held(alice, order, 'waiting'));
    await queue.close();
    expect((await running.started).reason).toBe(PLATFORM_CLOSING);
    expect(order).toEqual(['running']);
    expect(() => queue.reserve(alice)).toThrow();
  });
});
