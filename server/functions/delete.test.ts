import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure } from '../languages/language.ts';
import {
  archive,
  createInstallation,
  idsOf,
  person,
  specWith,
  type Installation,
} from './testing/installation.ts';

const alice = person();
const bob = person('owner');

let at: Installation;
beforeEach(async () => {
  at = await createInstallation();
});
afterEach(() => at.dispose());

describe('deleting a function', () => {
  it('leaves no file, no key, no row and nothing callable', async () => {
    const retired: string[] = [];
    at.functions.directory.onRetired((id) => retired.push(id));
    const first = await at.deployed(alice, 'greeter', specWith('greeter', { sizes: ['s', 'm'] }));
    const second = await at.deployed(alice, 'greeter');
    const { id } = await at.functions.get(alice, 'greeter');
    await at.functions.delete(alice, 'greeter');
    expect(at.blobs()).toEqual([]);
    for (const version of [1, 2]) expect(await at.keyRing.find(`code/${id}-${version}`)).toBeUndefined();
    expect(retired.toSorted()).toEqual([...idsOf(first), ...idsOf(second)].toSorted());
    for (const gone of retired) expect(at.functions.directory.find(gone)).toBeUndefined();
    await expect(at.functions.get(alice, 'greeter')).rejects.toMatchObject({ kind: 'not_found' });
    await expect(at.functions.buildStatus(alice, first.buildId)).rejects.toMatchObject({ kind: 'not_found' });
    expect(await at.functions.exists('greeter')).toBe(false);
    await at.crash();
    expect(at.functions.directory.find(retired[0] ?? '')).toBeUndefined();
  });

  it('frees the shortname for anyone, and the new function begins anew under other ids', async () => {
    const before = await at.deployed(alice, 'greeter');
    await at.functions.delete(alice, 'greeter');
    const after = await at.deployed(bob, 'greeter');
    expect(after).toMatchObject({ isNew: true, deployingVersion: 1 });
    expect(idsOf(after)).not.toEqual(idsOf(before));
  });

  it('cancels its build first and leaves nothing of it', async () => {
    const reached = Promise.withResolvers<AbortSignal>();
    at.smokeTest = (_, signal) => {
      reached.resolve(signal);
      return new Promise(() => undefined);
    };
    const started = await at.functions.deploy(alice, await archive('greeter'));
    const signal = await reached.promise;
    await at.functions.delete(alice, 'greeter');
    expect(signal.aborted).toBe(true);
    expect(at.blobs()).toEqual([]);
    expect(await at.functions.badBuilds(alice)).toEqual([]);
    expect(await at.functions.exists('greeter')).toBe(false);
    await expect(at.functions.buildStatus(alice, started.operations[0]!.buildId)).rejects.toMatchObject({
      kind: 'not_found',
    });
  });

  it('takes a build out that still waits, and its watcher is let go', async () => {
    const reached = Promise.withResolvers<void>();
    at.build = () => {
      reached.resolve();
      return new Promise(() => undefined);
    };
    await at.functions.deploy(alice, await archive('running'));
    const { operations } = await at.functions.deploy(alice, await archive('waiting'));
    await reached.promise;
    const watcher = at.functions
      .watchBuild(alice, operations[0]!.buildId, new AbortController().signal)
      [Symbol.asyncIterator]();
    await watcher.next();
    const next = watcher.next();
    await at.functions.delete(alice, 'waiting');
    expect(await next).toMatchObject({ done: true });
    expect(at.blobs()).toHaveLength(1);
  });

  it('is for its owner alone: to everybody else it is not there, published or not', async () => {
    await at.deployed(alice, 'greeter');
    for (const published of [false, true]) {
      await at.functions.setPublished(alice, 'greeter', published);
      const refusals = await Promise.allSettled([
        at.functions.delete(bob, 'greeter'),
        at.functions.delete(bob, 'greeter', 1),
        at.functions.delete(bob, 'nothing'),
      ]);
      const reasons = refusals.map((refusal) => refusal.status === 'rejected' && String(refusal.reason));
      expect(new Set(reasons).size).toBe(1);
    }
    expect((await at.functions.get(alice, 'greeter')).active).toBe(true);
  });
});

describe('deleting a version', () => {
  it('makes the one before it the newest, and its number is never given again', async () => {
    const first = await at.deployed(alice, 'greeter');
    const second = await at.deployed(alice, 'greeter');
    await at.functions.delete(alice, 'greeter', 2);
    expect((await at.functions.lookup(alice, 'greeter')).deployment.id).toBe(idsOf(first)[0]);
    expect(at.functions.directory.find(idsOf(second)[0] ?? '')).toBeUndefined();
    expect(at.blobs()).toHaveLength(1);
    expect((await at.deployed(alice, 'greeter')).deployingVersion).toBe(3);
  });

  it('leaves the other versions callable', async () => {
    await at.deployed(alice, 'greeter');
    const second = await at.deployed(alice, 'greeter');
    await at.functions.delete(alice, 'greeter', 1);
    const deployment = at.functions.directory.find(idsOf(second)[0] ?? '');
    expect((await at.functions.directory.loadCode(deployment!)).has('index.js')).toBe(true);
    await expect(at.functions.delete(alice, 'greeter', 1)).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('deletes the function with its last version', async () => {
    await at.deployed(alice, 'greeter');
    await at.functions.delete(alice, 'greeter', 1);
    expect(await at.functions.exists('greeter')).toBe(false);
    expect(await at.functions.library(alice)).toEqual([]);
  });

  it('keeps the bad builds of the function, whatever number they bore', async () => {
    const good = at.build;
    at.build = () => Promise.reject(new BuildFailure('no'));
    const bad = await at.deployed(alice, 'greeter');
    at.build = good;
    await at.deployed(alice, 'greeter');
    await at.functions.delete(alice, 'greeter', 1);
    expect((await at.functions.badBuilds(alice)).map(({ id }) => id)).toEqual([bad.buildId]);
    expect((await at.functions.cleanBadBuild(alice, bad.buildId)).functions).toEqual(['greeter']);
  });
});
