// Runs one ONNX embedding model inside the jail: no network, nothing writable but RAM, content only on the control
// socket. Frames are JSON lines both ways; server/embeddings/embedding-engine.ts has their shapes.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { boundWords } from './word-piece.mjs';

/**
 * Tokens of one run, padding included: short texts gain from company, long ones do not, and memory grows with the
 * square of a text's length times their number.
 */
const RUN_TOKENS_MAX = 512;

/** Texts of requests that run together; a request with more runs alone. */
const TOGETHER_TEXTS_MAX = 8;

const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0));
control.on('end', () => process.exit(0));
const send = (message) => control.write(`${JSON.stringify(message)}\n`);

let tokenizer;
let session;
let tokensMax;
/** In order. One run at a time: the processor is the bound, and two side by side only share it. */
let waiting = [];
let isRunning = false;
/** Ids of requests that wait or run; one that is taken out is cancelled. */
const wanted = new Set();

const HANDLERS = {
  async load(message) {
    try {
      send({ t: 'ready', ...(await load(message)) });
    } catch {
      send({ t: 'unloadable' });
    }
  },
  request({ id, group, texts }) {
    wanted.add(id);
    waiting.push({ id, group, texts });
    if (!isRunning) void runWaiting();
  },
  cancel({ id }) {
    wanted.delete(id);
  },
};

async function runWaiting() {
  isRunning = true;
  while (waiting.length > 0) {
    // What came at the same time is read first.
    await setImmediate();
    await answer(takeTogether());
  }
  isRunning = false;
}

/** The first that waits, and what of the same group fits beside it: texts of different groups never share a run. */
function takeTogether() {
  const together = waiting.slice(0, 1);
  let count = together[0].texts.length;
  waiting = waiting.slice(1).filter((request) => {
    if (request.group !== together[0].group || count + request.texts.length > TOGETHER_TEXTS_MAX) return true;
    count += request.texts.length;
    together.push(request);
    return false;
  });
  return together;
}

/** Of those that nobody wants any more nothing is computed. */
async function answer(requests) {
  const asked = requests.filter(({ id }) => wanted.has(id));
  const texts = asked.flatMap((request) => request.texts);
  const vectors = await embed(texts, () => asked.some(({ id }) => wanted.has(id))).catch(() => undefined);
  const answered = vectors === undefined ? [] : asked;
  const dimensions = vectors && vectors.length / texts.length;
  let at = 0;
  for (const { id, texts: own } of answered) {
    const part = vectors.slice(at, (at += own.length * dimensions));
    send({ t: 'vectors', id, vectors: Buffer.from(part.buffer).toString('base64') });
  }
  for (const request of requests) {
    wanted.delete(request.id);
    if (!answered.includes(request)) send({ t: 'failed', id: request.id });
  }
}

async function load({ modelPath, tokenizerPath, tokensMax: most, threads }) {
  tokensMax = most;
  tokenizer = boundWords(new Tokenizer(JSON.parse(await readFile(tokenizerPath, 'utf8')), {}));
  const weights = await readFile(modelPath);
  session = await InferenceSession.create(weights, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  // What works once works at the first request, and shows the number of dimensions.
  const { length } = await embed(['ready'], () => true);
  return { sha256: createHash('sha256').update(weights).digest('hex'), dimensions: length };
}

/** Mean of the tokens' vectors for each text, one after the other in one array; undefined once nobody wants it. */
async function embed(texts, isWanted) {
  const encoded = texts.map((text, index) => ({ index, ids: cut(tokenizer.encode(text).ids) }));
  let vectors;
  for (const run of runs(encoded)) {
    if (!isWanted()) return undefined;
    const { data, dims } = await hidden(run);
    const [, length, dimensions] = dims;
    vectors ??= new Float32Array(texts.length * dimensions);
    for (const [row, { index, ids }] of run.entries()) {
      const mean = vectors.subarray(index * dimensions, (index + 1) * dimensions);
      for (let at = 0; at < ids.length; at++) {
        const offset = (row * length + at) * dimensions;
        for (let d = 0; d < dimensions; d++) mean[d] += data[offset + d] / ids.length;
      }
    }
  }
  return vectors;
}

/** The last token stays: it says that the text has ended. */
function cut(ids) {
  return ids.length <= tokensMax ? ids : [...ids.slice(0, tokensMax - 1), ids.at(-1)];
}

/** Texts of similar length together, so that little of a run is padding. */
function runs(encoded) {
  const all = [];
  for (const one of encoded.toSorted((a, b) => a.ids.length - b.ids.length)) {
    const last = all.at(-1);
    if (last !== undefined && (last.length + 1) * one.ids.length <= RUN_TOKENS_MAX) last.push(one);
    else all.push([one]);
  }
  return all;
}

async function hidden(run) {
  const length = Math.max(...run.map(({ ids }) => ids.length));
  const shape = [run.length, length];
  const ids = new BigInt64Array(run.length * length);
  const mask = new BigInt64Array(run.length * length);
  for (const [row, one] of run.entries()) {
    ids.set(one.ids.map(BigInt), row * length);
    mask.fill(1n, row * length, row * length + one.ids.length);
  }
  const inputs = { input_ids: ids, attention_mask: mask, token_type_ids: new BigInt64Array(ids.length) };
  const feeds = Object.fromEntries(
    session.inputNames.map((name) => [name, new Tensor('int64', inputs[name], shape)]),
  );
  const outputs = await session.run(feeds);
  return outputs[session.outputNames[0]];
}

let buffer = '';
control.setEncoding('utf8').on('data', (chunk) => {
  const lines = (buffer + chunk).split('\n');
  buffer = lines.pop();
  for (const line of lines) {
    const message = JSON.parse(line);
    void HANDLERS[message.t](message);
  }
});
