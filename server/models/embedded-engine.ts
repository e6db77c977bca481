import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Scheduler, within } from '../kernel/scheduler.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Jail, JailBind, JailedProcess, JailExit } from '../sandbox/jail.ts';
import { embeddedErrors } from './embedded-errors.ts';

/** What the engine is asked, one JSON line each on the control socket. */
export interface EngineRequest {
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
export type EngineFrame =
  | { readonly t: 'text'; readonly text: string }
  | { readonly t: 'call'; readonly name: string; readonly arguments: string }
  | { readonly t: 'finish'; readonly reason: 'stop' | 'length' | 'tool-calls' | 'other' }
  | { readonly t: 'failed'; readonly code: string };

export interface EngineOptions {
  readonly jail: Pick<Jail, 'start'>;
  /** A GGUF file on this host. */
  readonly modelPath: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: EventLog;
  readonly limits: EngineLimits;
}

export interface EngineLimits {
  /** Prompt and answer together; held to what the model was trained on. */
  readonly contextTokens: number;
  /** Defaults to all cores but one, which calls keep: threads that wait for each other stall when a core is taken. */
  readonly threads: number;
  readonly loadMs: number;
}

export const ENGINE_LIMITS: EngineLimits = {
  contextTokens: 8192,
  threads: Math.min(Math.max(availableParallelism() - 1, 1), 8),
  loadMs: 120_000,
};

/** One running engine process; it never restarts. */
export interface Engine {
  /** `onFrame` hears this request's frames until its last, or `onExit` that the process ended before. */
  request(request: EngineRequest, listener: EngineListener): void;
  cancel(id: number): void;
  readonly exited: Promise<JailExit>;
  /** Kills the process and waits for its end. */
  stop(): Promise<void>;
}

export interface EngineListener {
  onFrame(frame: EngineFrame): void;
  onExit(exit: JailExit): void;
}

const GUEST = fileURLToPath(new URL('../../guest/model', import.meta.url));
const HOME = '/opt/jellyfaas/model';
const NODE = `${HOME}/bin/node`;
const MODEL = `${HOME}/model.gguf`;
/** A frame holds one token, or the arguments of one call. */
const FRAME_CHARACTERS_MAX = 1 << 20;
/** Node itself, llama.cpp's working memory and the context, on top of the weights. */
const OVERHEAD_MIB = 2048;
const WEIGHTS_FACTOR = 1.25;
/** Node's own threads beside the model's, twice: the engine probes its binary in a process of its own. */
const TASKS = 64;

const BINDS: readonly JailBind[] = [
  { source: process.execPath, target: NODE },
  { source: `${GUEST}/engine.mjs`, target: `${HOME}/engine.mjs` },
  { source: `${GUEST}/node_modules`, target: `${HOME}/node_modules` },
  // Node looks for packages in every directory above: the engine finds its binary here.
  { source: `${GUEST}/native/node_modules`, target: '/opt/jellyfaas/node_modules' },
];

/** Starts the jail and loads the model. Rejects with `models.embedded_*`. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { jail, modelPath, clock, scheduler, events, limits } = options;
  const from = clock.monotonicMs();
  const file = await stat(modelPath).catch(() => undefined);
  if (file?.isFile() !== true) throw embeddedErrors.fileMissing();
  const process = await jail.start({
    argv: [NODE, `${HOME}/engine.mjs`],
    env: {},
    binds: [...BINDS, { source: modelPath, target: MODEL }],
    limits: {
      memoryMib: Math.ceil((file.size / 2 ** 20) * WEIGHTS_FACTOR) + OVERHEAD_MIB,
      tasks: TASKS + limits.threads,
      cpuPercent: limits.threads * 100,
      tmpMib: 8,
    },
  });
  // Whatever a native library prints may hold content: it is read so that no pipe fills up, and dropped.
  process.stdout.resume();
  process.stderr.resume();
  void process.exited.then(({ reason }) => events.emit('model.ended', { reason }));
  const { engine, ready } = serve(process);
  send(process, { t: 'load', modelPath: MODEL, ...limits });
  if ((await within(scheduler, limits.loadMs, ready)) !== true) {
    const exit = await process.kill();
    throw exit.reason === 'oom' ? embeddedErrors.outOfMemory() : embeddedErrors.notLoaded();
  }
  events.emit('model.started', { took: clock.monotonicMs() - from });
  return engine;
}

function serve(process: JailedProcess): { engine: Engine; ready: Promise<boolean> } {
  const listeners = new Map<number, EngineListener>();
  const ready = Promise.withResolvers<boolean>();

  function hear(line: string): void {
    const frame = parseFrame(line);
    if (frame === undefined) return void process.kill();
    if (frame.t === 'ready' || frame.t === 'unloadable') return ready.resolve(frame.t === 'ready');
    const listener = listeners.get(frame.id);
    if (frame.t === 'finish' || frame.t === 'failed') listeners.delete(frame.id);
    listener?.onFrame(frame);
  }

  let pending = '';
  process.control.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > FRAME_CHARACTERS_MAX) void process.kill();
    for (const line of lines) hear(line);
  });
  process.control.on('error', () => {});
  void process.exited.then((exit) => {
    ready.resolve(false);
    for (const listener of listeners.values()) listener.onExit(exit);
    listeners.clear();
  });

  const engine: Engine = {
    request(request, listener) {
      listeners.set(request.id, listener);
      send(process, { t: 'request', ...request });
    },
    cancel: (id) => send(process, { t: 'cancel', id }),
    exited: process.exited,
    stop: async () => void (await process.kill()),
  };
  return { engine, ready: ready.promise };
}

function send({ control }: JailedProcess, message: unknown): void {
  if (control.writable) control.write(`${JSON.stringify(message)}\n`);
}

type Frame = { readonly t: 'ready' } | { readonly t: 'unloadable' } | (EngineFrame & { readonly id: number });

/** Undefined for anything else than a frame: the engine parses hostile files and texts, and may be taken over. */
function parseFrame(line: string): Frame | undefined {
  let frame: Partial<Record<string, unknown>>;
  try {
    frame = JSON.parse(line) as typeof frame;
  } catch {
    return undefined;
  }
  const fields = FRAME_FIELDS[String(frame?.['t'])];
  const fits = fields?.every(([name, type]) => typeof frame[name] === type);
  return fits === true ? (frame as unknown as Frame) : undefined;
}

const FRAME_FIELDS: Partial<Record<string, readonly (readonly [name: string, type: string])[]>> = {
  ready: [],
  unloadable: [],
  text: [
    ['id', 'number'],
    ['text', 'string'],
  ],
  call: [
    ['id', 'number'],
    ['name', 'string'],
    ['arguments', 'string'],
  ],
  finish: [
    ['id', 'number'],
    ['reason', 'string'],
  ],
  failed: [
    ['id', 'number'],
    ['code', 'string'],
  ],
};
