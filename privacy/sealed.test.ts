import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type SealedCaller, createSealedCaller } from '../acceptance/sealed-caller.ts';
import {
  type Client,
  type Deployed,
  type Platform,
  createClient,
  fixtureFiles,
  startPlatform,
} from '../testkit/index.ts';
import { type CanaryRun, needlesFor, startCanaryRun } from './harness/canary.ts';
import { sweepMemory } from './harness/memory.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';

/**
 * The server carries sealed calls and can read none: a canary goes through every part of them, and the memory of the
 * server is searched as whoever took it over could.
 */
const startedAt = Date.now();
const run = startCanaryRun();
let platform: Platform;
let client: Client;
let probe: Deployed;
let sealed: SealedCaller;

beforeAll(async () => {
  platform = await startPlatform({ layersOf: inject('platform').dataDir });
  client = createClient(platform.url, platform.apiKey);
  probe = await client.deploy('sealed', fixtureFiles('probe', { shortname: 'sealed' }));
  sealed = createSealedCaller(client, probe);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

const inMemory = (of: CanaryRun): string[] => tell(sweepMemory(platform.pid, needlesFor(of.stem)), of);
const COPIES = 100_000;

describe('the server holds nothing of a sealed call', () => {
  it('in its memory or any file while the answer is on its way', async () => {
    const content = `${run.mark('body and answer in flight')} `.repeat(COPIES);
    const path = `/${run.mark('path in flight')}?do=raw&q=${run.mark('query in flight')}`;
    const headers = [
      ['content-type', 'text/plain'],
      ['x-secret', run.mark('header in flight')],
    ] as const;
    const answer = sealed.stream({ path, headers, content });
    // The rest of it waits, in the server too, until somebody reads on.
    const first = await answer.next();
    expect(first.value).toContain(run.stem);
    expect(inMemory(run)).toEqual([]);
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
    let length = String(first.value).length;
    for await (const piece of answer) length += piece.length;
    expect(length).toBe(content.length);
  });

  it('in its memory or any answer of its own after calls of every outcome', async () => {
    const call = async (path: string, content = '') => (await sealed.call({ path, content })).outer.status;
    expect(await call(`/?do=echo&q=${run.mark('query')}`, run.mark('body'))).toBe(200);
    expect(await call(`/?do=status&code=500&text=${run.mark('error text')}`)).toBe(200);
    expect(await call(`/?do=throw&text=${run.mark('thrown error')}`)).toBe(200);
    expect(await call(`/?do=log&text=${run.mark('console output')}`)).toBe(200);
    expect((await sealed.call({ method: 'FROB', path: `/${run.mark('no call')}` })).inner?.status).toBe(400);
    const { body } = await sealed.seal({ path: `/${run.mark('changed on the way')}` });
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    expect((await sealed.post(body)).status).toBe(400);
    expect(await call(`/?do=exit&q=${run.mark('exit in mid-call')}`, run.mark('exit body'))).toBe(502);
    expect(inMemory(run)).toEqual([]);
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
  });

  it('while the same search finds a plain one, as its answer passes', async () => {
    const plain = startCanaryRun();
    const body = `${plain.mark('body and answer')} `.repeat(COPIES);
    const path = `?do=raw&q=${plain.mark('query')}`;
    const headers = { 'content-type': 'text/plain' };
    const answer = await client.call(probe, path, { method: 'POST', body, headers });
    expect(inMemory(plain)).toContainEqual(expect.stringContaining('body and answer in memory'));
    await answer.body?.cancel();
  });

  it('on disk, in stores opened with all keys, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tell(await inspectStopped(platform, run, startedAt), run)).toEqual([]);
  });
});
