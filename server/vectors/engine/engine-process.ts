import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ErrorOptions, PlatformError } from '../../kernel/errors.ts';
import { type Scheduler, within } from '../../kernel/scheduler.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, encodeFrame, floatsOf, readFrames } from './frames.ts';
import type { DatabaseRequest, EngineAnswer, EngineRequest, EngineSetup, SealedRequest } from './protocol.ts';

/** One running engine process; it never restarts. */
export interface EngineProcess {
  request(
    request: Unnumbered<DatabaseRequest>,
    key: Uint8Array,
    vectors: readonly Float32Array[],
  ): Promise<Reply>;
  /** To which requests are sealed. */
  key(): Promise<Uint8Array>;
  /** Carries a sealed request and its sealed answer. */
  sealed(request: Unnumbered<SealedRequest>, key: Uint8Array, body: Uint8Array): Promise<Uint8Array>;
  /** Resolves when the database is closed, be it with the process. */
  forget(database: string): Promise<void>;
  readonly exited: Promise<void>;
  /** Lets it close what is open, and ends it if that takes long. */
  stop(): Promise<void>;
  kill(): void;
}

export interface Reply {
  readonly result: unknown;
  readonly vectors: readonly Float32Array[];
}

interface RawReply {
  readonly result: unknown;
  readonly parts: readonly Uint8Array[];
}

type Unnumbered<T> = Omit<T, 'id' | 't'>;

const MAIN = fileURLToPath(new URL('./engine-main.ts', import.meta.url));
/** Little garbage at a time: the memory is for open databases. */
const FLAGS = ['--max-semi-space-size=4'];
const STOP_MS = 5000;

export interface EngineProcessOptions {
  readonly setup: EngineSetup;
  /** All requests that wait for their answer, together; one more is refused with `vectors.busy`. */
  readonly queueBytesMax: number;
  readonly scheduler: Scheduler;
}

/** Its requests reject with `vectors.engine_crashed` when it ends before it has answered. */
export function startEngine({ setup, queueBytesMax, scheduler }: EngineProcessOptions): EngineProcess {
  const child = spawn(process.execPath, [...FLAGS, MAIN], {
    env: {},
    cwd: '/',
    // Whatever a native library prints may hold content.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const control = child.stdio[3] as Duplex;
  const waiting = new Map<number, PromiseWithResolvers<RawReply>>();
  let lastId = 0;
  let queueBytes = 0;

  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    // It could not even be started.
    child.on('error', () => resolve());
  });
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(engineErrors.crashed());
    waiting.clear();
  });
  control.on('error', () => {});
  readFrames<EngineAnswer>(control, ({ header, parts }) => {
    const waiter = waiting.get(header.id);
    waiting.delete(header.id);
    if (header.t === 'result') waiter?.resolve({ result: header.result, parts });
    else waiter?.reject(new PlatformError(header.error as ErrorOptions));
  });

  function send(frame: readonly Uint8Array[]): void {
    control.cork();
    for (const part of frame) control.write(part);
    control.uncork();
  }

  async function ask(
    message: object,
    t: EngineRequest['t'],
    parts: readonly Uint8Array[],
  ): Promise<RawReply> {
    const id = ++lastId;
    const frame = encode({ ...message, t, id }, parts);
    const bytes = frame.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (queueBytes > 0 && queueBytes + bytes > queueBytesMax) throw engineErrors.busy();
    if (!control.writable) throw engineErrors.crashed();
    const waiter = Promise.withResolvers<RawReply>();
    waiting.set(id, waiter);
    queueBytes += bytes;
    try {
      send(frame);
      return await waiter.promise;
    } finally {
      queueBytes -= bytes;
    }
  }

  send(encode(setup, []));
  return {
    async request(request, key, vectors) {
      const { result, parts } = await ask(request, 'request', [key, ...vectors.map(bytesOf)]);
      return { result, vectors: parts.map(floatsOf) };
    },
    key: async () => onlyPart(await ask({}, 'key', [])),
    sealed: async (request, key, body) => onlyPart(await ask(request, 'sealed', [key, body])),
    // One that does not close ends with the process.
    forget: async (database) =>
      void (await ask({ database }, 'forget', []).catch(() => child.kill('SIGKILL'))),
    exited,
    async stop() {
      control.end();
      await within(scheduler, STOP_MS, exited);
      child.kill('SIGKILL');
      await exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A copy: the frame that it came in may be large. */
function onlyPart({ parts: [part] }: RawReply): Uint8Array {
  if (part === undefined) throw engineErrors.crashed();
  return Uint8Array.from(part);
}

function encode(header: object, parts: readonly Uint8Array[]): Uint8Array[] {
  const frame = encodeFrame({ header, parts });
  if (frame === undefined) throw engineErrors.tooLarge();
  return frame;
}
