import { join } from 'node:path';
import { type Stats, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Engine,
  type EngineNeeds,
  ENGINE_THREADS,
  type EngineParts,
  startEngine,
} from '../engines/engine.ts';
import { embeddingErrors } from './embedding-errors.ts';

/** The names that the files of a model have in its directory. */
export const MODEL_FILE = 'model.onnx';
export const TOKENIZER_FILE = 'tokenizer.json';

/** What the engine answers a request `{ group, texts }` with, either of them at its end. */
export type EmbeddingFrame =
  /** Base64 of little-endian 32-bit floats: the means of the tokens' vectors, text after text. */
  { readonly t: 'vectors'; readonly vectors: string } | { readonly t: 'failed' };

export interface EmbeddingReady {
  /** Of the weights, hex. */
  readonly sha256: string;
  readonly dimensions: number;
}

export interface EmbeddingEngine extends Engine<EmbeddingFrame, EmbeddingReady> {
  /** Of the files that it was started with. */
  readonly stamp: string;
}

export interface EmbeddingEngineOptions extends EngineParts {
  /** Holds `model.onnx` and `tokenizer.json` (the format of Hugging Face). */
  readonly directory: string;
  readonly limits: EmbeddingEngineLimits;
}

export interface EmbeddingEngineLimits {
  /** What the model was trained on; the rest of a longer text is ignored. */
  readonly tokensMax: number;
  readonly threads: number;
  readonly loadMs: number;
}

export const EMBEDDING_ENGINE_LIMITS: EmbeddingEngineLimits = {
  tokensMax: 256,
  threads: ENGINE_THREADS,
  loadMs: 60_000,
};

const GUEST = fileURLToPath(new URL('../../guest/embeddings', import.meta.url));
const HOME = '/opt/jellyfaas/embeddings';
const NODE = `${HOME}/bin/node`;
/** Weights of 8 bits are computed with 32, and are there twice while they are loaded. */
const WEIGHTS_FACTOR = 6;
/** Node itself, the tokenizer and the activations of one run. */
const OVERHEAD_MIB = 768;
const TASKS = 48;
const DIMENSIONS_MAX = 8192;

export function embeddingEngineNeeds(
  { model, tokenizer, modelBytes }: EmbeddingModelFiles,
  { threads }: Pick<EmbeddingEngineLimits, 'threads'> = EMBEDDING_ENGINE_LIMITS,
): EngineNeeds {
  return {
    binds: [
      { source: process.execPath, target: NODE },
      ...['engine.mjs', 'word-piece.mjs'].map((name) => ({
        source: `${GUEST}/${name}`,
        target: `${HOME}/${name}`,
      })),
      { source: `${GUEST}/node_modules`, target: `${HOME}/node_modules` },
      { source: model, target: `${HOME}/${MODEL_FILE}` },
      { source: tokenizer, target: `${HOME}/${TOKENIZER_FILE}` },
    ],
    memoryMib: Math.ceil((modelBytes / 2 ** 20) * WEIGHTS_FACTOR) + OVERHEAD_MIB,
    cpuPercent: threads * 100,
  };
}

/** Starts the jail and loads the model. Rejects with `embeddings.embedded_*`. */
export async function startEmbeddingEngine(options: EmbeddingEngineOptions): Promise<EmbeddingEngine> {
  const { directory, limits } = options;
  const files = filesOf(directory);
  const { binds, memoryMib, cpuPercent } = embeddingEngineNeeds(files, limits);
  const engine = await startEngine<EmbeddingFrame, EmbeddingReady>(options, {
    name: 'embedder',
    process: {
      argv: [NODE, `${HOME}/engine.mjs`],
      // onnxruntime counts its uses for its makers. There is no way out of the jail; it shall not even collect them.
      env: { ORT_DISABLE_TELEMETRY: '1' },
      binds,
      limits: { memoryMib, cpuPercent, tasks: TASKS + limits.threads, tmpMib: 8 },
    },
    load: { modelPath: `${HOME}/${MODEL_FILE}`, tokenizerPath: `${HOME}/${TOKENIZER_FILE}`, ...limits },
    loadMs: limits.loadMs,
    frames: {
      ready: { sha256: 'string', dimensions: 'number' },
      unloadable: {},
      vectors: { vectors: 'string' },
      failed: {},
    },
    lastFrames: ['vectors', 'failed'],
    lineCharactersMax: 1 << 21,
    errors: embeddingErrors,
  });
  if (isReady(engine.ready)) return { ...engine, stamp: files.stamp };
  await engine.stop();
  throw embeddingErrors.notLoaded();
}

function isReady({ sha256, dimensions }: EmbeddingReady): boolean {
  const isCount = Number.isInteger(dimensions) && dimensions > 0 && dimensions <= DIMENSIONS_MAX;
  return isCount && /^[0-9a-f]{64}$/.test(sha256);
}

export interface EmbeddingModelFiles {
  readonly model: string;
  readonly modelBytes: number;
  readonly tokenizer: string;
  /** Another one as soon as one of the two was replaced. */
  readonly stamp: string;
}

/** The two files in the directory. Throws `embeddings.embedded_missing`. */
export function filesOf(directory: string): EmbeddingModelFiles {
  const paths = [join(directory, MODEL_FILE), join(directory, TOKENIZER_FILE)] as const;
  const [model, tokenizer] = paths.map(statOf);
  if (model?.isFile() !== true || tokenizer?.isFile() !== true) throw embeddingErrors.fileMissing();
  const stamp = [model, tokenizer].map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join(', ');
  return { model: paths[0], modelBytes: model.size, tokenizer: paths[1], stamp };
}

/** Asked before every request, and a hundred times cheaper than through the pool of threads. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
