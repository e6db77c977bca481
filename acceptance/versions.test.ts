import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Platform,
  createClient,
  fixtureFiles,
  startPlatform,
  zip,
} from '../testkit/index.ts';

/** Deploys, calls and idleness at the same time: nobody notices. The platform lets instances go after a second. */
let platform: Platform;
let owner: Client;

beforeAll(async () => {
  platform = await startPlatform({
    layersOf: inject('platform').dataDir,
    env: { JELLYFAAS_INSTANCE_IDLE_SECONDS: '1', JELLYFAAS_PREBOOTED_WORKERS: '0' },
  });
  owner = createClient(platform.url, platform.apiKey);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

/** A function that says which version it is. */
function versioned(shortname: string, version: number): Record<string, string | Uint8Array> {
  return {
    ...fixtureFiles('probe', { shortname }),
    'index.js': `exports.probe = (req, res) => res.send('version ${version}');`,
  };
}

async function newestUrl(shortname: string): Promise<string> {
  const response = await fetch(`${platform.url}/auth-service/v1/lookup?id=${shortname}`, {
    headers: { 'x-jf-apikey': platform.apiKey },
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { dns: string }).dns;
}

/** Workers that live now, over all runtimes, as the metrics count them. */
async function instances(): Promise<number> {
  const text = await (await fetch(`${platform.url}/metrics`)).text();
  return [...text.matchAll(/^jellyfaas_instances\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

async function untilNothingRuns(): Promise<void> {
  while ((await instances()) > 0) await new Promise((done) => setTimeout(done, 50));
}

describe('deploying', () => {
  it('the same function twice at once: one build, the other is told to wait', async () => {
    // Its start takes longer than the other upload's way to the server.
    const slow = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);\nexports.probe = () => {};`;
    const archive = await zip('vertwice', { ...versioned('vertwice', 1), 'index.js': slow });
    const [one, two] = await Promise.all([
      owner.upload('vertwice', archive),
      owner.upload('vertwice', archive),
    ]);
    const [accepted, refused] = one.status === 200 ? [one, two] : [two, one];
    expect([accepted.status, refused.status]).toEqual([200, 409]);
    expect(await refused.json()).toEqual({
      errorId: 'functions.deploy_in_progress',
      errorMessage: expect.stringContaining('vertwice'),
    });
    const { deployedDetails } = (await accepted.json()) as { deployedDetails: { opid: string }[] };
    const events = await fetch(`${platform.url}/api/v1/builds/${deployedDetails[0]?.opid}/events`, {
      headers: { 'x-jf-apikey': platform.apiKey },
    });
    expect(await events.text()).toContain('DEPLOYED');
    expect((await owner.deploy('vertwice', versioned('vertwice', 2))).version).toBe(2);
  });

  it('a new version fails no call: neither of the old version nor of whatever is the newest', async () => {
    const first = await owner.deploy('verlive', versioned('verlive', 1));
    const token = await owner.token();
    let deploying = true;
    const outcomes = new Map<string, number>();
    const caller = async (target: () => Promise<string>): Promise<void> => {
      while (deploying) {
        const response = await fetch(await target(), { headers: { jfwt: token } });
        const outcome = `${response.status} ${await response.text()}`;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    const callers = [
      caller(async () => first.url),
      caller(async () => first.url),
      caller(() => newestUrl('verlive')),
    ];
    for (const version of [2, 3]) await owner.deploy('verlive', versioned('verlive', version));
    // The newest version is called at least once before the callers stop.
    while (!outcomes.has('200 version 3')) await new Promise((done) => setTimeout(done, 10));
    deploying = false;
    await Promise.all(callers);
    expect([...outcomes.keys()].filter((outcome) => !/^200 version [123]$/.test(outcome))).toEqual([]);
    expect(outcomes.get('200 version 1')).toBeGreaterThan(1);
  });

  it('a version whose deletion comes during calls ends them as there or not there, and no way else', async () => {
    const first = await owner.deploy('vergone', versioned('vergone', 1));
    await owner.deploy('vergone', versioned('vergone', 2));
    const calls = Array.from({ length: 20 }, () => owner.call(first));
    const removed = fetch(`${platform.url}/api/v1/functions/vergone?version=1`, {
      method: 'DELETE',
      headers: { 'x-jf-apikey': platform.apiKey },
    });
    const statuses = await Promise.all(calls.map(async (call) => (await call).status));
    expect((await removed).status).toBe(204);
    expect(statuses.filter((status) => status !== 200 && status !== 404)).toEqual([]);
    expect((await owner.call(first)).status).toBe(404);
  });
});

describe('idle', () => {
  it('instances end, and the next call is answered all the same', async () => {
    const idle = await owner.deploy('veridle', fixtureFiles('probe', { shortname: 'veridle' }));
    const count = async (): Promise<number> =>
      ((await (await owner.call(idle, '?do=count')).json()) as { calls: number }).calls;
    expect(await count()).toBe(1);
    expect(await instances()).toBeGreaterThan(0);
    await untilNothingRuns();
    // A new instance: it counts from the start.
    expect(await count()).toBe(1);
  });

  it('a hundred first calls at once on nothing running are all answered', async () => {
    const crowd = await owner.deploy('vercrowd', fixtureFiles('probe', { shortname: 'vercrowd' }));
    await untilNothingRuns();
    const calls = Array.from({ length: 100 }, async (_, i) => {
      const response = await owner.call(crowd, `?do=status&code=200&text=${i}`);
      return [response.status, await response.text()];
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, i) => [200, String(i)]));
  });

  it('a call that runs longer than the idle time is not cut', async () => {
    const slow = await owner.deploy('verslow', fixtureFiles('probe', { shortname: 'verslow' }));
    const response = await owner.call(slow, '?do=stream&chunks=6&every=500');
    expect(await response.text()).toBe('chunk 5\nchunk 4\nchunk 3\nchunk 2\nchunk 1\nchunk 0\n');
  });
});
