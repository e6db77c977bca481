import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { ReadableStreamReadResult } from 'node:stream/web';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import type { ChatModel, ModelPart, ModelRequest } from './chat-model.ts';
import type { ProviderConfig } from './model-settings.ts';
import { createProviderClient, KEY_HEADERS, type ProviderClient } from './provider-clients.ts';
import { cancelled, providerFailure, ProviderSilence } from './provider-errors.ts';
import { createProviderFetch } from './provider-fetch.ts';
import { backOffMs, within } from './provider-patience.ts';
import { callOptions, type SchemaMode } from './provider-request.ts';

export interface ProviderLimits {
  readonly connectMs: number;
  /** From sending a request to the first part of its answer. */
  readonly firstPartMs: number;
  /** Between two parts. */
  readonly betweenPartsMs: number;
  /** The whole of one `stream`, tries and pauses included. */
  readonly totalMs: number;
  /** Tries after the first, and only while no part has been passed on. */
  readonly retriesMax: number;
  /** A provider that asks for a longer pause is not tried again. */
  readonly retryAfterSecondsMax: number;
  /** Of one answer, as it comes over the wire. */
  readonly answerBytesMax: number;
}

export const defaultProviderLimits: ProviderLimits = {
  connectMs: 5000,
  firstPartMs: 60_000,
  betweenPartsMs: 30_000,
  totalMs: 180_000,
  retriesMax: 2,
  retryAfterSecondsMax: 10,
  answerBytesMax: 16 * 1_048_576,
};

export interface ProviderModelOptions {
  readonly config: ProviderConfig;
  readonly limits?: Partial<ProviderLimits>;
  /** The way to the provider, which stays its maker's to close; a direct one unless given. */
  readonly dispatcher?: Dispatcher;
  /** Pauses before another try. Rejects when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1; spreads the tries of many callers. */
  readonly random?: () => number;
}

/** A model behind a provider's API. Keeps nothing between requests but open connections. */
export function createProviderModel({
  config,
  limits: given,
  dispatcher,
  pause = async (ms, signal) => await delay(ms, undefined, { signal }),
  random = Math.random,
}: ProviderModelOptions): ChatModel & { close(): Promise<void> } {
  const { platform, model, isOutside, retention } = config;
  const limits = { ...defaultProviderLimits, ...given };
  // Silence is watched part by part below, so undici's own timers of headers and body are off.
  const agent =
    dispatcher ?? new Agent({ connect: { timeout: limits.connectMs }, headersTimeout: 0, bodyTimeout: 0 });
  const key = config.key && { ...KEY_HEADERS[config.kind], value: config.key };
  const fetch = createProviderFetch({
    baseUrl: config.baseUrl,
    key,
    agent,
    answerBytesMax: limits.answerBytesMax,
  });
  const client = createProviderClient(config, fetch);

  async function* stream(request: ModelRequest): AsyncGenerator<ModelPart> {
    const ending = new AbortController();
    const total = setTimeout(() => ending.abort(new ProviderSilence()), limits.totalMs);
    try {
      yield* tries(request, AbortSignal.any([request.signal, ending.signal]));
    } catch (thrown) {
      throw request.signal.aborted ? cancelled() : providerFailure(platform, thrown).error;
    } finally {
      clearTimeout(total);
      ending.abort();
    }
  }

  /** Tries again as long as the caller has seen nothing. */
  async function* tries(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    let schemaMode: SchemaMode = 'native';
    for (let retries = 0; ;) {
      let hasBegun = false;
      try {
        for await (const part of tryOnce(client, { request, schemaMode, signal, limits })) {
          hasBegun = true;
          yield part;
        }
        return;
      } catch (thrown) {
        if (hasBegun || signal.aborted) throw thrown;
        const { isTransient, isRefusal, askedSeconds = 0 } = providerFailure(platform, thrown);
        const isSchemaRefused = isRefusal && request.responseSchema !== undefined && schemaMode === 'native';
        const isHopeless = retries === limits.retriesMax || askedSeconds > limits.retryAfterSecondsMax;
        if (!isSchemaRefused && (!isTransient || isHopeless)) throw thrown;
        if (isSchemaRefused) schemaMode = 'instructed';
        else await pause(Math.max(backOffMs(retries++, random), askedSeconds * 1000), signal);
      }
    }
  }

  const close = async (): Promise<void> => {
    if (dispatcher === undefined) await agent.destroy();
  };
  return { platform, model, isOutside, retention, stream, close };
}

type Read = ReadableStreamReadResult<LanguageModelV4StreamPart>;

interface Try {
  readonly request: ModelRequest;
  readonly schemaMode: SchemaMode;
  readonly signal: AbortSignal;
  readonly limits: ProviderLimits;
}

/** One request and its answer. However it ends, the connection is given up if the answer is not complete. */
async function* tryOnce(
  client: ProviderClient,
  { request, schemaMode, signal, limits }: Try,
): AsyncGenerator<ModelPart> {
  const leaving = new AbortController();
  const abortSignal = AbortSignal.any([signal, leaving.signal]);
  const firstPartBy = performance.now() + limits.firstPartMs;
  try {
    const { providerOptions } = client;
    const options = { ...callOptions(request, schemaMode), providerOptions, abortSignal };
    const answer = await within(limits.firstPartMs, signal, client.model.doStream(options));
    const reader = answer.stream.getReader();
    const turn = createTurn();
    for (let isSilent = true; ;) {
      const patienceMs: number = isSilent ? firstPartBy - performance.now() : limits.betweenPartsMs;
      const { done, value }: Read = await within(patienceMs, signal, reader.read());
      if (done) break;
      isSilent &&= value.type === 'stream-start' || value.type === 'response-metadata';
      const part = turn.take(value);
      if (part !== undefined) yield part;
    }
    yield turn.end();
  } finally {
    leaving.abort();
  }
}

/** What the parts of one answer mean for us: reasoning, sources and the like are passed over. */
function createTurn(): { take(part: LanguageModelV4StreamPart): ModelPart | undefined; end(): ModelPart } {
  let hasCalls = false;
  let finish: Extract<ModelPart, { type: 'finish' }> | undefined;
  return {
    take(part) {
      if (part.type === 'text-delta')
        return part.delta === '' ? undefined : { type: 'text', text: part.delta };
      if (part.type === 'tool-call' && part.providerExecuted !== true) {
        hasCalls = true;
        const { toolCallId: id, toolName: name, input, providerMetadata } = part;
        const state = providerMetadata && { providerState: JSON.stringify(providerMetadata) };
        return { type: 'tool-call', call: { id, name, arguments: input, ...state } };
      }
      if (part.type === 'error') throw new Error('the provider reported an error');
      if (part.type === 'finish') finish = { type: 'finish', reason: reasonOf(part.finishReason.unified) };
      return undefined;
    },
    end() {
      if (finish === undefined) throw new Error('the answer broke off');
      // Some servers end a turn of calls with `stop`.
      return hasCalls && finish.reason === 'stop' ? { type: 'finish', reason: 'tool-calls' } : finish;
    },
  };
}

type FinishReason = Extract<ModelPart, { type: 'finish' }>['reason'];

function reasonOf(
  unified: Extract<LanguageModelV4StreamPart, { type: 'finish' }>['finishReason']['unified'],
): FinishReason {
  if (unified === 'error' || unified === 'interrupted') throw new Error('the answer broke off');
  return unified === 'content-filter' ? 'filtered' : unified;
}
