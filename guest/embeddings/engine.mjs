// Runs one ONNX embedding model inside the jail: no network, nothing writable but RAM, content only on the control
// socket. Frames are JSON lines both ways; server/embeddings/embedding-engine.ts has their shapes.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * Tokens of one run, padding included: short texts gain from company, long ones do not, and memory grows with the
 * square of a text's length times their number.
 */
const RUN_TOKENS_MAX = 512;

const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0));
control.on('end', () => process.exit(0));
const send = (message) => control.write(`${JSON.stringify(message)}\n`);

let tokenizer;
let session;
let tokensMax;
/** Requests run one after the other: the processor is the bound, and two side by side only share it. */
let tail = Promise.resolve();
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
  request({ id, texts }) {
    wanted.add(id);
    tail = tail.then(async () => {
      const vectors = await embed(texts, () => wanted.has(id)).catch(() => undefined);
      wanted.delete(id);
      if (vectors === undefined) send({ t: 'failed', id });
      else send({ t: 'vectors', id, vectors: Buffer.from(vectors.buffer).toString('base64') });
    });
  },
  cancel({ id }) {
    wanted.delete(id);
  },
};

async function load({ modelPath, tokenizerPath, tokensMax: most, threads }) {
  tokensMax = most;
  tokenizer = new Tokenizer(JSON.parse(await readFile(tokenizerPath, 'utf8')), {});
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
