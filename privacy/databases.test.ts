import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { startCanaryRun } from './harness/canary.ts';
import { type Script, deployTool } from './exercise-ai.ts';
import { exerciseSql, exerciseVectors } from './exercise-databases.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped, sinksIn } from './inspect.ts';
import { checkoutOf } from './mutants.ts';
import { DATABASE_MUTANTS } from './service-mutants.ts';
import { readAllStores, readUnlocked } from './open-stores.ts';

/** P10 to P21: documents, passages, vectors, statements and rows lie nowhere but in files that only their owner opens. */
const startedAt = Date.now();
const run = startCanaryRun();
const script: Script = { replies: [] };
let model: ScriptedModel;
let embeddings: string;
let platform: Platform;
let client: Client;

beforeAll(async () => {
  embeddings = await fetchTestEmbeddingModel();
  model = await startScriptedModel(() => script.replies.shift() ?? { text: 'nothing more to say' });
  platform = await start();
  client = createClient(platform.url, platform.apiKey);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
  await model.close();
});

function start(checkout?: string): Promise<Platform> {
  return startPlatform({
    ...(checkout !== undefined && { checkout }),
    layersOf: inject('platform').dataDir,
    env: {
      JELLYFAAS_MODEL_URL: model.url,
      JELLYFAAS_MODEL_NAME: 'scripted',
      JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: embeddings,
    },
  });
}

function nameOf(sink: string): string {
  return [...run.sinks].find(([, name]) => name === sink)?.[0] ?? '';
}

describe('databases leave nothing of their content outside their own sealed files', () => {
  it('in processes, their open files, arguments and environments, and in any answer of the platform', async () => {
    await deployTool(client);
    await exerciseVectors({ client, script, run });
    await exerciseSql({ client, script, run });
    expect(run.sinks.size).toBeGreaterThan(50);
    expect(tell(await inspectRunning(platform, client, run), run)).toEqual([]);
  });

  it('on disk, in stores opened with every key that the service has, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tell(await inspectStopped(platform, run, startedAt), run)).toEqual([]);
  });

  it('even there not the file name, the question, the search or its vector', async () => {
    const databases = await readUnlocked(platform.dataDir, platform.apiKey);
    const sealed = sinksIn(databases.get(nameOf('name of a sealed database')) ?? [], run);
    expect(sealed).toEqual(['heading', 'metadata field', 'metadata value', 'passage']);
    const raw = sinksIn(databases.get(nameOf('name of a raw database')) ?? [], run);
    expect(raw).toEqual(expect.arrayContaining(['record id', 'record text', 'record metadata']));
    expect(raw).not.toEqual(expect.arrayContaining([expect.stringMatching(/query|filter/)]));
  });

  it('and in a strict one not a word of the document', async () => {
    const databases = await readUnlocked(platform.dataDir, platform.apiKey);
    const strict = databases.get(nameOf('name of a strict database')) ?? [];
    expect(strict.length).toBeGreaterThan(3);
    expect(sinksIn(strict, run)).toEqual(['metadata field', 'metadata value']);
  });

  it('but records that tell neither names nor tables nor sizes', async () => {
    const records = (await readAllStores(platform.dataDir)).filter(({ table }) => table === 'call');
    const kinds = new Set(records.map(({ row }) => String(row['function_id']).slice(-1)));
    expect([...kinds]).toEqual(expect.arrayContaining(['v', 's']));
    for (const { row } of records)
      expect(Object.keys(row).toSorted().join()).toBe(
        'account_id,duration_ms,function_id,ok,origin_ip,version',
      );
  });
});

describe('the harness catches', () => {
  for (const mutant of DATABASE_MUTANTS) {
    it(mutant.name, async () => {
      const from = Date.now();
      const leaky = await start(checkoutOf(mutant));
      const marks = startCanaryRun();
      try {
        const user = createClient(leaky.url, leaky.apiKey);
        await exerciseVectors({ client: user, script, run: marks });
        await exerciseSql({ client: user, script, run: marks });
        await leaky.stop();
        const leaks = await inspectStopped(leaky, marks, from).catch(String);
        expect(leaks).not.toEqual([]);
        if (typeof leaks === 'string') expect(leaks).toContain('a key of the service alone opens');
      } finally {
        await leaky.stop();
        leaky.remove();
      }
    });
  }
});
