import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { type AdmissionLimits, createAdmission } from '../engines/admission.ts';
import type { ProviderConfig } from '../models/model-settings.ts';
import { KEY_HEADERS } from '../models/provider-clients.ts';
import { isTransient, providerFault } from '../models/provider-errors.ts';
import { createProviderFetch } from '../models/provider-fetch.ts';
import { backOffMs, within } from '../models/provider-patience.ts';
import { type Embedder, type EmbedderSource, TEXTS_MAX } from './embedder.ts';
import { embeddingErrors } from './embedding-errors.ts';
import { endpointError } from './endpoint-errors.ts';
import { unitVector } from './unit-vector.ts';

/** A request too many is refused with `embeddings.busy`. */
export interface EndpointEmbedderLimits extends AdmissionLimits {
  readonly connectMs: number;
  /** From sending a portion to the end of its answer. */
  readonly answerMs: number;
  /** Tries of one portion after the first. */
  readonly retriesMax: number;
  /** An endpoint that asks for a longer pause is not tried again. */
  readonly retryAfterSecondsMax: number;
  /** Of one answer, as it comes over the wire. */
  readonly answerBytesMax: number;
  /** Of one text: what the models in use surely read. */
  readonly tokensMax: number;
}

export const ENDPOINT_EMBEDDER_LIMITS: EndpointEmbedderLimits = {
  queueMax: 64,
  queuePerAccountMax: 8,
  connectMs: 5000,
  answerMs: 60_000,
  retriesMax: 2,
  retryAfterSecondsMax: 10,
  answerBytesMax: 16 * 1_048_576,
  tokensMax: 512,
};

export interface EndpointEmbedderOptions {
  /** An `openai-compatible` one. */
  readonly config: ProviderConfig;
  readonly limits?: Partial<EndpointEmbedderLimits>;
  /** The way to the endpoint, which stays its maker's to close; a direct one unless given. */
  readonly dispatcher?: Dispatcher;
  /** Pauses before another try. Rejects when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1; spreads the tries of many callers. */
  readonly random?: () => number;
}

/** Texts of one request over the wire: what the servers in use take at least. */
const PORTION_TEXTS = 32;
const CHARACTERS_PER_TOKEN = 4;
/** Asked once, for how many numbers the model's vectors have. */
const PROBE = ['dimensions'];

/** A model behind an OpenAI-compatible `/embeddings`. Keeps nothing between requests but open connections. */
export function createEndpointEmbedder(options: EndpointEmbedderOptions): EmbedderSource {
  const { config, dispatcher } = options;
  const limits = { ...ENDPOINT_EMBEDDER_LIMITS, ...options.limits };
  const { platform, isOutside, retention } = config;
  const name = `${platform}/${config.model}`;
  // Silence is watched below, so undici's own timers of headers and body are off.
  const agent =
    dispatcher ?? new Agent({ connect: { timeout: limits.connectMs }, headersTimeout: 0, bodyTimeout: 0 });
  const embedPortion = createTries({ ...options, limits, agent });
  const admission = createAdmission(limits, embeddingErrors.busy);
  let known: Promise<Embedder> | undefined;

  async function probe(): Promise<Embedder> {
    const { signal } = new AbortController();
    const [vector] = await embedPortion({ texts: PROBE, signal });
    const dimensions = vector?.length ?? 0;
    return {
      model: name,
      dimensions,
      isOutside,
      retention,
      tokensMax: limits.tokensMax,
      async embed({ accountId, texts, signal: left }) {
        if (texts.length > TEXTS_MAX) throw embeddingErrors.tooManyTexts(TEXTS_MAX);
        const leave = admission.enter(accountId);
        const cut = texts.map((text) => text.slice(0, limits.tokensMax * CHARACTERS_PER_TOKEN));
        try {
          const vectors: Float32Array[] = [];
          while (vectors.length < cut.length) {
            const portion = cut.slice(vectors.length, vectors.length + PORTION_TEXTS);
            vectors.push(...(await embedPortion({ texts: portion, dimensions, signal: left })));
          }
          return vectors;
        } finally {
          leave();
        }
      },
    };
  }

  return {
    name,
    platform,
    isOutside,
    open() {
      known ??= probe().catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return known;
    },
    async close() {
      if (dispatcher === undefined) await agent.destroy();
    },
  };
}

interface Portion {
  readonly texts: readonly string[];
  /** Not known yet while the endpoint is probed. */
  readonly dimensions?: number;
  readonly signal: AbortSignal;
}

type EmbedPortion = (portion: Portion) => Promise<Float32Array[]>;

/** One portion's vectors, tried again where that may help. Rejects with `embeddings.*` alone. */
function createTries({
  config,
  limits,
  agent,
  pause = async (ms, signal) => await delay(ms, undefined, { signal }),
  random = Math.random,
}: EndpointEmbedderOptions & { limits: EndpointEmbedderLimits; agent: Dispatcher }): EmbedPortion {
  const { baseUrl, kind, key, model, platform } = config;
  const { answerMs, answerBytesMax, retriesMax, retryAfterSecondsMax } = limits;
  const header = key && { ...KEY_HEADERS[kind], value: key };
  const fetch = createProviderFetch({ baseUrl, key: header, agent, answerBytesMax });

  async function tryOnce({ texts, dimensions, signal }: Portion): Promise<Float32Array[]> {
    const leaving = new AbortController();
    const asking = async (): Promise<unknown> => {
      const response = await fetch(`${baseUrl}/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, input: texts }),
        signal: AbortSignal.any([signal, leaving.signal]),
      });
      return await response.json();
    };
    try {
      return vectorsOf(await within(answerMs, signal, asking()), texts.length, dimensions);
    } finally {
      leaving.abort();
    }
  }

  return async (portion) => {
    for (let retries = 0; ; retries++) {
      try {
        return await tryOnce(portion);
      } catch (thrown) {
        if (portion.signal.aborted) throw embeddingErrors.cancelled();
        const fault = providerFault(thrown);
        const askedSeconds = (fault.kind === 'status' && fault.retryAfterSeconds) || 0;
        if (!isTransient(fault) || retries === retriesMax || askedSeconds > retryAfterSecondsMax) {
          throw endpointError(platform, fault);
        }
        await pause(Math.max(backOffMs(retries, random), askedSeconds * 1000), portion.signal).catch(() => {
          throw embeddingErrors.cancelled();
        });
      }
    }
  };
}

const Answer = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()).min(1) })),
});

/** The vectors in the order of their texts. Throws when the answer has not exactly one usable vector for each. */
function vectorsOf(answer: unknown, count: number, dimensions: number | undefined): Float32Array[] {
  const inOrder = Answer.parse(answer).data.toSorted((a, b) => a.index - b.index);
  const length = dimensions ?? inOrder[0]?.embedding.length;
  const vectors = inOrder.map(({ index, embedding }, position) => {
    const vector = unitVector(embedding);
    if (vector === undefined || vector.length !== length || index !== position)
      throw new Error('no vector of this text');
    return vector;
  });
  if (vectors.length !== count) throw new Error('more or fewer vectors than texts');
  return vectors;
}
