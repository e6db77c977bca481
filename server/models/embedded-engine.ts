import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type Engine,
  type EngineNeeds,
  ENGINE_THREADS,
  type EngineParts,
  type FrameFields,
  startEngine,
} from '../engines/engine.ts';
import type { JailBind } from '../sandbox/jail.ts';
import { embeddedErrors } from './embedded-errors.ts';

/** What the engine is asked. */
export interface ModelEngineRequest {
  readonly id: number;
  /** The engine drops all state when this changes; a random name, so that the jail learns no account id. */
  readonly account: string;
  readonly messages: readonly EngineMessage[];
  /** GBNF of each tool's arguments. */
  readonly tools: readonly { readonly name: string; readonly grammar: string }[];
  /** GBNF of the answer; free text without. */
  readonly grammar?: string;
  readonly outputTokensMax: number;
  readonly temperature: number;
}

export interface EngineMessage {
  readonly role: 'system' | 'user' | 'model';
  readonly text: string;
}

/** What the engine answers a request with; `finish` and `failed` are the last. */
export type ModelFrame =
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'call'; readonly name: string; readonly arguments: string }
  | { readonly t: 'finish'; readonly reason: 'stop' | 'length' | 'tool-calls' | 'other' }
  | { readonly t: 'failed'; readonly code: string };

export interface ModelEngineOptions extends EngineParts {
  /** A GGUF file on this host. */
  readonly modelPath: string;
  readonly limits: ModelEngineLimits;
}

export interface ModelEngineLimits {
  /** Prompt and answer together; held to what the model was trained on. */
  readonly contextTokens: number;
  readonly threads: number;
  readonly loadMs: number;
}

export const MODEL_ENGINE_LIMITS: ModelEngineLimits = {
  contextTokens: 8192,
  threads: ENGINE_THREADS,
  loadMs: 120_000,
};

const GUEST = fileURLToPath(new URL('../../guest/model', import.meta.url));
const HOME = '/opt/jellyfaas/model';
const NODE = `${HOME}/bin/node`;
/** Where the weights are in a jail of the engine. */
export const MODEL_IN_JAIL = `${HOME}/model.gguf`;
/** A frame holds one token, or the arguments of one call. */
const FRAME_CHARACTERS_MAX = 1 << 20;
/** Node itself, llama.cpp's working memory and the context, on top of the weights. */
const OVERHEAD_MIB = 2048;
const WEIGHTS_FACTOR = 1.25;
/** Node's own threads beside the model's, twice: the engine probes its binary in a process of its own. */
const TASKS = 64;

/** For a jail that has more to do. Undefined where the weights, or the engine, which is optional, are not there. */
export async function modelEngineNeeds(modelPath: string): Promise<EngineNeeds | undefined> {
  const found = await Promise.all(
    [...BINDS.map(({ source }) => source), modelPath].map((path) => stat(path).catch(() => undefined)),
  );
  const weights = found.at(-1);
  return weights === undefined || found.includes(undefined)
    ? undefined
    : needsOf(modelPath, weights.size, MODEL_ENGINE_LIMITS);
}

function needsOf(modelPath: string, weightsBytes: number, { threads }: ModelEngineLimits): EngineNeeds {
  return {
    binds: [...BINDS, { source: modelPath, target: MODEL_IN_JAIL }],
    memoryMib: Math.ceil((weightsBytes / 2 ** 20) * WEIGHTS_FACTOR) + OVERHEAD_MIB,
    cpuPercent: threads * 100,
  };
}

const BINDS: readonly JailBind[] = [
  { source: process.execPath, target: NODE },
  { source: `${GUEST}/engine.mjs`, target: `${HOME}/engine.mjs` },
  { source: `${GUEST}/node_modules`, target: `${HOME}/node_modules` },
  // Node looks for packages in every directory above: the engine finds its binary here.
  { source: `${GUEST}/native/node_modules`, target: '/opt/jellyfaas/node_modules' },
];

/** Starts the jail and loads the model. Rejects with `models.embedded_*`. */
export async function startModelEngine(options: ModelEngineOptions): Promise<Engine<ModelFrame>> {
  const { modelPath, limits } = options;
  const file = await stat(modelPath).catch(() => undefined);
  if (file?.isFile() !== true) throw embeddedErrors.fileMissing();
  const { binds, memoryMib, cpuPercent } = needsOf(modelPath, file.size, limits);
  return await startEngine<ModelFrame>(options, {
    name: 'model',
    process: {
      argv: [NODE, `${HOME}/engine.mjs`],
      env: {},
      binds,
      limits: { memoryMib, cpuPercent, tasks: TASKS + limits.threads, tmpMib: 8 },
    },
    load: { modelPath: MODEL_IN_JAIL, ...limits },
    loadMs: limits.loadMs,
    frames: FRAMES,
    lastFrames: ['finish', 'failed'],
    lineCharactersMax: FRAME_CHARACTERS_MAX,
    errors: embeddedErrors,
  });
}

const FRAMES: Readonly<Record<string, FrameFields>> = {
  ready: {},
  unloadable: {},
  text: { text: 'string' },
  call: { name: 'string', arguments: 'string' },
  finish: { reason: 'string' },
  failed: { code: 'string' },
};
