import { globSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type WordTokenizer, boundWords } from '../../guest/embeddings/word-piece.mjs';
import { fetchTestEmbeddingModel } from '../../tools/fetch-test-embedding-model.mjs';
import { systemClock } from '../kernel/clock.ts';
import { createEventLog } from '../kernel/events.ts';
import type { AccountId } from '../kernel/ids.ts';
import { type Scheduler, systemScheduler } from '../kernel/scheduler.ts';
import type { Jail, JailedProcess, JailSpec } from '../sandbox/jail.ts';
import { openTestJail, processesOf } from '../sandbox/testing.ts';
import { createEmbeddedEmbedder, type EmbeddedEmbedderOptions } from './embedded-embedder.ts';
import type { Embedder, EmbedderSource } from './embedder.ts';
import { TOKENIZER_FILE } from './embedding-engine.ts';
import { runSizeModel } from './testing/run-size-model.ts';

const ALICE = 'acct_alice000000000000000' as AccountId;
const BOB = 'acct_bob00000000000000000' as AccountId;
const CAROL = 'acct_carol000000000000000' as AccountId;
/** Of the text `ok`, with the two around it. */
const TOKENS = 3;
const CANARY = 'purple elephant Zanzibar 7741';
/** First values of onnxruntime and Hugging Face's tokenizers in Python for the same files. */
const REFERENCE = [0.05494, 0.07465, 0.08587, 0.01164, 0.08296, -0.0672, -0.00569, -0.01846];

/** Where the weights cannot be had (no network), nothing can be said about the model; CI always has them. */
const model = await fetchTestEmbeddingModel().catch((error: Error) => {
  if (process.env['CI'] !== undefined) throw error;
  process.stderr.write(`skipped, no embedding model: ${error.message}\n`);
  return undefined;
});

/** Of the engine; no dependency of the server. */
const TOKENIZERS = new URL(
  '../../guest/embeddings/node_modules/@huggingface/tokenizers/dist/tokenizers.mjs',
  import.meta.url,
);
interface Splitter extends WordTokenizer {
  encode(text: string): { readonly ids: number[] };
}

let jail: Jail;
/** Every engine that was started, and what its jail was allowed. */
const started: { process: JailedProcess; spec: JailSpec }[] = [];
const lines: string[] = [];
const opened: EmbedderSource[] = [];

function openSource(more: Partial<EmbeddedEmbedderOptions> = {}): EmbedderSource {
  const source = createEmbeddedEmbedder({
    jail: {
      async start(spec) {
        const process = await jail.start(spec);
        started.push({ process, spec });
        return process;
      },
    },
    directory: model ?? '',
    clock: systemClock,
    scheduler: systemScheduler,
    events: createEventLog((line) => void lines.push(line), Date.now),
    ...more,
  });
  opened.push(source);
  return source;
}

beforeAll(async () => {
  jail = await openTestJail();
});
afterAll(async () => {
  await Promise.all(opened.map((source) => source.close()));
  await jail.close();
});

interface Asking {
  readonly accountId?: AccountId;
  readonly signal?: AbortSignal;
}

function embed(embedder: Embedder, texts: readonly string[], more: Asking = {}): Promise<Float32Array[]> {
  return embedder.embed({
    accountId: ALICE,
    texts,
    purpose: 'passage',
    signal: new AbortController().signal,
    ...more,
  });
}

function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined) return expect.fail('no vector');
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

const long = (count: number, word = 'river'): string => Array.from({ length: count }, () => word).join(' ');

describe.skipIf(model === undefined)('the embedded embedding model', () => {
  let embedder: Embedder;
  let source: EmbedderSource;
  beforeAll(async () => {
    source = openSource();
    embedder = await source.open();
  });

  test('is known by its name and the beginning of its checksum', () => {
    expect(embedder).toMatchObject({
      model: 'all-minilm-l6-v2-int8@8199be6f699a',
      dimensions: 384,
      isOutside: false,
      retention: 'none',
      tokensMax: 256,
    });
  });

  test('finds texts of the same meaning closer than others', async () => {
    const [cat, kitten, invoice] = await embed(embedder, [
      'A cat sleeps on the sofa.',
      'The kitten is napping on a couch.',
      'The invoice is due within thirty days.',
    ]);
    expect(cosine(cat, kitten)).toBeGreaterThan(0.6);
    expect(cosine(cat, invoice)).toBeLessThan(0.2);
  });

  test('makes the vectors that the reference implementation makes', async () => {
    const [vector] = await embed(embedder, ['Hello, world! Zürich is unaffable.']);
    const seen = [...(vector ?? [])].slice(0, REFERENCE.length);
    for (const [index, value] of REFERENCE.entries()) expect(seen[index]).toBeCloseTo(value, 3);
  });

  test('splits texts into the tokens that the library alone does', async () => {
    const { Tokenizer } = (await import(TOKENIZERS.href)) as { Tokenizer: new (...of: object[]) => Splitter };
    const files = JSON.parse(await readFile(join(model ?? '', TOKENIZER_FILE), 'utf8')) as object;
    const [bounded, reference] = [boundWords(new Tokenizer(files, {})), new Tokenizer(files, {})];
    const texts = globSync('{docs,server/privacy-statement}/**/*.{md,ts,json}').map((path) =>
      readFileSync(path, 'utf8'),
    );
    expect(texts.length).toBeGreaterThan(20);
    const odd = ['a\u0301\u0000 [CLS]x 日本語の文 \u{1f600}', 'qzxjkvbw'.repeat(12), 'ab1'.repeat(40)];
    for (const text of [...texts, ...odd])
      expect(bounded.encode(text).ids).toEqual(reference.encode(text).ids);
  });

  test('gives unit vectors that do not depend on what else is embedded with them', async () => {
    const texts = ['ok', 'How do I destroy a key?', long(40), long(300), '', '日本語の文', long(9)];
    const together = await embed(embedder, [...texts, ...texts]);
    expect(together).toHaveLength(14);
    for (const [index, text] of texts.entries()) {
      const [alone] = await embed(embedder, [text]);
      expect(cosine(alone, alone)).toBeCloseTo(1, 5);
      expect(cosine(alone, together[index])).toBeGreaterThan(0.999);
      expect(cosine(alone, together[index + texts.length])).toBeGreaterThan(0.999);
    }
  });

  test('ignores what comes after the tokens that count', async () => {
    const [cut, longer, huge, shorter] = await embed(embedder, [
      long(300),
      `${long(300)} ${long(200, 'volcano')}`,
      `${long(300)} ${long(200_000, 'volcano')}`,
      `${long(200)} volcano`,
    ]);
    expect(cosine(cut, longer)).toBeGreaterThan(0.9999);
    expect(cosine(cut, huge)).toBeGreaterThan(0.9999);
    expect(cosine(cut, shorter)).toBeLessThan(0.9999);
  });

  test('has no network, no writable disk, and nothing of a text in its environment', async () => {
    await embed(embedder, [CANARY]);
    const { process: engine, spec } = started[0] ?? expect.fail('no engine');
    expect(spec.egress).toBeUndefined();
    expect(spec.scratch).toBeUndefined();
    const pids = processesOf(engine.uid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/opt/jellyfaas/embeddings/bin/node'),
    );
    expect(pids).not.toEqual([]);
    for (const pid of pids) {
      expect(readFileSync(`/proc/${pid}/net/route`, 'utf8').trim().split('\n').slice(1)).toEqual([]);
      const shown = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
      expect(shown.join('')).not.toContain('Zanzibar');
      expect(readdirSync(`/proc/${pid}/root/tmp`, { recursive: true })).toEqual([]);
    }
  });

  test('that crashes fails the running texts, and the next ones are embedded', async () => {
    const running = embed(
      embedder,
      Array.from({ length: 64 }, () => long(256)),
    );
    const engine = (started[0] ?? expect.fail('no engine')).process;
    await Promise.all([
      expect(running).rejects.toMatchObject({ code: 'embeddings.embedded_crashed' }),
      engine.kill(),
    ]);
    expect(await embed(embedder, ['again'])).toHaveLength(1);
  });

  test('goes on for one account when another one leaves', async () => {
    const leaving = new AbortController();
    const left = embed(
      embedder,
      Array.from({ length: 64 }, () => long(256)),
      {
        accountId: BOB,
        signal: leaving.signal,
      },
    );
    const stays = embed(embedder, ['first', 'second']);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'embeddings.cancelled' });
    expect(await stays).toHaveLength(2);
  });

  test('does not make a question wait for the whole of a document', async () => {
    const document = new AbortController();
    let isOver = false;
    const embedding = embed(
      embedder,
      Array.from({ length: 64 }, () => long(256)),
      { signal: document.signal },
    )
      .catch(() => undefined)
      .finally(() => (isOver = true));
    expect(await embed(embedder, ['a question'], { accountId: BOB })).toHaveLength(1);
    expect(isOver).toBe(false);
    document.abort();
    await embedding;
  });

  test('refuses a request when too many wait, and one account cannot take every place', async () => {
    const busy = await openSource({ limits: { queueMax: 3, queuePerAccountMax: 2 } }).open();
    const taken = [embed(busy, ['a']), embed(busy, ['b'])];
    await expect(embed(busy, ['c'])).rejects.toMatchObject({ code: 'embeddings.busy' });
    taken.push(embed(busy, ['d'], { accountId: BOB }));
    await expect(embed(busy, ['e'], { accountId: BOB })).rejects.toMatchObject({ code: 'embeddings.busy' });
    expect(await Promise.all(taken)).toHaveLength(3);
    const many = Array.from({ length: 1025 }, () => 'x');
    await expect(embed(busy, many)).rejects.toMatchObject({ code: 'embeddings.too_many_texts' });
  });

  test('ends what takes too long, by its own clock', async () => {
    const late: (() => void)[] = [];
    const scheduler: Scheduler = {
      after: (delayMs, task) =>
        delayMs === 77_000 ? (late.push(task), { close: () => {} }) : systemScheduler.after(delayMs, task),
    };
    const slow = await openSource({ scheduler, limits: { portionMs: 77_000 } }).open();
    const running = embed(slow, [long(256)]);
    late[0]?.();
    await expect(running).rejects.toMatchObject({ code: 'embeddings.timeout' });
  });

  test('is gone from memory when nobody asked for a while, and comes back with the next text', async () => {
    const idle: (() => void)[] = [];
    const scheduler: Scheduler = {
      after: (delayMs, task) =>
        delayMs === 4242 ? (idle.push(task), { close: () => {} }) : systemScheduler.after(delayMs, task),
    };
    const resting = await openSource({ scheduler, limits: { idleMs: 4242 } }).open();
    const { process: engine } = started.at(-1) ?? expect.fail('no engine');
    idle.at(-1)?.();
    expect((await engine.exited).reason).toBe('killed');
    expect(processesOf(engine.uid)).toEqual([]);
    expect(await embed(resting, ['again'])).toHaveLength(1);
  });

  test('whose files were replaced is another model from then on, and never taken for the old one', async () => {
    const directory = join(await mkdtemp(join(tmpdir(), 'embedding-')), 'changing');
    await cp(model ?? '', directory, { recursive: true });
    const changing = openSource({ directory });
    const before = await changing.open();
    expect(await changing.open()).toBe(before);
    const weights = await readFile(join(directory, 'model.onnx'));
    // A field that ONNX does not know: another file, the same numbers.
    await writeFile(
      join(directory, 'model.onnx'),
      Buffer.concat([weights, Buffer.from([0xfa, 0x7f, 0x01, 0x00])]),
    );
    const after = await changing.open();
    expect(after.model).not.toBe(before.model);
    expect(await embed(after, ['a'])).toHaveLength(1);
    await expect(embed(before, ['a'])).rejects.toMatchObject({ code: 'embeddings.embedded_replaced' });
    await rm(join(directory, '..'), { recursive: true });
  });

  test('logs that it started and ended, and not a word more', async () => {
    await embed(embedder, [CANARY]);
    expect(lines).not.toEqual([]);
    expect(lines.every((line) => /"event":"embedder\.(started|ended)"/.test(line))).toBe(true);
  });
});

describe.skipIf(model === undefined)('texts that wait', () => {
  /** Of which size the run was that a text was computed in. */
  let sizes: Embedder;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedding-'));
    await cp(join(model ?? '', 'tokenizer.json'), join(directory, 'tokenizer.json'));
    await writeFile(join(directory, 'model.onnx'), runSizeModel());
    sizes = await openSource({ directory }).open();
  });
  afterAll(() => rm(directory, { recursive: true }));

  const runSizes = (vectors: readonly Float32Array[]): number[] =>
    vectors.map(([texts = 0, tokens = 1]) => Math.round((texts / tokens) * TOKENS));
  const ask = async (texts: number, more: Asking = {}): Promise<number[]> =>
    runSizes(
      await embed(
        sizes,
        Array.from({ length: texts }, () => 'ok'),
        more,
      ),
    );

  /** All are asked for while the engine is busy with another account's text: of words that have to be taken apart. */
  async function whileBusy<T>(asked: () => Promise<T>): Promise<T> {
    const busy = embed(sizes, [long(30, 'zqxjkvwp'.repeat(11))], { accountId: CAROL });
    const [answers] = await Promise.all([asked(), busy]);
    return answers;
  }

  test('are computed together when they are of one account, and never with those of another one', async () => {
    const answers = await whileBusy(() =>
      Promise.all([ask(1), ask(2, { accountId: BOB }), ask(3), ask(1, { accountId: BOB }), ask(1)]),
    );
    expect(answers).toEqual([[5], [3, 3], [5, 5, 5], [3], [5]]);
  });

  test('share a run with no more than fit, in the order in which they came', async () => {
    const answers = await whileBusy(() => Promise.all([ask(5), ask(4), ask(3), ask(1)]));
    expect(answers.map(([size]) => size)).toEqual([8, 5, 8, 5]);
    expect(await ask(20)).toEqual([...Array<number>(16).fill(8), ...Array<number>(4).fill(4)]);
  });

  test('are not computed once their account has cancelled them; those beside them are', async () => {
    const leaving = new AbortController();
    const [stays, left] = await whileBusy(async () => {
      const asked = Promise.allSettled([ask(1), ask(3, { signal: leaving.signal })]);
      // Both are with the engine.
      await setImmediate();
      leaving.abort();
      return await asked;
    });
    expect(left).toMatchObject({ status: 'rejected', reason: { code: 'embeddings.cancelled' } });
    expect(stays).toEqual({ status: 'fulfilled', value: [1] });
  });
});

test('an embedding model whose files are missing or no model gives a clear error', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'embedding-'));
  await expect(openSource({ directory }).open()).rejects.toMatchObject({
    code: 'embeddings.embedded_missing',
  });
  await writeFile(join(directory, 'model.onnx'), 'no model');
  await writeFile(join(directory, 'tokenizer.json'), '{}');
  await expect(openSource({ directory }).open()).rejects.toMatchObject({
    code: 'embeddings.embedded_not_loaded',
  });
  await rm(directory, { recursive: true });
});
