import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JellyFaaS, type JellyFaaSError, jellyfaas } from '../clients/sdk/src/index.ts';
import { QUESTIONS_ID } from '../clients/sdk/src/sealed/index.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Platform,
  type ScriptedModel,
  type ScriptedReply,
  createClient,
  fixtureFiles,
  startPlatform,
} from '../testkit/index.ts';
import { startModelOverTls } from '../testkit/model-over-tls.ts';
import { startTap } from '../testkit/tcp-tap.ts';
import { newCommand } from './command.ts';
import { startProxy } from './proxy-command.ts';

/** Questions that only a sandbox of the caller's own reads: it asks the model over TLS, and functions sealed. */
let directory: string;
let model: ScriptedModel;
let platform: Platform;
let owner: Client;
let client: JellyFaaS;
let script: readonly ScriptedReply[];
let from: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'jellyfaas-config-'));
  const config = join(directory, 'config.json');
  const inTheClear = { platform: 'clear', kind: 'openai-compatible', baseUrl: 'http://127.0.0.1:9/v1' };
  writeFileSync(config, JSON.stringify({ models: [{ ...inTheClear, model: 'never-asked' }] }));
  const over = await startModelOverTls(
    (_request, index) => script[index - from] ?? { text: 'no more script' },
  );
  model = over;
  platform = await startPlatform({
    layersOf: inject('platform').dataDir,
    env: { ...over.env, JELLYFAAS_CONFIG: config },
  });
  owner = createClient(platform.url, platform.apiKey);
  const queryParams = ['do', 'text'].map((name) => ({ name, required: name === 'do' }));
  const requirements = { requestType: 'POST', queryParams };
  await owner.deploy('aiprobe', fixtureFiles('probe', { shortname: 'aiprobe', requirements }));
  client = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
  rmSync(directory, { recursive: true });
});

beforeEach(() => {
  from = model.requests.length;
});

/** Of all requests so far, as `<function or kind> <success>`. */
async function records(): Promise<string[]> {
  const { calls } = await owner.api<{ calls: { shortname?: string; kind: string; ok: boolean }[] }>(
    'GET',
    '/api/v1/calls',
  );
  return calls.map(({ shortname, kind, ok }) => `${shortname ?? kind} ${ok}`).toSorted();
}

const text = (reply: string): readonly ScriptedReply[] => [{ text: reply }];
const told = (at = -1): string => model.requests.at(at)?.text ?? '';
const errorOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (thrown: unknown) => (thrown as JellyFaaSError).errorId,
  );

describe('a sealed question', () => {
  it('is answered by the model, and neither stands on the wire', async () => {
    script = text('canary-answer');
    const tap = await startTap(platform.url);
    const tapped = jellyfaas({ url: tap.url, apiKey: platform.apiKey });
    const answered = await tapped.ask('canary-question', { sealed: true });
    expect(answered).toEqual({
      answer: 'canary-answer',
      finish: 'complete',
      platform: 'endpoint',
      model: 'scripted',
      retention: 'none',
    });
    expect(told()).toContain('canary-question');
    const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
    await tap.close();
    expect(seen).toContain('message/ohttp-chunked-res');
    expect(seen).not.toContain('canary');
  });

  it('calls functions, sealed too, and leaves the records that a plain one leaves', async () => {
    script = [
      { toolCalls: [{ name: 'aiprobe', arguments: { do: 'raw', text: 'canary-argument' } }] },
      { text: 'Done.' },
    ];
    const answered = await client.ask('Use it.', { functions: ['aiprobe'], trace: true, sealed: true });
    expect(answered.answer).toBe('Done.');
    expect(answered.trace).toMatchObject([
      { type: 'tool-call', function: 'aiprobe' },
      { type: 'tool-result', ok: true, status: 200 },
    ]);
    expect(told()).toContain('canary-argument');
    await expect.poll(records).toEqual(['aiprobe true', 'question true', 'question true']);
  });

  it('is recorded as failed where a plain one is: broken off in its stream, or incomplete', async () => {
    const failed = (all: readonly string[]): number => all.filter((line) => line === 'question false').length;
    for (const sealed of [false, true]) {
      const before = await records();
      from = model.requests.length;
      script = [
        { text: 'cut', finish: 'length' },
        { text: 'broken', finish: null },
      ];
      expect(await client.ask('x', { sealed })).toMatchObject({ finish: 'length' });
      const heard = async (): Promise<void> => {
        for await (const { type } of client.ask('x', { sealed, stream: true })) expect(type).toBe('text');
      };
      await expect(heard()).rejects.toMatchObject({ errorId: 'models.broken_answer' });
      await expect.poll(records).toHaveLength(before.length + 2);
      expect(failed(await records()) - failed(before)).toBe(2);
    }
  });

  it('streams what happens as it happens', async () => {
    const gate = Promise.withResolvers<void>();
    script = [{ text: 'first second', deltaLength: 6, writeBytes: 400, beforeWrite: () => gate.promise }];
    const heard: string[] = [];
    for await (const event of client.ask('Say it.', { stream: true, sealed: true })) {
      heard.push(event.type);
      gate.resolve();
      if (event.type === 'answer') expect(event.answer).toBe('first second');
    }
    expect(heard.at(-1)).toBe('answer');
    expect(heard.filter((type) => type === 'text').length).toBeGreaterThan(0);
  });

  it('waits its turn behind the others of its account, and is answered', async () => {
    const gate = Promise.withResolvers<void>();
    script = Array.from({ length: 20 }, () => ({ text: 'one of many', beforeWrite: () => gate.promise }));
    const asked = script.map((_, at) => client.ask(`Question ${at}?`, { sealed: true }));
    await expect.poll(() => model.requests.length - from).toBe(16);
    gate.resolve();
    const answers = await Promise.all(asked);
    expect(answers.map(({ answer }) => answer)).toEqual(Array(20).fill('one of many'));
    const questions = model.requests.slice(from).map(({ text: body }) => /Question \d+\?/.exec(body)?.[0]);
    expect(new Set(questions).size).toBe(20);
    expect(questions).toHaveLength(20);
  });

  it('keeps to history, form and choice of the model', async () => {
    script = text('{"sum":4}');
    const responseSchema = { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] };
    const history = [{ role: 'user', content: 'canary-earlier' }] as const;
    const options = { history, responseSchema, platform: 'endpoint', sealed: true };
    expect(JSON.parse((await client.ask('Two and two?', options)).answer)).toEqual({ sum: 4 });
    expect(told()).toContain('canary-earlier');
  });

  it('ends at the model when its client leaves', async () => {
    script = [{ text: 'never', hang: 'after-headers' }];
    const leaving = new AbortController();
    const asked = client.ask('Wait.', { sealed: true, signal: leaving.signal });
    while (model.requests.length === from) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(await model.requests.at(-1)?.ended).toBe('client-left');
  });

  it('fails with the errors of a plain one', async () => {
    const sealed = { sealed: true };
    expect(await errorOf(client.ask('x', { ...sealed, platform: 'nowhere' }))).toBe(
      'models.unknown_platform',
    );
    expect(await errorOf(client.ask('x', { ...sealed, functions: ['nothere'] }))).toBe('function.not_found');
    expect(await errorOf(client.ask('', sealed))).toBe('request.invalid');
    script = [{ status: 401 }];
    expect(await errorOf(client.ask('x', sealed))).toMatch(/^models\./);
  });

  it('is refused where it would leave the seal: outside MCP servers, models without TLS', async () => {
    expect(await errorOf(client.ask('x', { sealed: true, sources: ['wiki'] }))).toBe('ai.not_sealable');
    const clear = { sealed: true, platform: 'clear' };
    expect(await errorOf(client.ask('x', clear))).toBe('ai.model_in_the_clear');
    expect(model.requests.length).toBe(from);
  });
});

describe('where sealed questions go', () => {
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${platform.url}/${QUESTIONS_ID}/api/v1/ai/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ question: 'x' }),
    });

  it('is nothing for questions in the clear', async () => {
    expect((await post({ jfwt: await owner.token() })).status).toBe(404);
    expect((await post({})).status).toBe(403);
    expect(model.requests.length).toBe(from);
  });

  it('asks nothing with the names of others', async () => {
    const form = '{"name":"Neighbour","email":"neighbour@example.org"}';
    const created = (await (await owner.core('POST', '/entity', form)).json()) as { password: string };
    const neighbour = jellyfaas({ url: platform.url, apiKey: created.password });
    script = text('none of yours');
    expect(await errorOf(neighbour.ask('x', { sealed: true, functions: ['aiprobe'] }))).toBe(
      'function.not_found',
    );
    await neighbour.ask('x', { sealed: true, functions: 'library' });
    expect(told()).not.toContain('aiprobe');
  });
});

describe('the command line', () => {
  const command = newCommand();
  afterAll(() => command.remove());

  it('asks sealed with ask --sealed', async () => {
    script = [
      { toolCalls: [{ name: 'aiprobe', arguments: { do: 'raw', text: 'canary-argument' } }] },
      { text: 'canary-answer' },
    ];
    const tap = await startTap(platform.url);
    const words = ['ask', 'canary-question', '--function', 'aiprobe', '--sealed'];
    const env = { JELLYFAAS_URL: tap.url, JELLYFAAS_API_KEY: platform.apiKey };
    const ran = await command.run(words, { env });
    expect(ran).toMatchObject({ code: 0, out: 'canary-answer\n', err: '→ aiprobe\n← 200\n' });
    const failed = await command.run(['ask', 'x', '--sealed', '--platform', 'nowhere'], { env });
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('No model platform')]);
    expect(Buffer.concat([tap.sent(), tap.received()]).toString('latin1')).not.toContain('canary');
    await tap.close();
    const unsealed = await command.run(['ask', 'x', '--installation-key', 'A'.repeat(43)], { env });
    expect([unsealed.code, unsealed.err]).toEqual([2, expect.stringContaining('without a seal')]);
  });

  it('seals the questions of other clients with proxy', async () => {
    const tap = await startTap(platform.url);
    const proxy = await startProxy(command, tap.url);
    const plain = jellyfaas({ url: proxy.url, apiKey: platform.apiKey });
    script = text('canary-whole');
    expect(await plain.ask('canary-question')).toMatchObject({
      answer: 'canary-whole',
      platform: 'endpoint',
    });
    from = model.requests.length;
    script = text('canary-streamed');
    const heard: object[] = [];
    for await (const event of plain.ask('canary-question', { stream: true })) heard.push(event);
    expect(heard.at(-1)).toMatchObject({ type: 'answer', answer: 'canary-streamed' });
    for (const [path, body] of [
      ['query', { query: 'canary-question' }],
      ['function', { query: 'canary-question', function: 'aiprobe' }],
    ] as const) {
      from = model.requests.length;
      script = text('canary-old');
      const response = await fetch(`${proxy.url}/query-service/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', jfwt: await owner.token() },
        body: JSON.stringify(body),
      });
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('canary-old')]);
    }
    expect(await errorOf(plain.ask('x', { platform: 'nowhere' }))).toBe('models.unknown_platform');
    expect(Buffer.concat([tap.sent(), tap.received()]).toString('latin1')).not.toContain('canary');
    await proxy.stop();
    await tap.close();
  });
});
