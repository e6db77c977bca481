import { jellyfaas } from '../clients/sdk/src/index.ts';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { fetchTestModel } from '../tools/fetch-test-model.mjs';
import { needlesFor, startCanaryRun } from './harness/canary.ts';
import { sweepMemory } from './harness/memory.ts';
import { deployTool } from './exercise-ai.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';

/** The embedded model, fetched as an operator would: it answers, and its process keeps and writes nothing. */
const modelPath = await fetchTestModel().catch((error: unknown) => {
  if (process.env['CI'] !== undefined) throw error;
  return undefined;
});
/** The smallest model rambles, so its answers are given a form that ends. */
const GREETING = {
  type: 'object',
  properties: { greeting: { type: 'string', maxLength: 12 } },
  required: ['greeting'],
};
const startedAt = Date.now();
const run = startCanaryRun();
let platform: Platform;
let client: Client;

describe.skipIf(modelPath === undefined)(
  'the embedded model (skipped where its weights cannot be had)',
  () => {
    beforeAll(async () => {
      const source = modelPath ?? '';
      platform = await startPlatform({
        layersOf: inject('platform').dataDir,
        env: {
          JELLYFAAS_MODEL_SOURCE: pathToFileURL(source).href,
          JELLYFAAS_MODEL_SHA256: createHash('sha256').update(readFileSync(source)).digest('hex'),
        },
      });
      client = createClient(platform.url, platform.apiKey);
      await deployTool(client);
    });

    afterAll(async () => {
      await platform.stop();
      platform.remove();
    });

    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${platform.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-jf-apikey': platform.apiKey },
        body: JSON.stringify(body),
      });

    it('is fetched, checked and then answers in the form that was asked for', async () => {
      const before = await post('/api/v1/ai/query', { question: 'Hello?' });
      expect(before.ok).toBe(false);
      expect(await (await post('/api/v1/models/pull', {})).text()).toContain('"done"');
      const response = await post('/api/v1/ai/query', {
        question: `Greet: ${run.mark('question to the embedded model')}`,
        responseSchema: GREETING,
      });
      expect(response.status).toBe(200);
      const answer = (await response.json()) as { answer: string; platform: string; retention: string };
      expect(answer).toMatchObject({ platform: 'embedded', retention: 'none' });
      expect(JSON.parse(answer.answer)).toEqual({ greeting: expect.any(String) });
    });

    it('calls functions only with arguments that satisfy their schema', async () => {
      const response = await post('/api/v1/ai/query', {
        question: `Call aiprobe with do set to count. Note: ${run.mark('question with a function')}`,
        functions: ['aiprobe'],
        trace: true,
      });
      const { trace = [] } = (await response.json()) as { trace?: { type: string }[] };
      expect(trace.filter(({ type }) => type === 'tool-refused')).toEqual([]);
    });

    it('answers a sealed question in the jail of whoever asks, and the server holds nothing of it', async () => {
      const sealed = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
      const hidden = startCanaryRun();
      const { answer, ...by } = await sealed.ask(`Greet: ${hidden.mark('sealed question')}`, {
        responseSchema: GREETING,
        sealed: true,
      });
      expect(JSON.parse(answer)).toEqual({ greeting: expect.any(String) });
      const name = basename(modelPath ?? '', '.gguf');
      expect(by).toEqual({ platform: 'embedded', model: name, retention: 'none', finish: 'complete' });
      expect(sweepMemory(platform.pid, needlesFor(hidden.stem))).toEqual([]);
      expect(await inspectRunning(platform, client, hidden)).toEqual([]);
    });

    it('leaves nothing of a question in its process, on disk, in logs or temporary directories', async () => {
      expect(await inspectRunning(platform, client, run)).toEqual([]);
      expect(await platform.stop()).toBe(0);
      expect(await inspectStopped(platform, run, startedAt)).toEqual([]);
    });
  },
);
