import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type OutsideServer,
  type Platform,
  type ScriptedModel,
  createClient,
  startOutsideServer,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { startCanaryRun } from './harness/canary.ts';
import { type Script, deployTool, exerciseQueries, exerciseSources } from './exercise-ai.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';
import { checkoutOf } from './mutants.ts';
import { AI_MUTANTS } from './service-mutants.ts';
import { readAllStores } from './open-stores.ts';
import type { Leak } from './harness/sweep.ts';

/** P7 to P9: of a question in words, its tools and its answer nothing stays but records with the six fields of D1. */
const startedAt = Date.now();
const run = startCanaryRun();
const script: Script = { replies: [] };
let model: ScriptedModel;
let server: OutsideServer;
let platform: Platform;
let client: Client;

beforeAll(async () => {
  model = await startScriptedModel(() => script.replies.shift() ?? { text: 'nothing more to say' });
  server = await startOutsideServer([]);
  platform = await start();
  client = createClient(platform.url, platform.apiKey);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
  await model.close();
  await server.close();
});

function start(checkout?: string): Promise<Platform> {
  return startPlatform({
    ...(checkout !== undefined && { checkout }),
    layersOf: inject('platform').dataDir,
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_MCP_ALLOWED_HOSTS: '127.0.0.1',
      JELLYFAAS_MODEL_KEY: `key-${run.mark('model key')}`,
    },
  });
}

/** The operator gives the key by environment: there it may stand, in the server's own process and nowhere else. */
const tellButKey = (leaks: readonly Leak[]): string[] =>
  tell(leaks, run).filter((line) => !/^model key in pid \d+ environ \(/.test(line));

describe('a question leaves nothing of its words, tools and answers', () => {
  it('in processes and in any answer of the platform', async () => {
    await deployTool(client);
    await exerciseQueries(client, script, run);
    await exerciseSources(client, { script, server }, run);
    // Two calls that were answered and one that failed, beside the one of the source that is gone.
    expect(server.requests.filter(({ rpc }) => rpc === 'tools/call')).toHaveLength(4);
    expect(run.sinks.size).toBeGreaterThan(45);
    expect(model.requests.length).toBeGreaterThan(15);
    expect(tellButKey(await inspectRunning(platform, client, run))).toEqual([]);
  });

  it('on disk, in stores opened with all keys, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tellButKey(await inspectStopped(platform, run, startedAt))).toEqual([]);
  });

  it('but records that tell neither model nor tokens nor tools', async () => {
    const records = (await readAllStores(platform.dataDir)).filter(({ table }) => table === 'call');
    const queries = records.filter(({ row }) => String(row['function_id']).endsWith('q'));
    expect(queries.length).toBeGreaterThan(8);
    for (const { row } of records) {
      expect(Object.keys(row).toSorted()).toEqual([
        'account_id',
        'duration_ms',
        'function_id',
        'ok',
        'origin_ip',
        'version',
      ]);
    }
  });
});

describe('the harness catches', () => {
  for (const mutant of AI_MUTANTS) {
    it(mutant.name, async () => {
      const from = Date.now();
      const checkout = checkoutOf(mutant);
      const leaky = await start(checkout);
      const marks = startCanaryRun();
      try {
        const user = createClient(leaky.url, leaky.apiKey);
        await deployTool(user);
        await exerciseQueries(user, script, marks);
        await exerciseSources(user, { script, server }, marks);
        await leaky.stop();
        expect(await inspectStopped(leaky, marks, from)).not.toEqual([]);
      } finally {
        await leaky.crash();
        leaky.remove();
        rmSync(checkout, { recursive: true, force: true });
      }
    });
  }
});
