import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { startCanaryRun } from './harness/canary.ts';
import { type Probes, deployProbes, exerciseCalls } from './exercise.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped, sealedFiles } from './inspect.ts';
import { readAllStores } from './open-stores.ts';

/** P5 and P6: of a call nothing stays but the record's six fields. A canary goes through every input; none may be found. */
const startedAt = Date.now();
const run = startCanaryRun();
let platform: Platform;
let client: Client;
let probes: Probes;

beforeAll(async () => {
  platform = await startPlatform({ layersOf: inject('platform').dataDir });
  client = createClient(platform.url, platform.apiKey);
  probes = await deployProbes(client, run);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

describe('a call leaves nothing of what was passed or returned', () => {
  it('in open or unlinked files, arguments or environments while calls run', async () => {
    const body = `${run.mark('body in flight')} `.repeat(400_000);
    const busy = Array.from({ length: 4 }, () =>
      client.call(probes.patient, `?do=sleep&ms=1500&q=${run.mark('query in flight')}`, {
        method: 'POST',
        body,
      }),
    );
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
    await Promise.all(busy.map(async (call) => (await call).arrayBuffer()));
  });

  it('in any answer of the platform after every kind of call', async () => {
    await exerciseCalls(client, probes, run);
    expect(run.sinks.size).toBeGreaterThan(45);
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
  });

  it('on disk, in stores opened with all keys, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tell(await inspectStopped(platform, run, startedAt), run)).toEqual([]);
    expect(sealedFiles(platform.dataDir).length).toBe(3);
  });

  it('but its record, with exactly the fields of decision D1', async () => {
    const records = (await readAllStores(platform.dataDir)).filter(({ store }) => store.startsWith('calls/'));
    const calls = records.filter(({ table }) => table === 'call');
    expect(calls.length).toBeGreaterThan(25);
    for (const { row } of calls) {
      expect(Object.keys(row).toSorted()).toEqual([
        'account_id',
        'duration_ms',
        'function_id',
        'ok',
        'origin_ip',
        'version',
      ]);
      expect(row).toMatchObject({
        account_id: expect.stringMatching(/^acct_[0-9A-Za-z]{20}$/),
        function_id: expect.stringMatching(/^fn_[0-9A-Za-z]{20}$/),
        origin_ip: '127.0.0.1',
        version: expect.any(Number),
        duration_ms: expect.any(Number),
        ok: expect.toBeOneOf([0, 1]),
      });
    }
  });
});
