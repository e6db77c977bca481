import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { AccountId, FunctionId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';

export interface ConsoleLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export type ConsoleSink = (line: ConsoleLine) => void;

/**
 * The live console (decision D3): what a function prints goes to its owner while he watches, and nowhere else.
 * Nothing is kept: with nobody attached the bytes are dropped as they are read.
 */
export interface Console {
  /** Returns how to detach. Throws `RangeError` when too many are attached to the function already. */
  attach(ownerId: AccountId, functionId: FunctionId, sink: ConsoleSink): () => void;
}

/** The pool's side: takes over an instance's output. */
export interface ConsoleFeed extends Console {
  /** Shows the output of an instance whose caller is the function's owner to whoever watches. */
  feed(ownerId: AccountId, functionId: FunctionId, stream: ConsoleLine['stream'], output: Readable): void;
  /** Reads and drops output that nobody may see. */
  drain(output: Readable): void;
}

const SINKS_PER_FUNCTION_MAX = 16;
const LINE_CHARS_MAX = 8192;
/** A function that prints faster than this waits: reading its output must not cost its neighbours the CPU. */
const BYTES_PER_WINDOW = 262_144;
const WINDOW_MS = 100;

export function createConsole(scheduler: Scheduler): ConsoleFeed {
  const sinks = new Map<string, Set<ConsoleSink>>();
  return {
    attach(ownerId, functionId, sink) {
      const key = `${ownerId}/${functionId}`;
      const attached = sinks.get(key) ?? new Set();
      if (attached.size >= SINKS_PER_FUNCTION_MAX) throw new RangeError('too many consoles on this function');
      sinks.set(key, attached.add(sink));
      return () => {
        attached.delete(sink);
        if (attached.size === 0 && sinks.get(key) === attached) sinks.delete(key);
      };
    },
    feed(ownerId, functionId, stream, output) {
      const key = `${ownerId}/${functionId}`;
      const lines = new LineSplitter();
      readSlowly(output, scheduler, (chunk) => {
        const attached = sinks.get(key);
        if (attached === undefined) {
          lines.reset();
          return;
        }
        for (const text of lines.push(chunk)) {
          for (const sink of attached) sink({ stream, text });
        }
      });
    },
    drain: (output) => readSlowly(output, scheduler, () => undefined),
  };
}

function readSlowly(output: Readable, scheduler: Scheduler, onChunk: (chunk: Buffer) => void): void {
  let windowBytes = 0;
  let isWindowOpen = false;
  output.on('error', () => undefined);
  output.on('data', (chunk: Buffer) => {
    windowBytes += chunk.length;
    onChunk(chunk);
    if (isWindowOpen) {
      if (windowBytes > BYTES_PER_WINDOW) output.pause();
      return;
    }
    isWindowOpen = true;
    scheduler.after(WINDOW_MS, () => {
      isWindowOpen = false;
      windowBytes = 0;
      output.resume();
    });
  });
}

/** Cuts output into lines; the rest of an overlong line is dropped. */
class LineSplitter {
  #decoder = new StringDecoder('utf8');
  #partial = '';

  reset(): void {
    if (this.#partial === '') return;
    this.#decoder = new StringDecoder('utf8');
    this.#partial = '';
  }

  push(chunk: Buffer): string[] {
    const parts = (this.#partial + this.#decoder.write(chunk)).split('\n');
    this.#partial = (parts.pop() ?? '').slice(0, LINE_CHARS_MAX);
    return parts.map((line) => line.slice(0, LINE_CHARS_MAX).replace(/\r$/, ''));
  }
}
