import {
  type ModelScript,
  type ScriptedModel,
  type ScriptedReply,
  startScriptedModel,
} from '@jellyfaas/testkit';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import type { Embedder, EmbedRequest } from './embedder.ts';
import { createEndpointEmbedder, type EndpointEmbedderLimits } from './endpoint-embedder.ts';

/** A real endpoint over HTTP. Neither canary may be in anything that is thrown. */
const KEY = 'sk-canary-key-5f1c';
const TEXT = 'canary-text-9b2e';
const ALICE = 'acct_alice000000000000000' as AccountId;
const BOB = 'acct_bob00000000000000000' as AccountId;

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).toReversed()) await one.close();
});

const json = (value: unknown): ScriptedReply => ({
  body: { contentType: 'application/json', text: typeof value === 'string' ? value : JSON.stringify(value) },
});
const answer = (...vectors: unknown[]): ScriptedReply =>
  json({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  });
const PROBED = answer([0, 3, 4]);

/** An endpoint that was probed already, unless `probe` says otherwise. */
async function open(
  script: readonly ScriptedReply[],
  limits: Partial<EndpointEmbedderLimits> = {},
  probe = PROBED,
): Promise<{ embedder: Embedder; server: ScriptedModel; pauses: number[] }> {
  const steps: ModelScript = [probe, ...script];
  const server = await startScriptedModel(steps);
  const pauses: number[] = [];
  const source = createEndpointEmbedder({
    config: {
      platform: 'lab',
      kind: 'openai-compatible',
      baseUrl: server.url,
      model: 'bge-m3',
      key: new Secret(KEY),
      isOutside: false,
      retention: 'none',
    },
    limits,
    pause: async (ms) => {
      pauses.push(ms);
      await Promise.resolve();
    },
    random: () => 0.5,
  });
  closing.push(server, source);
  return { embedder: await source.open(), server, pauses };
}

function embed(
  embedder: Embedder,
  texts: readonly string[],
  more: Partial<EmbedRequest> = {},
): Promise<Float32Array[]> {
  const { signal } = new AbortController();
  return embedder.embed({ accountId: ALICE, texts, purpose: 'passage', signal, ...more });
}

/** The error of an attempt that has to fail, after a search for both canaries in all that it shows. */
async function failure(attempt: Promise<unknown>): Promise<PlatformError> {
  const error: unknown = await attempt.then(
    () => expect.unreachable('it went well'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PlatformError);
  const shown = [JSON.stringify(error), String((error as Error).stack), inspect(error, { depth: 20 })].join(
    '\n',
  );
  expect(shown).not.toMatch(new RegExp(`${KEY}|${TEXT}|127\\.0\\.0\\.1`));
  expect((error as Error).cause).toBeUndefined();
  return error as PlatformError;
}

describe('an embedding endpoint', () => {
  test('is asked once for its dimensions, with nothing of any account', async () => {
    const { embedder, server } = await open([]);
    expect(embedder).toMatchObject({
      model: 'lab/bge-m3',
      dimensions: 3,
      isOutside: false,
      retention: 'none',
    });
    expect(server.requests.map(({ body }) => body)).toEqual([{ model: 'bge-m3', input: ['dimensions'] }]);
  });

  test('gives a unit vector for each text, in order, whatever the order of its answer', async () => {
    const data = [
      { index: 1, embedding: [0, 0, 2] },
      { index: 0, embedding: [3, 4, 0] },
    ];
    const { embedder, server } = await open([json({ data })]);
    const [first, second] = await embed(embedder, [TEXT, 'other']);
    expect(first?.map((value) => Math.round(value * 10))).toEqual(new Float32Array([6, 8, 0]));
    expect(second).toEqual(new Float32Array([0, 0, 1]));
    const { path, headers, body } = server.requests[1] ?? expect.fail('no request');
    expect(path).toBe('/v1/embeddings');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body).toEqual({ model: 'bge-m3', input: [TEXT, 'other'] });
    expect(JSON.stringify([headers, body])).not.toContain(ALICE);
  });

  test('gets many texts in portions, and of each only what it reads', async () => {
    const portion = (length: number): ScriptedReply => answer(...Array.from({ length }, () => [1, 0, 0]));
    const { embedder, server } = await open([portion(32), portion(8)], { tokensMax: 10 });
    expect(
      await embed(
        embedder,
        Array.from({ length: 40 }, () => 'x'.repeat(1000)),
      ),
    ).toHaveLength(40);
    const inputs = server.requests.slice(1).map(({ body }) => body['input'] as string[]);
    expect(inputs.map(({ length }) => length)).toEqual([32, 8]);
    expect(inputs[0]?.[0]).toHaveLength(40);
  });

  test.each([
    [302, 'embeddings.endpoint_misconfigured', 'platform', 1],
    [400, 'embeddings.endpoint_refused', 'provider', 1],
    [401, 'embeddings.endpoint_misconfigured', 'platform', 1],
    [404, 'embeddings.endpoint_misconfigured', 'platform', 1],
    [408, 'embeddings.endpoint_failed', 'provider', 3],
    [413, 'embeddings.endpoint_refused', 'provider', 1],
    [429, 'embeddings.rate_limited', 'provider', 3],
    [500, 'embeddings.endpoint_failed', 'provider', 3],
    [503, 'embeddings.endpoint_failed', 'provider', 3],
  ])('with status %i is %s, owned by the %s, after %i tries', async (status, code, owner, tries) => {
    const failing = { status, headers: { location: '/elsewhere', 'x-echo': `${KEY} ${TEXT}` } };
    const { embedder, server, pauses } = await open([failing, failing, failing]);
    const error = await failure(embed(embedder, [TEXT]));
    expect(error).toMatchObject({ code, owner });
    expect(error.message).toContain('"lab"');
    expect(server.requests).toHaveLength(1 + tries);
    expect(pauses).toEqual([250, 500].slice(0, tries - 1));
  });

  test('that recovers within two more tries is not noticed, and waits as long as it is asked to', async () => {
    const later = { status: 429, headers: { 'retry-after': '3' } };
    const { embedder, pauses } = await open([later, { status: 500 }, answer([1, 0, 0])]);
    expect(await embed(embedder, [TEXT])).toHaveLength(1);
    expect(pauses).toEqual([3000, 500]);
  });

  test('that asks for too long a wait is not tried again, and the caller is told how long', async () => {
    const { embedder, pauses } = await open([{ status: 429, headers: { 'retry-after': '3600' } }]);
    expect(await failure(embed(embedder, [TEXT]))).toMatchObject({ retryAfterSeconds: 3600 });
    expect(pauses).toEqual([]);
  });

  test.each([
    ['no JSON', json(`{${KEY} ${TEXT}`)],
    ['another form', json({ embeddings: [[1, 0, 0]] })],
    ['nothing', json('null')],
    ['NaN', json('{"data":[{"index":0,"embedding":[NaN,0,0]}]}')],
    ['a number beyond all numbers', json('{"data":[{"index":0,"embedding":[1e999,0,0]}]}')],
    ['null in a vector', answer([null, 0, 0])],
    ['a text in a vector', answer([TEXT, 0, 0])],
    ['a vector without direction', answer([0, 0, 0])],
    ['an empty vector', answer([])],
    ['too few vectors', json({ data: [] })],
    ['too many vectors', answer([1, 0, 0], [0, 1, 0])],
    ['a vector of another length', answer([1, 0])],
    ['a vector of another text', json({ data: [{ index: 1, embedding: [1, 0, 0] }] })],
    ['too large an answer', json(' '.repeat(5000))],
    ['half an answer', { ...answer([1, 0, 0]), cutAfterBytes: 10 }],
  ])('that answers with %s is a broken answer, not a wrong vector', async (_, broken) => {
    const { embedder } = await open([broken, broken, broken], { answerBytesMax: 4000 });
    expect(await failure(embed(embedder, [TEXT]))).toMatchObject({ code: 'embeddings.broken_answer' });
  });

  test.each(['before-headers', 'after-headers'] as const)('that hangs %s ends in a timeout', async (hang) => {
    const hanging = { ...answer([1, 0, 0]), hang };
    const { embedder, server } = await open([hanging], { answerMs: 50, retriesMax: 0 });
    expect(await failure(embed(embedder, [TEXT]))).toMatchObject({ code: 'embeddings.timeout' });
    expect(await server.requests[1]?.ended).toBe('client-left');
  });

  test('gives the connection up at once when the caller leaves', async () => {
    const leaving = new AbortController();
    const { embedder, server } = await open([{ ...answer([1, 0, 0]), hang: 'before-headers' }]);
    const left = failure(embed(embedder, [TEXT], { signal: leaving.signal }));
    leaving.abort(new Error(TEXT));
    expect(await left).toMatchObject({ code: 'embeddings.cancelled' });
    expect(await server.requests[1]?.ended).not.toBe('answered');
  });

  test('that cannot be reached is said to be so, and is probed again the next time', async () => {
    const server = await startScriptedModel([]);
    await server.close();
    const config = { platform: 'lab', kind: 'openai-compatible', baseUrl: server.url, model: 'm' } as const;
    const source = createEndpointEmbedder({
      config: { ...config, key: new Secret(KEY), isOutside: true, retention: 'provider' },
      pause: async () => {},
    });
    closing.push(source);
    expect(await failure(source.open())).toMatchObject({ code: 'embeddings.unreachable' });
    expect(await failure(source.open())).toMatchObject({ code: 'embeddings.unreachable' });
  });

  test('refuses a request when too many wait, and one account cannot take every place', async () => {
    const hang = { ...answer([1, 0, 0]), hang: 'before-headers' } as const;
    const { embedder } = await open([hang, hang, hang], { queueMax: 3, queuePerAccountMax: 2 });
    const leaving = new AbortController();
    const { signal } = leaving;
    const waiting = [ALICE, ALICE].map((accountId) =>
      failure(embed(embedder, [TEXT], { accountId, signal })),
    );
    expect(await failure(embed(embedder, [TEXT]))).toMatchObject({ code: 'embeddings.busy' });
    waiting.push(failure(embed(embedder, [TEXT], { accountId: BOB, signal })));
    expect(await failure(embed(embedder, [TEXT], { accountId: BOB }))).toMatchObject({
      code: 'embeddings.busy',
    });
    leaving.abort();
    expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(
      Array(3).fill('embeddings.cancelled'),
    );
    const many = Array.from({ length: 1025 }, () => TEXT);
    expect(await failure(embed(embedder, many))).toMatchObject({ code: 'embeddings.too_many_texts' });
  });
});
