import { orAborted } from '../kernel/abort.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Jail } from '../sandbox/jail.ts';
import { documentErrors } from './document-errors.ts';
import { DOCUMENT_LIMITS, type DocumentLimits } from './document-limits.ts';
import type { Chunking, Document, DocumentReader, ReaderEvent } from './document-reader.ts';
import { type ReaderFrame, type ReaderProcess, startReaderProcess } from './reader-process.ts';

export interface DocumentReaderOptions {
  readonly jail: Pick<Jail, 'start'>;
  readonly scheduler: Scheduler;
  /** Default: `DOCUMENT_LIMITS`. */
  readonly limits?: Partial<DocumentLimits>;
}

/** Reads each document in a jailed process of its own, which is gone when the reading has ended, however it ended. */
export function createDocumentReader({ jail, scheduler, ...options }: DocumentReaderOptions): DocumentReader {
  const limits = { ...DOCUMENT_LIMITS, ...options.limits };
  const turns = createTurns(limits);
  const running = new Set<ReaderProcess>();

  async function* read(document: Document, chunking?: Chunking): AsyncGenerator<ReaderFrame> {
    const leave = await turns.enter(document.signal);
    let process: ReaderProcess | undefined;
    try {
      process = await startReaderProcess({ jail, scheduler, limits }, document, chunking);
      running.add(process);
      yield* process.frames;
    } finally {
      await process?.stop();
      if (process !== undefined) running.delete(process);
      leave();
    }
  }

  return {
    async *passages(document, chunking): AsyncGenerator<ReaderEvent> {
      for await (const frame of read(document, chunking)) {
        if (frame.t === 'passage') yield { type: 'passage', passage: frame.passage };
        if (frame.t === 'progress')
          yield { type: 'progress', pagesDone: frame.pagesDone, pages: frame.pages };
      }
    },
    async text(document) {
      const parts: string[] = [];
      for await (const frame of read(document)) if (frame.t === 'text') parts.push(frame.text);
      return parts.join('');
    },
    async close() {
      await Promise.all([...running].map((process) => process.stop(documentErrors.cancelled())));
    },
  };
}

/** First come, first served. */
function createTurns({ processesMax, waitingMax }: DocumentLimits): {
  /** Call what it resolves to when the turn is over. Rejects with `documents.busy` or `documents.cancelled`. */
  enter(signal: AbortSignal): Promise<() => void>;
} {
  const waiting: (() => void)[] = [];
  let free = processesMax;
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };

  async function wait(signal: AbortSignal): Promise<void> {
    if (waiting.length >= waitingMax) throw documentErrors.busy();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await orAborted(promise, signal).catch(() => {
      const place = waiting.indexOf(resolve);
      // The turn may have come in the same moment: it goes to the next.
      if (place === -1) leave();
      else waiting.splice(place, 1);
      throw documentErrors.cancelled();
    });
  }

  return {
    async enter(signal) {
      if (signal.aborted) throw documentErrors.cancelled();
      if (free > 0) free--;
      else await wait(signal);
      return leave;
    },
  };
}
