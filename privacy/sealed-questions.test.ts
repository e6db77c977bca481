import { type JellyFaaS, jellyfaas } from '../clients/sdk/src/index.ts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Platform,
  type ScriptedModel,
  type ScriptedReply,
  createClient,
  startPlatform,
} from '../testkit/index.ts';
import { startModelOverTls } from '../testkit/model-over-tls.ts';
import { type CanaryRun, needlesFor, startCanaryRun } from './harness/canary.ts';
import { type Script, deployTool } from './exercise-ai.ts';
import { sweepMemory } from './harness/memory.ts';
import { tell } from './harness/sweep.ts';
import { inspectRunning, inspectStopped } from './inspect.ts';

/** The server carries sealed questions and can read none: what they say, and what is said for them, is searched in its memory. */
const startedAt = Date.now();
const run = startCanaryRun();
const script: Script = { replies: [] };
let model: ScriptedModel;
let platform: Platform;
let owner: Client;
let client: JellyFaaS;

beforeAll(async () => {
  const over = await startModelOverTls(() => script.replies.shift() ?? { text: 'no more script' });
  model = over;
  platform = await startPlatform({ layersOf: inject('platform').dataDir, env: over.env });
  owner = createClient(platform.url, platform.apiKey);
  await deployTool(owner);
  client = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
  await model.close();
});

const inMemory = (of: CanaryRun): string[] => tell(sweepMemory(platform.pid, needlesFor(of.stem)), of);

async function expectNothing(): Promise<void> {
  expect(inMemory(run)).toEqual([]);
  expect(tell(await inspectRunning(platform, owner, run), run)).toEqual([]);
}

const call = (of: CanaryRun, sink: string, action: object): ScriptedReply => ({
  toolCalls: [{ name: 'aiprobe', arguments: { text: of.mark(sink), ...action } }],
});

/** Asks with a canary everywhere, and looks while half of the answer is still at the model. */
async function askLooking(of: CanaryRun, sealed: boolean, look: () => Promise<void>): Promise<string> {
  const gate = Promise.withResolvers<void>();
  script.replies = [
    call(of, 'argument and result', { do: 'status', code: '200' }),
    { text: `${of.mark('answer')} and more`, writeBytes: 500, beforeWrite: () => gate.promise },
  ];
  const asked = client.ask(of.mark('question'), {
    functions: ['aiprobe'],
    history: [{ role: 'user', content: of.mark('history') }],
    trace: true,
    stream: true,
    sealed,
  });
  for await (const event of asked) {
    if (event.type === 'tool-result') {
      expect(event).toMatchObject({ ok: true, result: expect.stringContaining(of.stem) });
      await look().finally(() => gate.resolve());
    }
    if (event.type === 'answer') return event.answer;
  }
  return '';
}

/** Whatever comes of it. */
const outcome = (asked: Promise<unknown>): Promise<unknown> => asked.catch((thrown: unknown) => thrown);

describe('the server holds nothing of a sealed question', () => {
  it('in its memory or any file while it is answered, its functions among it', async () => {
    expect(await askLooking(run, true, expectNothing)).toContain(run.stem);
    await expectNothing();
  });

  it('in its memory or any answer of its own after every outcome', async () => {
    const ask = (sink: string, functions: readonly string[] = []): Promise<unknown> =>
      outcome(client.ask(run.mark(sink), { sealed: true, trace: true, functions }));

    script.replies = [{ text: run.mark('answer, whole') }];
    expect(await ask('question, whole')).toHaveProperty('answer');
    script.replies = [{ status: 401 }];
    expect(await ask('question that the model repeats in its error')).toHaveProperty('errorId');
    const cut = { text: run.mark('answer cut in the middle').repeat(20), cutAfterBytes: 300 };
    script.replies = [cut, cut, cut, cut];
    expect(await ask('question whose answer is cut')).toHaveProperty('errorId');
    script.replies = [call(run, 'thrown error', { do: 'throw' }), { text: 'it failed' }];
    expect(await ask('question with a function that throws', ['aiprobe'])).toHaveProperty('answer');
    script.replies = [call(run, 'exit in mid-call', { do: 'exit' }), { text: 'it ended' }];
    expect(await ask('question with a function that ends', ['aiprobe'])).toHaveProperty('answer');
    script.replies = [
      { toolCalls: [{ name: 'aiprobe', arguments: `{"do": "${run.mark('broken arguments')}` }] },
      { text: 'no' },
    ];
    expect(await ask('question with broken arguments', ['aiprobe'])).toHaveProperty('answer');
    expect(await ask('question to no function', ['nothere'])).toHaveProperty('errorId');
    expect(await outcome(client.ask('x', { sealed: true, platform: 'nowhere' }))).toHaveProperty('errorId');
    await expectNothing();
  });

  it('in its memory or any file when its client leaves', async () => {
    script.replies = [{ text: run.mark('answer that nobody waits for'), hang: 'after-first-write' }];
    const leaving = new AbortController();
    const from = model.requests.length;
    const asked = outcome(client.ask(run.mark('left'), { sealed: true, signal: leaving.signal }));
    await expect.poll(() => model.requests.length).toBe(from + 1);
    leaving.abort();
    await asked;
    await model.requests.at(-1)?.ended;
    await expectNothing();
  });

  it('while the same search finds a plain one, as it is answered', async () => {
    const plain = startCanaryRun();
    await askLooking(plain, false, async () => {
      // Of marks that lie close together the search names one.
      const found = inMemory(plain).join('\n');
      expect(found).toMatch(/(?:question|history) in memory/);
      expect(found).toContain('argument and result in memory');
    });
  });

  it('on disk, in stores opened with all keys, in logs or temporary directories', async () => {
    expect(await platform.stop()).toBe(0);
    expect(tell(await inspectStopped(platform, run, startedAt), run)).toEqual([]);
  });
});
