import { fileURLToPath } from 'node:url';
import type { DatabaseFile } from '../../databases/databases.ts';
import {
  type Engine,
  type EngineFrame,
  type EngineParts,
  type EngineSpec,
  startEngine,
} from '../../engines/engine.ts';
import type { PlatformError } from '../../kernel/errors.ts';
import type { Jail, JailBind, JailedProcess, JailSpec, Scratch } from '../../sandbox/jail.ts';
import { errorOfFault, type FaultFrame, managedErrors } from './errors.ts';

/** The process that has one database open, and answers one request after the other. It never restarts. */
export interface SqlEngine {
  /**
   * One method of guest/sqlite/engine.mjs. Rejects with `sql.*`. When the time is up, or the caller has left and it does
   * not answer soon, the process is killed: SQLite cannot be interrupted in any other way.
   */
  call(method: string, fields: object, bounds: CallBounds): Promise<unknown>;
  /** Kills the process; what it was asked rejects with `reason`, default `sql.interrupted`. Resolves as `ended` does. */
  stop(reason?: PlatformError): Promise<void>;
  /** It answers no more; `ended` comes soon. */
  readonly hasEnded: boolean;
  /** Nothing of the process is left and the directory is the server's again. */
  readonly ended: Promise<void>;
}

export interface CallBounds {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface SqlEngineOptions extends EngineParts {
  readonly jail: Pick<Jail, 'start' | 'adopt'>;
  readonly limits: EngineLimits;
}

export interface EngineLimits {
  readonly databaseMib: number;
  readonly memoryMib: number;
  readonly startMs: number;
  /** After the caller has left: a statement that ends by itself within this costs no new process. */
  readonly leaveMs: number;
}

type Frame =
  | (EngineFrame & { readonly t: 'done'; readonly value: unknown })
  | ({ readonly t: 'failed' } & FaultFrame);
type Running = Engine<Frame, { readonly problem: string }>;

const FILES = ['data.db', 'data.db-wal', 'data.db-shm'];
const PAGE_BYTES = 4096;
const MIB = 1 << 20;
/** Parts of a result have 8 MiB at most. */
const LINE_CHARACTERS_MAX = 10 * MIB;
/** V8's own limit below that of the jail, so that JavaScript collects its garbage before the kernel steps in. */
const HEAP_SHARE = 0.4;

const GUEST = fileURLToPath(new URL('../../../guest/sqlite', import.meta.url));
const DRIVER = 'node_modules/better-sqlite3-multiple-ciphers';
const HOME = '/opt/jellyfaas/sqlite';
const NODE = `${HOME}/bin/node`;

const BINDS: readonly JailBind[] = [
  { source: process.execPath, target: NODE },
  { source: GUEST, target: `${HOME}/engine` },
  { source: fileURLToPath(new URL(`../../../${DRIVER}`, import.meta.url)), target: `${HOME}/${DRIVER}` },
];

/** Rejects with `sandbox.*`, `sql.not_started`, `sql.wrong_key`, `sql.damaged`, `sql.not_secured`. */
export async function startSqlEngine(
  file: Pick<DatabaseFile, 'directory' | 'key'> & { readonly isNew: boolean },
  options: SqlEngineOptions,
): Promise<SqlEngine> {
  const { jail, limits } = options;
  const scratch = await jail.adopt(file.directory, FILES);
  const parts = {
    ...options,
    jail: { start: async (spec: JailSpec) => outOfHeapIsOom(await jail.start(spec)) },
  };
  const engine = await startEngine<Frame, { readonly problem: string }>(
    parts,
    engineSpec(file, limits, scratch),
  ).catch(async (error: unknown) => {
    await scratch.dispose();
    throw error;
  });
  // A directory that could not be given back is taken over at the next start.
  const ended = engine.exited.then(() => scratch.dispose()).catch(() => undefined);
  const { problem } = engine.ready;
  if (problem !== '') {
    await engine.stop();
    await ended;
    throw errorOfFault({ code: problem, reason: '', where: '' });
  }
  return sqlEngine(engine, ended, options);
}

function engineSpec(
  { key, isNew }: { readonly key: Uint8Array; readonly isNew: boolean },
  { databaseMib, memoryMib, startMs }: EngineLimits,
  scratch: Scratch,
): EngineSpec {
  const heapMib = Math.floor(memoryMib * HEAP_SHARE);
  return {
    name: 'sql',
    process: {
      argv: [NODE, `--max-old-space-size=${heapMib}`, `${HOME}/engine/engine.mjs`],
      env: {},
      binds: BINDS,
      scratch,
      limits: {
        memoryMib,
        tasks: 32,
        cpuPercent: 100,
        tmpMib: 1,
        // The log of one transaction may be as long as the database, and a bit.
        fileMib: Math.ceil(databaseMib * 1.25) + 16,
      },
    },
    load: { key: Buffer.from(key).toString('hex'), pagesMax: (databaseMib * MIB) / PAGE_BYTES, isNew },
    loadMs: startMs,
    frames: {
      ready: { problem: 'string' },
      done: {},
      failed: { code: 'string', reason: 'string', where: 'string' },
    },
    lastFrames: ['done', 'failed'],
    lineCharactersMax: LINE_CHARACTERS_MAX,
    errors: {
      notLoaded: managedErrors.notStarted,
      outOfMemory: managedErrors.outOfMemory,
      crashed: managedErrors.interrupted,
    },
  };
}

function sqlEngine(
  engine: Running,
  ended: Promise<void>,
  { scheduler, limits }: SqlEngineOptions,
): SqlEngine {
  let lastId = 0;
  let hasEnded = false;
  let stopReason: PlatformError | undefined;
  void engine.exited.then(() => {
    hasEnded = true;
  });

  async function stop(reason?: PlatformError): Promise<void> {
    stopReason ??= reason;
    hasEnded = true;
    await engine.stop();
    await ended;
  }

  return {
    async call(method, fields, { timeoutMs, signal }) {
      const answer = Promise.withResolvers<unknown>();
      let ownReason: PlatformError | undefined;
      const end = (reason: PlatformError): void => {
        ownReason = reason;
        void stop();
      };
      let timer = scheduler.after(timeoutMs, () => end(managedErrors.timeout()));
      const leave = (): void => {
        timer.close();
        timer = scheduler.after(limits.leaveMs, () => end(managedErrors.interrupted()));
      };
      signal?.addEventListener('abort', leave);
      if (signal?.aborted === true) leave();
      const request = { id: ++lastId, method, fields };
      engine.request(request, {
        onFrame: (frame) =>
          frame.t === 'done' ? answer.resolve(frame.value) : answer.reject(errorOfFault(frame)),
        onEnd: (error) => answer.reject(ownReason ?? stopReason ?? error),
      });
      try {
        return await answer.promise;
      } finally {
        timer.close();
        signal?.removeEventListener('abort', leave);
      }
    },
    stop,
    get hasEnded() {
      return hasEnded;
    },
    ended,
  };
}

/** V8 ends the process itself when its heap is full: by SIGTRAP, or SIGABRT. */
function outOfHeapIsOom(process: JailedProcess): JailedProcess {
  const isFull = (code: number | null): boolean => code === 128 + 5 || code === 128 + 6;
  const exited = process.exited.then((exit) =>
    isFull(exit.code) ? { ...exit, reason: 'oom' as const } : exit,
  );
  return { ...process, exited };
}
