// Runs one GGUF model inside the jail: no network, nothing writable but RAM, content only on the control socket.
// Frames are JSON lines both ways; server/models/embedded-engine.ts has their shapes.
import net from 'node:net';
import { LlamaGrammarEvaluationState, LlamaText, getLlama, resolveChatWrapper } from 'node-llama-cpp';

/** How long the state of the last request stays in memory, for the next step of the same account's query. */
const CONTEXT_IDLE_MS = 60_000;
const CONTEXT_TOKENS_MIN = 256;
const READ_TOKENS = 256;
const PARALLEL_CALLS_MAX = 4;
const CALL_START = '{"function": "';

const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0));
control.on('end', () => process.exit(0));
const send = (message) => control.write(`${JSON.stringify(message)}\n`);

let llama;
let model;
let chatWrapper;
let limits;
/** The one context, with the account it served: another account never sees a context that was used. */
let state;
let stateTimer;
/** Requests run one after the other: the processor is the bound, and two side by side only share it. */
let tail = Promise.resolve();
const running = new Map();

const HANDLERS = {
  async load(message) {
    try {
      await load(message);
      send({ t: 'ready' });
    } catch {
      send({ t: 'unloadable' });
    }
  },
  request(request) {
    const abort = new AbortController();
    running.set(request.id, abort);
    tail = tail.then(async () => {
      const end = await answer(request, abort.signal).catch(failure);
      running.delete(request.id);
      send({ id: request.id, ...end });
    });
  },
  cancel({ id }) {
    running.get(id)?.abort();
  },
};

async function load({ modelPath, contextTokens, threads }) {
  limits = { contextTokens, threads };
  llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: 'disabled',
    maxThreads: threads,
  });
  model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  chatWrapper = resolveChatWrapper(model, {
    warningLogs: false,
    // Thinking first would cost a small model on a processor minutes.
    customWrapperSettings: { qwen: { thoughts: 'discourage' } },
  });
}

class TooLong extends Error {}

function failure(error) {
  return { t: 'failed', code: error instanceof TooLong ? 'too_long' : 'failed' };
}

async function answer(request, signal) {
  if (signal.aborted) return { t: 'finish', reason: 'other' };
  clearTimeout(stateTimer);
  const sequence = await sequenceFor(request.account);
  try {
    return await generate(request, sequence, signal);
  } finally {
    stateTimer = setTimeout(dropState, CONTEXT_IDLE_MS);
  }
}

async function sequenceFor(account) {
  if (state?.account === account) return state.sequence;
  await dropState();
  const context = await model.createContext({
    sequences: 1,
    contextSize: { min: CONTEXT_TOKENS_MIN, max: limits.contextTokens },
    threads: limits.threads,
  });
  state = { account, context, sequence: context.getSequence() };
  return state.sequence;
}

async function dropState() {
  const { context } = state ?? {};
  state = undefined;
  await context?.dispose();
}

async function generate({ id, messages, tools, grammar, outputTokensMax, temperature }, sequence, signal) {
  const { contextText, stopGenerationTriggers } = chatWrapper.generateContextState({ chatHistory: history(messages) });
  const prompt = contextText.tokenize(model.tokenizer);
  const budget = Math.min(outputTokensMax, sequence.contextSize - prompt.length - 1);
  if (budget < 1) throw new TooLong();
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  const writer = {
    sequence,
    signal,
    temperature,
    stops: stopTexts(stopGenerationTriggers),
    /** Tokens that the sequence has yet to read. */
    unread: prompt.slice(sequence.nextTokenIndex),
    left: budget,
  };
  await read(writer);
  if (signal.aborted) return { t: 'finish', reason: 'other' };
  if (tools.length > 0) return callOrAnswer(writer, tools, id);
  return text(writer, grammar, id);
}

/** Reads the prompt up to its last token, in portions, so that a long one can be cancelled. */
async function read(writer) {
  while (writer.unread.length > 1 && !writer.signal.aborted) {
    const portion = writer.unread.splice(0, Math.min(READ_TOKENS, writer.unread.length - 1));
    await writer.sequence.evaluateWithoutGeneratingNewTokens(portion);
  }
}

function history(messages) {
  const items = messages.map(({ role, text: content }) =>
    role === 'model' ? { type: 'model', response: [content] } : { type: role, text: content },
  );
  return [...items, { type: 'model', response: [''] }];
}

function stopTexts(triggers) {
  const texts = triggers.map((trigger) => model.detokenize(LlamaText(trigger).tokenize(model.tokenizer), true));
  return texts.filter((stop) => stop !== '');
}

/** The model names a function or `none` under a grammar, and then writes its arguments under the function's own. */
async function callOrAnswer(writer, tools, id) {
  const seen = new Set();
  let mayAnswer = true;
  while (seen.size < PARALLEL_CALLS_MAX) {
    force(writer, CALL_START);
    const names = tools.map(({ name }) => name);
    const name = await constrained(writer, choice(mayAnswer ? ['none', ...names] : names));
    if (name === undefined) return cutShort(writer);
    if (name === 'none"') {
      force(writer, '}\n');
      return text(writer, undefined, id);
    }
    const tool = tools.find((candidate) => `${candidate.name}"` === name);
    force(writer, ', "arguments": ');
    const args = await constrained(writer, tool.grammar);
    if (args === undefined) return cutShort(writer);
    const call = `${tool.name} ${args}`;
    if (seen.has(call)) break;
    seen.add(call);
    send({ id, t: 'call', name: tool.name, arguments: args });
    mayAnswer = false;
    force(writer, '}');
    if ((await constrained(writer, 'root ::= "\\n"?')) !== '\n') break;
  }
  return { t: 'finish', reason: 'tool-calls' };
}

const choice = (names) => `root ::= ${names.map((name) => JSON.stringify(`${name}"`)).join(' | ')}`;

const cutShort = ({ signal }) => ({ t: 'finish', reason: signal.aborted ? 'other' : 'length' });

function force(writer, literal) {
  const tokens = model.tokenize(literal, false, 'trimLeadingSpace');
  writer.unread.push(...tokens);
  writer.left -= tokens.length;
}

/** Text that is complete under the grammar; undefined when the signal or the budget ended it before. */
async function constrained(writer, gbnf) {
  let written = '';
  const ended = await run(writer, gbnf, (piece) => {
    written += piece;
    return true;
  });
  return ended === 'complete' ? written : undefined;
}

/** Streams the answer, holding back what may be the beginning of a stop text. */
async function text(writer, gbnf, id) {
  let held = '';
  let stopped = false;
  const emit = (part) => part !== '' && send({ id, t: 'text', text: part });
  const ended = await run(writer, gbnf, (piece) => {
    held += piece;
    const cut = Math.min(...writer.stops.map((stop) => indexOrEnd(held, stop)), held.length);
    stopped = cut < held.length;
    const safe = stopped ? cut : held.length - longestStart(held, writer.stops);
    emit(held.slice(0, safe));
    held = held.slice(safe);
    return !stopped;
  });
  if (!stopped) emit(held);
  const reasons = { complete: 'stop', stopped: 'stop', length: 'length', cancelled: 'other' };
  return { t: 'finish', reason: reasons[ended] };
}

function indexOrEnd(held, stop) {
  const index = held.indexOf(stop);
  return index < 0 ? held.length : index;
}

function longestStart(held, stops) {
  for (let length = Math.min(held.length, 64); length > 0; length--) {
    const end = held.slice(-length);
    if (stops.some((stop) => stop.startsWith(end))) return length;
  }
  return 0;
}

/** Generates until the end of the answer or grammar, the budget, the signal, or `onPiece` says no. */
async function run(writer, gbnf, onPiece) {
  const { sequence, signal, temperature, unread } = writer;
  if (writer.left < 1) return 'length';
  const decoder = pieces();
  const tokens = sequence.evaluate(unread, {
    temperature,
    grammarEvaluationState: gbnf === undefined ? undefined : await grammarState(gbnf),
    // A small model that repeats itself would fill the whole budget.
    repeatPenalty: gbnf === undefined ? { penalty: 1.1, punishTokens: () => sequence.contextTokens.slice(-64) } : undefined,
  });
  writer.unread = [];
  for await (const token of tokens) {
    writer.unread = [token];
    writer.left--;
    if (signal.aborted) return 'cancelled';
    const piece = decoder(token);
    if (piece !== '' && !onPiece(piece)) return 'stopped';
    if (writer.left < 1) return 'length';
  }
  return 'complete';
}

async function grammarState(gbnf) {
  const grammar = await llama.createGrammar({ grammar: gbnf });
  return new LlamaGrammarEvaluationState({ model, grammar });
}

/** Tokens to text; a character that is split over tokens is given once it is whole. */
function pieces() {
  let pending = [];
  let before = [];
  return (token) => {
    pending.push(token);
    const piece = model.detokenize(pending, true, before);
    if (piece.endsWith('\ufffd') && pending.length < 4) return '';
    before = [...before, ...pending].slice(-8);
    pending = [];
    return piece;
  };
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
