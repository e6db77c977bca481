import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type ErrorOptions, PlatformError } from '../../kernel/errors.ts';
import { type Scheduler, within } from '../../kernel/scheduler.ts';
import { vectorErrors } from './engine-errors.ts';
import { bytesOf, encodeFrame, floatsOf, readFrames } from './frames.ts';
import type { DatabaseRequest, EngineAnswer, EngineSetup, ForgetRequest } from './protocol.ts';

/** One running engine process; it never restarts. */
export interface EngineProcess {
  request(
    request: Unnumbered<DatabaseRequest>,
    key: Uint8Array,
    vectors: readonly Float32Array[],
  ): Promise<Reply>;
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

type Unnumbered<T> = Omit<T, 'id' | 't'>;

const MAIN = fileURLToPath(new URL('./engine-main.ts', import.meta.url));
const STOP_MS = 5000;

/** Its requests reject with `vectors.engine_crashed` when it ends before it has answered. */
export function startEngine(setup: EngineSetup, scheduler: Scheduler): EngineProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: {},
    cwd: '/',
    // Whatever a native library prints may hold content.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const control = child.stdio[3] as Duplex;
  const waiting = new Map<number, PromiseWithResolvers<Reply>>();
  let lastId = 0;

  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    // It could not even be started.
    child.on('error', () => resolve());
  });
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(vectorErrors.crashed());
    waiting.clear();
  });
  control.on('error', () => {});
  control.on('close', () => child.kill('SIGKILL'));
  readFrames<EngineAnswer>(control, ({ header, parts }) => {
    const waiter = waiting.get(header.id);
    waiting.delete(header.id);
    if (header.t === 'result') waiter?.resolve({ result: header.result, vectors: parts.map(floatsOf) });
    else waiter?.reject(new PlatformError(header.error as ErrorOptions));
  });

  function send(header: object, parts: readonly Uint8Array[]): void {
    const frame = encodeFrame({ header, parts });
    if (frame === undefined) throw vectorErrors.tooLarge();
    control.cork();
    for (const part of frame) control.write(part);
    control.uncork();
  }

  function ask(
    message: Unnumbered<DatabaseRequest> | Unnumbered<ForgetRequest>,
    t: 'request' | 'forget',
    parts: readonly Uint8Array[],
  ): Promise<Reply> {
    const id = ++lastId;
    if (!control.writable) return Promise.reject(vectorErrors.crashed());
    send({ ...message, t, id }, parts);
    const waiter = Promise.withResolvers<Reply>();
    waiting.set(id, waiter);
    return waiter.promise;
  }

  send(setup, []);
  return {
    request: async (request, key, vectors) => await ask(request, 'request', [key, ...vectors.map(bytesOf)]),
    forget: async (database) => void (await ask({ database }, 'forget', []).catch(() => undefined)),
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
