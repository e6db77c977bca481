import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Deployed,
  type Platform,
  createClient,
  fixtureFiles,
  startPlatform,
  zip,
} from '../testkit/index.ts';
import { leftovers, processTree, stillRunning } from './server-process.ts';

/** What is acknowledged survives the end of the process, however it ends. One data directory goes through it all. */
let platform: Platform;
let owner: Client;
let steady: Deployed;

beforeAll(async () => {
  platform = await startPlatform({ layersOf: inject('platform').dataDir });
  owner = createClient(platform.url, platform.apiKey);
  steady = await owner.deploy('recsteady', fixtureFiles('probe', { shortname: 'recsteady' }));
});

afterEach(async () => {
  expect((await owner.call(steady, '?do=count')).status).toBe(200);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

/** Starts the platform again on what the last one left. */
async function restart(): Promise<void> {
  platform = await startPlatform({ dataDir: platform.dataDir });
  owner = createClient(platform.url, platform.apiKey);
}

async function acknowledged(files: Record<string, string | Uint8Array>, shortname: string) {
  const upload = await owner.upload(shortname, await zip(shortname, files));
  expect(upload.status).toBe(200);
  const answer = (await upload.json()) as { deployedDetails: { opid: string; urlLocation: string }[] };
  const operation = answer.deployedDetails[0];
  const deploymentId = new URL(operation?.urlLocation ?? '').pathname.slice(1);
  return { buildId: operation?.opid ?? '', deployment: { ...steady, shortname, deploymentId } };
}

function buildEvents(buildId: string): Promise<Response> {
  return fetch(`${platform.url}/api/v1/builds/${buildId}/events`, {
    headers: { 'x-jf-apikey': platform.apiKey },
  });
}

/** Follows a build until its events say `text`; false when they end without it. */
async function reaches(buildId: string, text: string): Promise<boolean> {
  const decoder = new TextDecoder();
  let seen = '';
  const { body } = await buildEvents(buildId);
  for await (const chunk of body ?? []) {
    seen += decoder.decode(chunk, { stream: true });
    if (seen.includes(text)) return true;
  }
  return false;
}

/** Dependencies that nothing else asks for, so that they have to be installed. */
function withDependency(shortname: string): Record<string, string | Uint8Array> {
  return {
    ...fixtureFiles('probe', { shortname }),
    'package.json': '{"dependencies":{"nanoid":"3.3.2"}}',
  };
}

describe('memory of the server', () => {
  it('is written to disk by no crash, and shown by no debugger', async () => {
    const limits = readFileSync(`/proc/${platform.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size\s+0\s+0\s/m);
    process.kill(platform.pid, 'SIGUSR1');
    // Answered calls follow the signal; a debugger would have told of itself by then.
    for (let calls = 0; calls < 5; calls++) expect((await owner.call(steady, '?do=count')).status).toBe(200);
    expect(platform.output()).not.toContain('Debugger listening');
  });
});

describe('killed in the middle of a build', () => {
  it('the next start ends it, and the function answers', async () => {
    const installing = await acknowledged(withDependency('recinstall'), 'recinstall');
    expect(await reaches(installing.buildId, 'Installing dependencies.')).toBe(true);
    const queued = await acknowledged(fixtureFiles('probe', { shortname: 'recqueued' }), 'recqueued');
    await platform.crash();

    await restart();
    expect(platform.output()).toMatch(/"event":"build.resumed","count":[12]/);
    for (const { buildId, deployment } of [installing, queued]) {
      expect(await reaches(buildId, 'DEPLOYED')).toBe(true);
      expect((await owner.call(deployment, '?do=count')).status).toBe(200);
    }
    const { badBuilds } = (await (await owner.core('GET', '/badbuilds')).json()) as { badBuilds: unknown[] };
    expect(badBuilds).toEqual([]);
  });

  it('while the new version starts: the old one serves on, the new one is finished', async () => {
    // Loading takes longer than the kill.
    const slow = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);\n`;
    const files = fixtureFiles('probe', { shortname: 'recsteady' });
    const second = await acknowledged(
      { ...files, 'index.js': slow + String(files['index.js']) },
      'recsteady',
    );
    expect(await reaches(second.buildId, 'STARTING')).toBe(true);
    await platform.crash();

    await restart();
    expect((await owner.call(steady, '?do=count')).status).toBe(200);
    expect(await reaches(second.buildId, 'DEPLOYED')).toBe(true);
    expect((await owner.call(second.deployment, '?do=count')).status).toBe(200);
  });
});

describe('killed under load', () => {
  // Written ten times a second, by a server that here gets but a part of the processors.
  const LAST_MOMENT_MS = 1000;

  it('leaves no process, no control group and no mount, and the records of all but the last moment', async () => {
    const loaded = await owner.deploy('recloaded', fixtureFiles('probe', { shortname: 'recloaded' }));
    const answeredAt: number[] = [];
    let killed = false;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const caller = async (): Promise<void> => {
      while (!killed) {
        const response = await owner.call(loaded, '?do=count').catch(() => undefined);
        if (response?.status === 200) answeredAt.push(performance.now());
        await response?.arrayBuffer().catch(() => undefined);
        if (answeredAt.length >= 600 && performance.now() - (answeredAt[0] ?? 0) > 2 * LAST_MOMENT_MS)
          resolve();
      }
    };
    const callers = Array.from({ length: 4 }, caller);
    await enough;
    const { pid } = platform;
    const tree = processTree(pid);
    expect(tree.length).toBeGreaterThan(1);
    const before = performance.now();
    await platform.crash();
    killed = true;
    await Promise.all(callers);

    // Jails die with the server; that tells nobody, so this asks until they are gone.
    while (stillRunning(tree).length > 0) await new Promise((done) => setTimeout(done, 20));
    await restart();
    expect(leftovers(pid)).toEqual([]);
    const due = answeredAt.filter((at) => at < before - LAST_MOMENT_MS).length;
    expect(due).toBeGreaterThan(0);
    const response = await fetch(`${platform.url}/api/v1/calls?function=recloaded`, {
      headers: { 'x-jf-apikey': platform.apiKey },
    });
    const { calls } = (await response.json()) as { calls: { ok: boolean }[] };
    expect(calls.length).toBeGreaterThanOrEqual(due);
    expect(calls.every(({ ok }) => ok)).toBe(true);
    expect((await owner.call(loaded, '?do=count')).status).toBe(200);
  });
});

describe('told to stop', () => {
  it('lets running calls finish, refuses new ones, and exits 0 without a trace', async () => {
    const streaming = await owner.call(steady, '?do=stream&chunks=20&every=100');
    const pieces: string[] = [];
    const { pid } = platform;
    const tree = processTree(pid);
    let stopped: Promise<number | null> | undefined;
    const decoder = new TextDecoder();
    for await (const piece of streaming.body ?? []) {
      pieces.push(decoder.decode(piece));
      stopped ??= platform.stop();
    }
    expect(pieces.join('')).toBe(Array.from({ length: 20 }, (_, i) => `chunk ${19 - i}\n`).join(''));
    expect(await stopped).toBe(0);
    await expect(fetch(`${platform.url}/health/live`)).rejects.toThrow();
    while (stillRunning(tree).length > 0) await new Promise((done) => setTimeout(done, 20));
    expect(leftovers(pid)).toEqual([]);
    await restart();
  });

  it('in the middle of a build: exits 0, and the next start ends the build', async () => {
    const files = { ...withDependency('recstopped'), 'package.json': '{"dependencies":{"nanoid":"3.3.3"}}' };
    const build = await acknowledged(files, 'recstopped');
    expect(await reaches(build.buildId, 'Installing dependencies.')).toBe(true);
    expect(await platform.stop()).toBe(0);
    await restart();
    expect(await reaches(build.buildId, 'DEPLOYED')).toBe(true);
    expect((await owner.call(build.deployment, '?do=count')).status).toBe(200);
  });
});
