import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { DatabaseFile } from '../../databases/databases.ts';
import { createAdmission } from '../../engines/admission.ts';
import { createEngineHost } from '../../engines/engine-host.ts';
import type { Clock } from '../../kernel/clock.ts';
import { notFound } from '../../kernel/errors.ts';
import type { EventLog } from '../../kernel/events.ts';
import type { DatabaseId } from '../../kernel/ids.ts';
import { LruMap } from '../../kernel/lru-map.ts';
import type { Scheduler } from '../../kernel/scheduler.ts';
import { engineErrors } from './engine-errors.ts';
import { type EngineProcess, startEngine } from './engine-process.ts';
import type { Method, Methods, StoreLimits } from './protocol.ts';

export interface VectorEngineOptions {
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly events: Pick<EventLog, 'emit'>;
  readonly limits?: Partial<VectorEngineLimits>;
}

export interface VectorEngineLimits extends StoreLimits {
  /** Requests waiting or running; one more is refused with `vectors.busy`. */
  readonly queueMax: number;
  readonly queuePerDatabaseMax: number;
  /** All of them together. */
  readonly queueMib: number;
  /** The process is ended when one request takes longer: it would never end. */
  readonly requestMs: number;
  /** From the last request until the process is ended; by then every database is closed. */
  readonly idleMs: number;
}

export const VECTOR_ENGINE_LIMITS: VectorEngineLimits = {
  recordsMax: 1_000_000,
  databaseMib: 1024,
  exactMax: 20_000,
  openMax: 256,
  memoryMib: 2048,
  openIdleMs: 60_000,
  queueMax: 512,
  queuePerDatabaseMax: 64,
  queueMib: 512,
  requestMs: 600_000,
  idleMs: 180_000,
};

/** Brings requests to the engine process, which it starts and ends. */
export interface Caller {
  readonly call: <M extends Method>(
    method: M,
    file: DatabaseFile,
    args: Methods[M]['args'],
    vectors?: readonly Float32Array[],
  ) => Promise<CallResult<M>>;
  /** To which requests are sealed now. */
  readonly key: () => Promise<Uint8Array>;
  /** Rejects with `vectors.seal_unknown` for what was sealed to another key; nothing was done then. */
  readonly callSealed: (file: DatabaseFile, body: Uint8Array) => Promise<Uint8Array>;
  readonly forget: (id: DatabaseId) => Promise<void>;
  readonly recall: (id: DatabaseId) => void;
  readonly close: () => Promise<void>;
}

export interface CallResult<M extends Method> {
  readonly result: Methods[M]['result'];
  readonly vectors: readonly Float32Array[];
}

export function createCaller(options: VectorEngineOptions): Caller {
  const limits = { ...VECTOR_ENGINE_LIMITS, ...options.limits };
  const { scheduler, clock } = options;
  const running = createRunning(limits);
  const { host, current } = createHost(options, limits);
  let isClosed = false;

  /** Ends the process when it does not answer in time. */
  async function inTime<T>(engine: EngineProcess, answer: Promise<T>): Promise<T> {
    const late = scheduler.after(limits.requestMs, () => engine.kill());
    try {
      return await answer;
    } finally {
      late.close();
    }
  }

  /** What a request says of the database that it is for. */
  const about = ({ id, directory }: DatabaseFile) => ({
    database: id,
    directory: resolve(directory),
    now: clock.now(),
  });

  async function using<T>(work: (engine: EngineProcess) => Promise<T>): Promise<T> {
    if (isClosed) throw engineErrors.crashed();
    try {
      const engine = await host.use();
      return await inTime(engine, work(engine));
    } finally {
      host.release();
    }
  }

  async function usingFor<T>(file: DatabaseFile, work: (engine: EngineProcess) => Promise<T>): Promise<T> {
    const leave = running.enter(file.id);
    try {
      return await using(async (engine) => {
        // It may have been dropped while the process was started.
        running.refuseForgotten(file.id);
        return await running.race(file.id, work(engine));
      });
    } finally {
      leave();
    }
  }

  return {
    async call<M extends Method>(
      method: M,
      file: DatabaseFile,
      args: Methods[M]['args'],
      vectors: readonly Float32Array[] = [],
    ) {
      const reply = await usingFor(file, (engine) =>
        engine.request({ method, args, ...about(file) }, file.key, vectors),
      );
      return reply as CallResult<M>;
    },
    key: () => using((engine) => engine.key()),
    callSealed: (file, body) => usingFor(file, (engine) => engine.sealed(about(file), file.key, body)),
    async forget(id) {
      running.forget(id);
      await current()?.forget(id);
    },
    recall: (id) => running.recall(id),
    async close() {
      isClosed = true;
      await host.close();
    },
  };
}

function createHost(
  { scheduler, events }: VectorEngineOptions,
  limits: VectorEngineLimits,
): {
  readonly host: ReturnType<typeof createEngineHost<EngineProcess>>;
  /** The running process, if there is one. */
  readonly current: () => EngineProcess | undefined;
} {
  // Of this server process: uploads of another one are over.
  const run = randomBytes(16).toString('hex');
  let running: EngineProcess | undefined;

  function start(): Promise<EngineProcess> {
    const { recordsMax, databaseMib, exactMax, openMax, memoryMib, openIdleMs } = limits;
    const started = startEngine({
      setup: { run, limits: { recordsMax, databaseMib, exactMax, openMax, memoryMib, openIdleMs } },
      queueBytesMax: limits.queueMib * 2 ** 20,
      scheduler,
    });
    events.emit('vectors.started');
    running = started;
    void started.exited.then(() => {
      if (running === started) running = undefined;
      events.emit('vectors.ended');
    });
    return Promise.resolve(started);
  }

  return { host: createEngineHost({ start, scheduler, idleMs: limits.idleMs }), current: () => running };
}

/** Requests that wait or run, and databases that were dropped meanwhile. */
interface Running {
  /** Throws `vectors.busy`, or `database.not_found` for a dropped database. */
  enter(id: DatabaseId): () => void;
  refuseForgotten(id: DatabaseId): void;
  /** The value, unless the database is dropped before. */
  race<T>(id: DatabaseId, value: Promise<T>): Promise<T>;
  forget(id: DatabaseId): void;
  recall(id: DatabaseId): void;
}

/** Dropped ones that are remembered: longer ago than so many drops, no request of theirs is left. */
const FORGOTTEN_MAX = 10_000;

function createRunning({ queueMax, queuePerDatabaseMax }: VectorEngineLimits): Running {
  const forgotten = new LruMap<DatabaseId, true>(FORGOTTEN_MAX);
  const racing = new Map<DatabaseId, Set<() => void>>();
  const admission = createAdmission<DatabaseId>(
    { queueMax, queuePerAccountMax: queuePerDatabaseMax },
    engineErrors.busy,
  );

  function refuseForgotten(id: DatabaseId): void {
    if (forgotten.get(id) === true) throw notFound('database');
  }

  return {
    enter(id) {
      refuseForgotten(id);
      return admission.enter(id);
    },
    refuseForgotten,
    async race(id, value) {
      const dropped = Promise.withResolvers<never>();
      const drop = (): void => dropped.reject(notFound('database'));
      const others = racing.get(id) ?? new Set();
      racing.set(id, others.add(drop));
      try {
        return await Promise.race([value, dropped.promise]);
      } finally {
        others.delete(drop);
        if (others.size === 0) racing.delete(id);
      }
    },
    forget(id) {
      forgotten.set(id, true);
      for (const drop of racing.get(id) ?? []) drop();
    },
    recall: (id) => void forgotten.take(id),
  };
}
