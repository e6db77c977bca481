import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure } from '../languages/language.ts';
import type { BuildRequest } from '../languages/language.ts';
import {
  archive,
  createInstallation,
  follow,
  idsOf,
  person,
  specWith,
  type Installation,
} from './testing/installation.ts';

const alice = person();
const bob = person();

let at: Installation;
beforeEach(async () => {
  at = await createInstallation();
});
afterEach(() => at.dispose());

const statuses = (events: { type: string; status?: string }[]) =>
  events.filter(({ type }) => type === 'status').map(({ status }) => status);

describe('a deploy', () => {
  it('answers what it started, and the version is callable under that id once it is DEPLOYED', async () => {
    const started = await at.deployed(alice, 'greeter', specWith('greeter', { sizes: ['s', 'l'] }));
    expect(started).toMatchObject({
      shortname: 'greeter',
      isNew: true,
      currentVersion: null,
      deployingVersion: 1,
      runtimeDetail: 'Node 22.23.3',
    });
    const ids = idsOf(started);
    expect(ids[0]).toMatch(/^greeter-[0-9a-v]{20}-1-s$/);
    expect(ids[1]).toBe(ids[0]?.replace(/s$/, 'l'));
    expect(statuses(started.events)).toEqual(['QUEUED', 'BUILDING', 'STARTING', 'DEPLOYED']);
    expect(await at.functions.buildStatus(alice, started.buildId)).toBe('DEPLOYED');
    expect(at.functions.directory.find(ids[1] ?? '')).toMatchObject({
      ownerId: alice.accountId,
      version: 1,
      size: 'l',
      published: false,
      egress: [],
      timeoutMs: 60_000,
    });
  });

  it('makes a new immutable version each time, and the old ones stay callable with their own code', async () => {
    const first = await at.deployed(alice, 'greeter', { 'index.js': 'one' });
    const second = await at.deployed(alice, 'greeter', { 'index.js': 'two' });
    expect(second).toMatchObject({ isNew: false, currentVersion: 1, deployingVersion: 2 });
    for (const [started, text] of [
      [first, 'one'],
      [second, 'two'],
    ] as const) {
      const deployment = at.functions.directory.find(idsOf(started)[0] ?? '');
      if (deployment === undefined) throw new Error('not callable');
      const code = await at.functions.directory.loadCode(deployment);
      expect(String(code.get('index.js')?.bytes)).toBe(text);
    }
  });

  it('is not callable and not in the library before its build has ended', async () => {
    const gate = Promise.withResolvers<void>();
    at.smokeTest = () => gate.promise;
    const started = await at.functions.deploy(alice, await archive('greeter'));
    expect(at.functions.directory.find(idsOf(started)[0] ?? '')).toBeUndefined();
    expect(await at.functions.library(alice)).toEqual([]);
    await expect(at.functions.get(alice, 'greeter')).rejects.toMatchObject({ kind: 'not_found' });
    expect(await at.functions.exists('greeter')).toBe(true);
    gate.resolve();
    expect(statuses(await follow(at.functions, alice, started.operations[0]!.buildId)).at(-1)).toBe(
      'DEPLOYED',
    );
  });

  it('gives the smoke test, in the smallest size, the sealed code that calls will get', async () => {
    let loaded = '';
    at.smokeTest = async (deployment) => {
      expect(deployment.size).toBe('s');
      const code = await at.functions.directory.loadCode(deployment);
      loaded = String(code.get('index.js')?.bytes);
    };
    await at.deployed(alice, 'greeter', {
      ...specWith('greeter', { sizes: ['l', 's'] }),
      'index.js': 'the code',
    });
    expect(loaded).toBe('the code');
  });

  it('refuses a second deploy of a function while its build runs, and only of that one', async () => {
    const gate = Promise.withResolvers<void>();
    at.smokeTest = () => gate.promise;
    const { operations } = await at.functions.deploy(alice, await archive('greeter'));
    await expect(at.functions.deploy(alice, await archive('greeter'))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'functions.deploy_in_progress',
    });
    const other = await at.functions.deploy(alice, await archive('another'));
    gate.resolve();
    await follow(at.functions, alice, operations[0]!.buildId);
    await follow(at.functions, alice, other.operations[0]!.buildId);
    expect((await at.deployed(alice, 'greeter')).deployingVersion).toBe(2);
  });

  it('lets one of two simultaneous uploads of a function through', async () => {
    const uploads = [await archive('greeter'), await archive('greeter')];
    const outcomes = await Promise.allSettled(uploads.map((zip) => at.functions.deploy(alice, zip)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses the shortname of another account, in whatever state that function is', async () => {
    at.build = () => Promise.reject(new BuildFailure('no'));
    await at.deployed(alice, 'greeter');
    await expect(at.functions.deploy(bob, await archive('greeter'))).rejects.toMatchObject({
      kind: 'conflict',
      code: 'functions.shortname_taken',
    });
  });

  it('says what to install when this machine lacks the runtime', async () => {
    const zip = await archive('greeter', specWith('greeter', { runtime: 'java21', entrypoint: 'a.B' }));
    await expect(at.functions.deploy(alice, zip)).rejects.toMatchObject({
      code: 'functions.runtime_unavailable',
      message: expect.stringContaining('openjdk-21-jdk-headless'),
    });
    expect(await at.functions.exists('greeter')).toBe(false);
  });

  it('leaves nothing behind when it refuses an upload', async () => {
    const uploads = [
      Buffer.from('no zip'),
      await archive('greeter', { 'jellyspec.json': '{' }),
      await archive('greeter', { 'README.md': 'x'.repeat(300_000) }),
    ];
    for (const zip of uploads) await expect(at.functions.deploy(alice, zip)).rejects.toThrow();
    expect(at.blobs()).toEqual([]);
    expect(await at.functions.badBuilds(alice)).toEqual([]);
    expect(await at.functions.exists('greeter')).toBe(false);
  });

  it('gives equal source and equal tools the same artifact digest', async () => {
    const digests: unknown[] = [];
    for (const shortname of ['greeter', 'copycat']) {
      at.build = async () => ({
        code: new Map([['a.js', { bytes: Buffer.from('same'), executable: false }]]),
        layer: null,
        runtimeDetail: 'Node 22.23.3',
      });
      await at.deployed(alice, shortname);
      const { id } = await at.functions.get(alice, shortname);
      digests.push((await at.store.version(id))?.digest);
    }
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[1]).toBe(digests[0]);
  });

  it('destroys the upload and its key once the version is live', async () => {
    const { buildId } = await at.deployed(alice, 'greeter');
    const { id } = await at.functions.get(alice, 'greeter');
    expect(at.blobs()).toEqual([`code/${id}-1`]);
    expect(await at.keyRing.find(`upload/${buildId}`)).toBeUndefined();
  });

  it('leaves no byte of the source readable on the disk', async () => {
    const marker = 'MARKER-5d1f0c7e';
    const gate = Promise.withResolvers<void>();
    at.smokeTest = () => gate.promise;
    const files = { 'index.js': marker, 'README.md': marker, 'CHANGELOG.md': marker };
    const started = await at.functions.deploy(alice, await archive('greeter', files));
    expect(at.everyByte().includes(marker)).toBe(false);
    gate.resolve();
    await follow(at.functions, alice, started.operations[0]!.buildId);
    expect((await at.functions.get(alice, 'greeter')).versions[0]?.readme).toBe(marker);
    expect(at.everyByte().includes(marker)).toBe(false);
  });

  it('logs nothing of the source, of names or of tool output', async () => {
    at.build = async ({ onProgress }) => {
      onProgress('MARKER line');
      throw new BuildFailure('MARKER failure');
    };
    await at.deployed(alice, 'greeter', { 'index.js': 'MARKER source' });
    expect(at.logged.join('')).not.toMatch(/MARKER|greeter/);
    expect(at.logged.join('')).toContain('build.finished');
  });
});

describe('a bad build', () => {
  it('keeps the tool’s own words, bounded, and the version number stays free', async () => {
    await at.deployed(alice, 'greeter');
    at.build = () => Promise.reject(new BuildFailure(`\u001B[31mnpm error\u001B[0m ${'ä'.repeat(20_000)}`));
    const bad = await at.deployed(alice, 'greeter');
    expect(bad.deployingVersion).toBe(2);
    const [listed, ...more] = await at.functions.badBuilds(alice);
    expect(more).toEqual([]);
    expect(listed).toMatchObject({ id: bad.buildId, shortname: 'greeter', name: 'The greeter' });
    expect(listed?.errorDetails).toMatch(/^npm error ä/);
    expect(Buffer.byteLength(listed?.errorDetails ?? '')).toBeLessThanOrEqual(8 * 1024);
    expect(bad.events.slice(-2)).toEqual([
      { type: 'status', status: 'FAILED' },
      { type: 'failed', errorDetails: listed?.errorDetails },
    ]);
    expect(await follow(at.functions, alice, bad.buildId)).toEqual(bad.events.slice(-2));
    at.build = async ({ source }) => ({ code: source, layer: null, runtimeDetail: 'Node 22.23.3' });
    expect((await at.deployed(alice, 'greeter')).deployingVersion).toBe(2);
  });

  it('leaves no upload, no code and no key', async () => {
    at.smokeTest = () => Promise.reject(new BuildFailure('Example is not a function'));
    const bad = await at.deployed(alice, 'greeter');
    expect(statuses(bad.events)).toEqual(['QUEUED', 'BUILDING', 'STARTING', 'FAILED']);
    expect(at.blobs()).toEqual([]);
    expect(await at.keyRing.find(`upload/${bad.buildId}`)).toBeUndefined();
    expect(at.functions.directory.find(idsOf(bad)[0] ?? '')).toBeUndefined();
    expect(await at.functions.library(alice)).toEqual([]);
  });

  it('shows nothing of an internal fault', async () => {
    at.build = () => Promise.reject(new Error('ENOENT /secret/place'));
    await at.deployed(alice, 'greeter');
    const [bad] = await at.functions.badBuilds(alice);
    expect(bad?.errorDetails).toMatch(/^The platform failed/);
    expect(bad?.errorDetails).not.toContain('secret');
  });

  it('comes of a build that passes its deadline, even when the tool ignores the signal', async () => {
    at.deadlineMs = 20;
    await at.crash();
    at.build = () => new Promise(() => undefined);
    const bad = await at.deployed(alice, 'greeter');
    expect(bad.events.at(-1)).toMatchObject({ errorDetails: expect.stringContaining('took longer than') });
    at.build = async ({ source }) => ({ code: source, layer: null, runtimeDetail: 'Node 22.23.3' });
    at.deadlineMs = 600_000;
    await at.crash();
    expect(statuses((await at.deployed(alice, 'greeter')).events).at(-1)).toBe('DEPLOYED');
  });

  it('is cleaned by its owner, and a function that was nothing but bad builds goes with the last', async () => {
    at.build = () => Promise.reject(new BuildFailure('no'));
    const first = await at.deployed(alice, 'greeter');
    const second = await at.deployed(alice, 'greeter');
    await expect(at.functions.cleanBadBuild(bob, first.buildId)).rejects.toMatchObject({ kind: 'not_found' });
    expect((await at.functions.cleanBadBuild(alice, first.buildId)).functions).toEqual([]);
    expect(await at.functions.cleanBadBuild(alice, second.buildId)).toEqual({
      buildId: second.buildId,
      functions: ['greeter'],
    });
    expect(await at.functions.exists('greeter')).toBe(false);
  });

  it('is one of ten kept for a function', async () => {
    at.build = () => Promise.reject(new BuildFailure('no'));
    let last = '';
    for (let i = 0; i < 12; i++) last = (await at.deployed(alice, 'greeter')).buildId;
    const bad = await at.functions.badBuilds(alice);
    expect(bad).toHaveLength(10);
    expect(bad[0]?.id).toBe(last);
  });
});

describe('the build’s progress', () => {
  it('reaches every watcher live, and nobody but the uploader', async () => {
    const gate = Promise.withResolvers<void>();
    at.build = async ({ onProgress, source }: BuildRequest) => {
      onProgress('added 68 packages');
      await gate.promise;
      return { code: source, layer: null, runtimeDetail: 'Node 22.23.3' };
    };
    const { operations } = await at.functions.deploy(alice, await archive('greeter'));
    const { buildId } = operations[0]!;
    const watchers = [follow(at.functions, alice, buildId), follow(at.functions, alice, buildId)];
    await expect(follow(at.functions, bob, buildId)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(at.functions.buildStatus(bob, buildId)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(at.functions.buildStatus(alice, 'bld_none')).rejects.toMatchObject({ kind: 'not_found' });
    gate.resolve();
    for (const events of await Promise.all(watchers)) {
      expect(events).toContainEqual({ type: 'line', text: 'added 68 packages' });
      expect(events.at(-1)).toEqual({ type: 'status', status: 'DEPLOYED' });
    }
  });
});
