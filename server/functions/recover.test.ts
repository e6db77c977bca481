import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newId, newXid, type BuildId } from '../kernel/ids.ts';
import {
  archive,
  createInstallation,
  follow,
  idsOf,
  person,
  type Installation,
} from './testing/installation.ts';

const alice = person();

let at: Installation;
beforeEach(async () => {
  at = await createInstallation();
});
afterEach(() => at.dispose());

const never = () => new Promise<never>(() => undefined);

/** Resolves when a build has come to the language. */
function nextBuild(): Promise<void> {
  const reached = Promise.withResolvers<void>();
  at.build = () => {
    reached.resolve();
    return never();
  };
  return reached.promise;
}

function healthy(): void {
  at.build = async ({ source }) => ({ code: source, layer: null, runtimeDetail: 'Node 22.23.3' });
  at.smokeTest = async () => undefined;
}

describe('a start after a crash', () => {
  it('has every live version callable again, with its code, its sizes and its visibility', async () => {
    const first = await at.deployed(alice, 'greeter', { 'index.js': 'one' });
    const second = await at.deployed(alice, 'greeter');
    await at.functions.setPublished(alice, 'greeter', true);
    const before = [first, second].map((started) => at.functions.directory.find(idsOf(started)[0] ?? ''));
    expect(await at.crash()).toEqual({ resumed: 0 });
    const after = [first, second].map((started) => at.functions.directory.find(idsOf(started)[0] ?? ''));
    expect(after).toEqual(before);
    expect(after[0]).toMatchObject({ published: true });
    const code = await at.functions.directory.loadCode(after[0]!);
    expect(String(code.get('index.js')?.bytes)).toBe('one');
  });

  it('resumes builds that waited or ran, from what was acknowledged, under the same ids', async () => {
    const reached = nextBuild();
    const running = await at.functions.deploy(alice, await archive('running', { 'index.js': 'kept' }));
    const waiting = await at.functions.deploy(alice, await archive('waiting'));
    await reached;
    healthy();
    expect(await at.crash()).toEqual({ resumed: 2 });
    for (const { operations } of [running, waiting]) {
      const events = await follow(at.functions, alice, operations[0]!.buildId);
      expect(events.at(-1)).toEqual({ type: 'status', status: 'DEPLOYED' });
    }
    const deployment = at.functions.directory.find(idsOf(running)[0] ?? '');
    const code = await at.functions.directory.loadCode(deployment!);
    expect(String(code.get('index.js')?.bytes)).toBe('kept');
  });

  it('resumes a build that had sealed its code already', async () => {
    const reached = Promise.withResolvers<void>();
    at.smokeTest = () => {
      reached.resolve();
      return never();
    };
    const started = await at.functions.deploy(alice, await archive('greeter'));
    await reached.promise;
    expect(at.blobs().map((path) => path.split('/')[0])).toEqual(['code', 'upload']);
    healthy();
    await at.crash();
    await follow(at.functions, alice, started.operations[0]!.buildId);
    expect(at.functions.directory.find(idsOf(started)[0] ?? '')).toBeDefined();
    expect(at.blobs().map((path) => path.split('/')[0])).toEqual(['code']);
  });

  it('resumes after an orderly end, too, which makes no bad build', async () => {
    const reached = nextBuild();
    const started = await at.functions.deploy(alice, await archive('greeter'));
    await reached;
    await at.functions.close();
    healthy();
    expect(await at.crash()).toEqual({ resumed: 1 });
    await follow(at.functions, alice, started.operations[0]!.buildId);
    expect(await at.functions.badBuilds(alice)).toEqual([]);
    expect(at.functions.directory.find(idsOf(started)[0] ?? '')).toBeDefined();
  });

  it('gives up on a build that took the platform down again and again', async () => {
    const reached = nextBuild();
    const started = await at.functions.deploy(alice, await archive('greeter'));
    await reached;
    for (let attempt = 1; attempt <= 5; attempt++) expect(await at.crash()).toEqual({ resumed: 1 });
    expect(await at.crash()).toEqual({ resumed: 0 });
    expect(await at.functions.buildStatus(alice, started.operations[0]!.buildId)).toBe('FAILED');
    expect(at.blobs()).toEqual([]);
  });

  it('forgets a deploy that was never acknowledged', async () => {
    await at.store.beginBuild(alice.accountId, {
      buildId: newId<BuildId>('bld'),
      functionId: newId('fn'),
      shortname: 'greeter',
      name: 'greeter',
      xid: newXid(0),
      now: 0,
      functionsPerAccountMax: 1,
      versionsPerFunctionMax: 1,
    });
    expect(await at.crash()).toEqual({ resumed: 0 });
    expect(await at.functions.exists('greeter')).toBe(false);
    expect((await at.deployed(alice, 'greeter')).deployingVersion).toBe(1);
  });

  it('sweeps sealed files that belong to nothing, with their keys', async () => {
    await at.deployed(alice, 'greeter');
    const kept = at.blobs();
    await at.keyRing.obtain('upload/bld_orphan', alice.accountId);
    for (const path of ['upload/bld_orphan', 'code/fn_orphan-1', `${kept[0]}.0a1b2c`]) {
      writeFileSync(join(at.dir, 'blobs', path), 'left over');
    }
    await at.crash();
    expect(at.blobs()).toEqual(kept);
    expect(await at.keyRing.find('upload/bld_orphan')).toBeUndefined();
  });

  it('ends a deletion that the crash interrupted: what has lost its key does not come back', async () => {
    const first = await at.deployed(alice, 'greeter');
    const second = await at.deployed(alice, 'greeter');
    const { id } = await at.functions.get(alice, 'greeter');
    await at.keyRing.destroy(`code/${id}-1`);
    await at.crash();
    expect(at.functions.directory.find(idsOf(first)[0] ?? '')).toBeUndefined();
    expect(at.functions.directory.find(idsOf(second)[0] ?? '')).toBeDefined();
    expect((await at.functions.get(alice, 'greeter')).versions.map(({ version }) => version)).toEqual([2]);
    expect(at.blobs()).toEqual([`code/${id}-2`]);
  });
});
