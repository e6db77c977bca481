import { basename } from 'node:path';
import { type AdmissionLimits, createAdmission } from '../engines/admission.ts';
import { createDeadline } from '../engines/deadline.ts';
import { createEngineHost, type EngineHost } from '../engines/engine-host.ts';
import type { AccountId } from '../kernel/ids.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { type Embedder, type EmbedderSource, TEXTS_MAX } from './embedder.ts';
import {
  EMBEDDING_ENGINE_LIMITS,
  type EmbeddingEngine,
  type EmbeddingEngineLimits,
  type EmbeddingEngineOptions,
  type EmbeddingFrame,
  filesOf,
  startEmbeddingEngine,
} from './embedding-engine.ts';
import { EMBEDDED_PLATFORM } from '../models/model-settings.ts';
import { embeddingErrors } from './embedding-errors.ts';
import { unitVector } from './unit-vector.ts';

export interface EmbeddedEmbedderOptions extends Omit<EmbeddingEngineOptions, 'limits'> {
  readonly limits?: Partial<EmbeddedEmbedderLimits>;
}

/** A request too many is refused with `embeddings.busy`. */
export interface EmbeddedEmbedderLimits extends EmbeddingEngineLimits, AdmissionLimits {
  /** For each portion of a request, waiting for others and the start of the process included. */
  readonly portionMs: number;
  /** After the last request, until the process ends. */
  readonly idleMs: number;
}

export const EMBEDDED_EMBEDDER_LIMITS: EmbeddedEmbedderLimits = {
  ...EMBEDDING_ENGINE_LIMITS,
  queueMax: 64,
  queuePerAccountMax: 16,
  portionMs: 120_000,
  idleMs: 120_000,
};

/** What the engine gets at a time, so that a question waits for a portion of somebody's document and not for all of it. */
const PORTION_TEXTS = 8;
/** No text has so many characters before its last token that counts, unless it is hardly a text. */
const CHARACTERS_PER_TOKEN = 64;
const GROUPS_MAX = 1024;

/**
 * An ONNX model in a jailed process of its own, without network: started with the first text, ended when nobody sent
 * any for a while, started anew after a crash. Its files may come and change while the server runs.
 */
export function createEmbeddedEmbedder(options: EmbeddedEmbedderOptions): EmbedderSource {
  const limits = { ...EMBEDDED_EMBEDDER_LIMITS, ...options.limits };
  const { scheduler, directory } = options;
  const host = createEngineHost({
    start: () => startEmbeddingEngine({ ...options, limits }),
    scheduler,
    idleMs: limits.idleMs,
  });
  const admission = createAdmission(limits, embeddingErrors.busy);
  const name = basename(directory).toLowerCase();
  const identityOf = ({ ready }: EmbeddingEngine): string => `${name}@${ready.sha256.slice(0, 12)}`;
  const embedPortion = createPortions({ host, scheduler, portionMs: limits.portionMs, identityOf });
  let known: { readonly stamp: string; readonly embedder: Embedder } | undefined;

  const embedderOf = (model: string, dimensions: number): Embedder => ({
    model,
    dimensions,
    isOutside: false,
    retention: 'none',
    tokensMax: limits.tokensMax,
    async embed({ accountId, texts, signal }) {
      if (texts.length > TEXTS_MAX) throw embeddingErrors.tooManyTexts(TEXTS_MAX);
      const leave = admission.enter(accountId);
      const cut = texts.map((text) => text.slice(0, limits.tokensMax * CHARACTERS_PER_TOKEN));
      try {
        const vectors: Float32Array[] = [];
        while (vectors.length < cut.length) {
          const portion = cut.slice(vectors.length, vectors.length + PORTION_TEXTS);
          vectors.push(...(await embedPortion({ model, accountId, texts: portion, signal })));
        }
        return vectors;
      } finally {
        leave();
      }
    },
  });

  async function open(): Promise<Embedder> {
    const { stamp } = filesOf(directory);
    if (known?.stamp === stamp) return known.embedder;
    try {
      const engine = await host.use();
      if (engine.stamp === stamp) {
        const embedder = embedderOf(identityOf(engine), engine.ready.dimensions);
        known = { stamp, embedder };
        return embedder;
      }
      await engine.stop();
    } finally {
      host.release();
    }
    return await open();
  }

  return { name, platform: EMBEDDED_PLATFORM, isOutside: false, open, close: () => host.close() };
}

interface PortionsOptions {
  readonly host: EngineHost<EmbeddingEngine>;
  readonly scheduler: Scheduler;
  readonly portionMs: number;
  readonly identityOf: (engine: EmbeddingEngine) => string;
}

interface Portion {
  readonly model: string;
  readonly accountId: AccountId;
  readonly texts: readonly string[];
  readonly signal: AbortSignal;
}

/** Asks for one portion's vectors; takes it back when nobody waits for them any more. */
function createPortions({
  host,
  scheduler,
  portionMs,
  identityOf,
}: PortionsOptions): (portion: Portion) => Promise<Float32Array[]> {
  let lastId = 0;
  // The engine computes together what waits of one account; it knows accounts by these numbers.
  const groups = new LruMap<AccountId, number>(GROUPS_MAX);
  let lastGroup = 0;
  return async ({ model, accountId, texts, signal }) => {
    const group = groups.get(accountId) ?? ++lastGroup;
    groups.set(accountId, group);
    const deadline = createDeadline({ scheduler, delayMs: portionMs, signal, ...embeddingErrors });
    const id = ++lastId;
    let engine: EmbeddingEngine | undefined;
    try {
      engine = await deadline.race(host.use());
      if (identityOf(engine) !== model) throw embeddingErrors.replaced();
      const frame = await deadline.race(ask(engine, { id, group, texts }));
      return vectorsOf(frame, texts.length, engine.ready.dimensions);
    } catch (error) {
      engine?.cancel(id);
      throw error;
    } finally {
      deadline.close();
      host.release();
    }
  };
}

function ask(
  engine: EmbeddingEngine,
  message: { readonly id: number; readonly group: number; readonly texts: readonly string[] },
): Promise<EmbeddingFrame> {
  return new Promise((resolve, reject) => {
    engine.request(message, { onFrame: resolve, onEnd: reject });
  });
}

function vectorsOf(frame: EmbeddingFrame, count: number, dimensions: number): Float32Array[] {
  if (frame.t === 'failed') throw embeddingErrors.failed();
  const bytes = Buffer.from(frame.vectors, 'base64');
  if (bytes.length !== count * dimensions * 4) throw embeddingErrors.failed();
  // A copy of its own: a Buffer may begin anywhere, floats only at multiples of four.
  const numbers = new Float32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: count }, (_, index) => {
    const vector = unitVector(numbers.subarray(index * dimensions, (index + 1) * dimensions));
    if (vector === undefined) throw embeddingErrors.failed();
    return vector;
  });
}
