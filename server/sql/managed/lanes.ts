import { createHash, timingSafeEqual } from 'node:crypto';
import type { DatabaseFile } from '../../databases/databases.ts';
import { notFound, type PlatformError } from '../../kernel/errors.ts';
import type { DatabaseId } from '../../kernel/ids.ts';
import { LruMap } from '../../kernel/lru-map.ts';
import type { Scheduler, Timer } from '../../kernel/scheduler.ts';
import { createSerial } from '../../kernel/serial.ts';
import { sqlErrors } from '../errors.ts';
import type { SqlEngine } from './engine.ts';
import { managedErrors } from './errors.ts';
import { createPlaces, type Places } from './places.ts';

export interface LanesOptions {
  readonly start: (file: NewFile) => Promise<SqlEngine>;
  readonly scheduler: Scheduler;
  readonly limits: LaneLimits;
}

export type NewFile = DatabaseFile & { readonly isNew: boolean };

export interface LaneLimits {
  /** Databases open at once. */
  readonly enginesMax: number;
  /** Requests that run or wait on one database. */
  readonly queueMax: number;
  /** For a place among the open ones. */
  readonly placeMs: number;
  /** After the last use, until the process ends. */
  readonly idleMs: number;
  /** To write everything to its place when a process ends in peace. */
  readonly shutDownMs: number;
}

export interface UseOptions {
  readonly signal: AbortSignal;
  /** The file is made; it is refused when there is one. */
  readonly isNew?: boolean;
}

/** A dropped database is not in the catalogue any more: only requests that had found it before are to be refused. */
const FORGOTTEN_MAX = 10_000;

/** Who may work on which database when: one request after the other on each, and few databases open at once. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #places: Places;
  /** The one unused for longest comes first. */
  readonly #lanes = new Map<DatabaseId, Lane>();
  readonly #forgotten = new LruMap<DatabaseId, true>(FORGOTTEN_MAX);
  #isClosed = false;

  constructor(options: LanesOptions) {
    this.#options = options;
    const { scheduler, limits } = options;
    this.#places = createPlaces({
      count: limits.enginesMax,
      waitMs: limits.placeMs,
      scheduler,
      evict: () => this.#evict(),
      late: managedErrors.busy,
    });
  }

  /**
   * Runs `work` when it is this database's turn, with its process, which is started for it if there is none. Rejects
   * with `sql.busy`, `database.not_found` and what opening rejects with.
   */
  async use<T>(file: DatabaseFile, options: UseOptions, work: (engine: SqlEngine) => Promise<T>): Promise<T> {
    this.#assertOpen(file.id);
    const { lane, leave } = this.#enter(file.id);
    // The caller wipes his as soon as he has left.
    const own = { ...file, key: Uint8Array.from(file.key), isNew: options.isNew ?? false };
    try {
      if (lane.users > this.#options.limits.queueMax) throw managedErrors.busy();
      return await lane.serial(async () => {
        if (options.signal.aborted) throw sqlErrors.cancelled();
        this.#assertOpen(file.id);
        return await work(await lane.engineFor(own));
      });
    } finally {
      own.key.fill(0);
      leave();
    }
  }

  /** The same on a process that `use` gave, whether or not it has ended since. */
  async useAgain<T>(id: DatabaseId, work: () => Promise<T>): Promise<T> {
    const { lane, leave } = this.#enter(id);
    try {
      return await lane.serial(work);
    } finally {
      leave();
    }
  }

  /** Keeps the database open, until the function that it returns is called, although nobody uses it. */
  hold(id: DatabaseId): () => void {
    return this.#enter(id).leave;
  }

  /** Ends what runs on a database and what waits for it with `database.not_found`, and refuses it from then on. */
  async forget(id: DatabaseId): Promise<void> {
    this.#forgotten.set(id, true);
    await this.#lanes.get(id)?.stop(notFound('database'));
  }

  /** Takes that back. */
  recall(id: DatabaseId): void {
    this.#forgotten.take(id);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const lanes = [...this.#lanes.values()];
    await Promise.all(
      lanes.map((lane) => (lane.users > 0 ? lane.stop(managedErrors.interrupted()) : lane.shutDown())),
    );
  }

  #assertOpen(id: DatabaseId): void {
    if (this.#forgotten.get(id) === true) throw notFound('database');
    if (this.#isClosed) throw managedErrors.interrupted();
  }

  #enter(id: DatabaseId): { lane: Lane; leave: () => void } {
    const lane = this.#lanes.get(id) ?? new Lane(this.#options, this.#places);
    this.#lanes.delete(id);
    this.#lanes.set(id, lane);
    lane.enter();
    const leave = (): void => {
      lane.leave();
      if (lane.users > 0) return;
      if (!lane.isOpen && this.#lanes.get(id) === lane) this.#lanes.delete(id);
      this.#places.tellOfIdle();
    };
    return { lane, leave };
  }

  async #evict(): Promise<boolean> {
    const idle = [...this.#lanes.values()].find(({ users, isOpen }) => users === 0 && isOpen);
    await idle?.shutDown();
    return idle !== undefined;
  }
}

/** One database: its turn, and its process. */
class Lane {
  readonly #options: LanesOptions;
  readonly #places: Places;
  readonly serial = createSerial();
  /** Requests running or waiting, and readings and imports that go on between requests. */
  users = 0;
  #engine: SqlEngine | undefined;
  /** Of the key with which it was opened: whoever comes later has to bring the same one. */
  #keyDigest = Buffer.alloc(0);
  #idle: Timer | undefined;

  constructor(options: LanesOptions, places: Places) {
    this.#options = options;
    this.#places = places;
  }

  get isOpen(): boolean {
    return this.#engine !== undefined;
  }

  enter(): void {
    this.users++;
    this.#idle?.close();
  }

  leave(): void {
    const { scheduler, limits } = this.#options;
    if (--this.users === 0 && this.isOpen) {
      this.#idle = scheduler.after(limits.idleMs, () => void this.shutDown());
    }
  }

  /** Only in its turn. */
  async engineFor(file: NewFile): Promise<SqlEngine> {
    const keyDigest = createHash('sha256').update(file.key).digest();
    if (this.#engine?.hasEnded === false) {
      if (!timingSafeEqual(keyDigest, this.#keyDigest)) throw managedErrors.wrongKey();
      return this.#engine;
    }
    await this.#engine?.ended;
    await this.#places.take();
    const engine = await this.#options.start(file).catch((error: unknown) => {
      this.#places.give();
      throw error;
    });
    this.#engine = engine;
    this.#keyDigest = keyDigest;
    void engine.ended.then(() => {
      if (this.#engine === engine) this.#engine = undefined;
      this.#places.give();
    });
    return engine;
  }

  /** Deleted content is gone from the disk afterwards. Does nothing once somebody has come. */
  shutDown(): Promise<void> {
    this.#idle?.close();
    return this.serial(async () => {
      if (this.users > 0) return;
      const { shutDownMs } = this.#options.limits;
      await this.#engine?.call('shutDown', {}, { timeoutMs: shutDownMs }).catch(() => undefined);
      await this.#engine?.stop();
    });
  }

  /** At once, and again when it was just being opened. Resolves when the directory is the server's again. */
  async stop(reason: PlatformError): Promise<void> {
    await this.#engine?.stop(reason);
    await this.serial(async () => await this.#engine?.stop(reason));
  }
}
