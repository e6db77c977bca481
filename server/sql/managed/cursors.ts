import type { DatabaseFile } from '../../databases/databases.ts';
import { orAborted } from '../../kernel/abort.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { type Scheduler, type Timer, within } from '../../kernel/scheduler.ts';
import { sqlErrors } from '../errors.ts';
import type { CallBounds } from './engine.ts';
import { managedErrors } from './errors.ts';
import type { Lanes } from './lanes.ts';

/** Readings and imports that go on between requests. Others take their turns in between. */
export interface Cursors {
  open(start: CursorStart): Promise<{ readonly cursor: Cursor; readonly answer: unknown }>;
  /** The parts of a text as long as they come in time; rejects with `sql.stalled`, `sql.cancelled`. */
  inTime(text: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Ended by itself, with `sql.stalled`, when nothing is asked of it for too long: it holds up the database's log. */
export interface Cursor {
  call(method: string, fields: object): Promise<unknown>;
  /** What `next` gives, to its end; closed afterwards, and when the reader leaves. */
  parts(): AsyncIterable<readonly unknown[]>;
  close(): Promise<void>;
}

export interface CursorStart {
  readonly file: DatabaseFile;
  readonly method: string;
  readonly fields: object;
  readonly bounds: CallBounds & { readonly signal: AbortSignal };
}

export interface CursorLimits {
  /** Between two parts that are read or sent. */
  readonly stallMs: number;
}

export interface CursorsOptions {
  readonly lanes: Lanes;
  readonly scheduler: Scheduler;
  readonly limits: CursorLimits;
}

export function createCursors({ lanes, scheduler, limits }: CursorsOptions): Cursors {
  let lastId = 0;

  async function open({ file, method, fields, bounds }: CursorStart) {
    const { signal } = bounds;
    const id = ++lastId;
    const release = lanes.hold(file.id);
    try {
      const opening = lanes.use(file, { signal }, async (engine) => {
        const answer = await engine.call(method, { cursor: id, ...fields }, bounds);
        if (!signal.aborted) return { engine, answer };
        // Nobody is there any more who would close it.
        await engine.call('close', { cursor: id }, bounds);
        throw sqlErrors.cancelled();
      });
      const { engine, answer } = await orCancelled(opening, signal);
      const call = (name: string, more: object): Promise<unknown> =>
        lanes.useAgain(file.id, () => engine.call(name, { cursor: id, ...more }, bounds));
      return { cursor: new OpenCursor({ call, release, signal, scheduler, limits }), answer };
    } catch (error) {
      release();
      throw error;
    }
  }

  async function* inTime(text: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const source = text[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await within(scheduler, limits.stallMs, orCancelled(source.next(), signal));
        if (next === undefined) throw managedErrors.stalled();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      // One that is waiting for its next part only ends when that has come.
      source.return?.().catch(() => undefined);
    }
  }

  return { open, inTime };
}

interface CursorParts extends Omit<CursorsOptions, 'lanes'> {
  readonly call: Cursor['call'];
  readonly release: () => void;
  readonly signal: AbortSignal;
}

class OpenCursor implements Cursor {
  readonly #parts: CursorParts;
  #idle: Timer;
  #closing: Promise<void> | undefined;
  #isStalled = false;

  constructor(parts: CursorParts) {
    this.#parts = parts;
    this.#idle = this.#waitForReader();
  }

  async call(method: string, fields: object): Promise<unknown> {
    const { call, signal } = this.#parts;
    if (this.#isStalled) throw managedErrors.stalled();
    this.#idle.close();
    try {
      return await orCancelled(call(method, fields), signal);
    } finally {
      this.#idle = this.#waitForReader();
    }
  }

  async *parts(): AsyncGenerator<readonly unknown[]> {
    try {
      for (let isLast = false; !isLast;) {
        const next = (await this.call('next', {})) as { part: unknown[]; isLast: boolean };
        yield next.part;
        ({ isLast } = next);
      }
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    this.#idle.close();
    // Where the process has ended, there is nothing left to close.
    this.#closing ??= this.#parts
      .call('close', {})
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(this.#parts.release);
    return this.#closing;
  }

  #waitForReader(): Timer {
    return this.#parts.scheduler.after(this.#parts.limits.stallMs, () => {
      this.#isStalled = true;
      void this.close();
    });
  }
}

/** The value, or why its caller is let go as soon as he leaves. */
export async function orCancelled<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await orAborted(value, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw signal.reason instanceof PlatformError ? signal.reason : sqlErrors.cancelled();
  }
}
