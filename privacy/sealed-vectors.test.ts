import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type JellyFaaS, jellyfaas } from '../clients/sdk/src/index.ts';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type CanaryRun, needlesFor, startCanaryRun } from './harness/canary.ts';
import { sweepMemory } from './harness/memory.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';

/** The server carries sealed documents, searches and what is found, and can read none: its memory is searched for them. */
const startedAt = Date.now();
const run = startCanaryRun();
let platform: Platform;
let owner: Client;
let client: JellyFaaS;

beforeAll(async () => {
  platform = await startPlatform({
    layersOf: inject('platform').dataDir,
    env: { JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel() },
  });
  owner = createClient(platform.url, platform.apiKey);
  client = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
  for (const name of ['sealed', 'plain']) await client.vectors(name).create();
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

const inMemory = (of: CanaryRun): string[] => tell(sweepMemory(platform.pid, needlesFor(of.stem)), of);

/** A document, a record, a search, a question and a removal, each with a canary. */
async function exercise(of: CanaryRun, name: string, sealed: boolean): Promise<void> {
  const vectors = client.vectors(name, { sealed });
  const text = Array.from({ length: 40 }, () => `The pump ${of.mark('document')} is stopped by a valve.`);
  const uploaded = await vectors.upload(new TextEncoder().encode(text.join('\n\n')), {
    fileName: `${of.mark('file name')}.txt`,
    id: of.mark('document id'),
    metadata: { note: of.mark('metadata') },
  });
  expect(uploaded.status).toBe('completed');
  await vectors.upsert([{ id: of.mark('record id'), text: of.mark('record') }]);
  const { hits } = await vectors.query(`pump ${of.mark('search')}`, {
    filter: { note: { ne: of.mark('filter') } },
  });
  expect(JSON.stringify(hits)).toContain(of.stem);
  const { citations } = await vectors.ask(`How is the pump ${of.mark('question')} stopped?`);
  expect(citations.length).toBeGreaterThan(0);
  const broken = vectors.upload(new TextEncoder().encode(`%PDF-1.4 ${of.mark('broken document')}`), {
    fileName: 'broken.pdf',
  });
  await expect(broken).rejects.toThrow();
  await vectors.deleteDocument(uploaded.documentId);
}

describe('the server holds nothing of a sealed document', () => {
  it('nor of what is searched, asked and found, in its memory or any answer of its own', async () => {
    await exercise(run, 'sealed', true);
    expect(inMemory(run)).toEqual([]);
    expect(tell(await inspectRunning(platform, owner, run), run)).toEqual([]);
  });

  it('while the same search finds a plain one', async () => {
    const plain = startCanaryRun();
    await exercise(plain, 'plain', false);
    expect(inMemory(plain).length).toBeGreaterThan(0);
  });

  it('on disk, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tell(await inspectStopped(platform, run, startedAt), run)).toEqual([]);
  });
});
