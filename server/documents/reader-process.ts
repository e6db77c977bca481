import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { Jail, JailBind, JailedProcess } from '../sandbox/jail.ts';
import { documentErrors, readerFailure } from './document-errors.ts';
import type { DocumentLimits } from './document-limits.ts';
import type { Chunking, Document, Passage } from './document-reader.ts';

/** One JSON line before the document's bytes; without `chunking` the whole text is asked for. */
interface Request extends Pick<Document, 'mediaType' | 'extension'> {
  readonly chunking: Chunking | undefined;
  readonly limits: Pick<DocumentLimits, 'pagesMax' | 'charactersMax' | 'expandedBytesMax'>;
}

export type ReaderFrame =
  | { readonly t: 'progress'; readonly pagesDone: number; readonly pages: number }
  | { readonly t: 'passage'; readonly passage: Passage }
  | { readonly t: 'text'; readonly text: string };

/** Frames as the reader writes them, one JSON line each; `end` and `failed` are the last. */
type Frame = ReaderFrame | { readonly t: 'end' } | { readonly t: 'failed'; readonly code: string };

export interface ReaderProcess {
  /** Rejects with `documents.*`; when it has ended, however it did, the process is gone. */
  readonly frames: AsyncIterable<ReaderFrame>;
  /** Kills the process, if it still runs, and waits for its end; what was not taken yet rejects with `reason`. */
  stop(reason?: Error): Promise<void>;
}

export interface ReaderHost {
  readonly jail: Pick<Jail, 'start'>;
  readonly scheduler: Scheduler;
  readonly limits: DocumentLimits;
}

const GUEST = fileURLToPath(new URL('../../guest/documents', import.meta.url));
const HOME = '/opt/jellyfaas/documents';
const NODE = '/opt/jellyfaas/bin/node';
/** Node has eleven threads of its own; pdf.js starts none. */
const TASKS = 32;
/** The rest is for the document's bytes and what they unpack to, which do not lie in the heap. */
const HEAP_SHARE = 0.75;
/** A frame holds one passage, or a portion of the text. */
const LINE_CHARACTERS_MAX = 1 << 20;
const FRAMES_AHEAD = 64;

/** What the reader's jail has to hold. */
export const READER_BINDS: readonly JailBind[] = [
  // Not Node's own file, which would name the path it has on this host.
  { source: process.execPath, target: NODE },
  { source: GUEST, target: HOME },
];

export async function startReaderProcess(
  { jail, scheduler, limits }: ReaderHost,
  document: Document,
  chunking: Chunking | undefined,
): Promise<ReaderProcess> {
  const { memoryMib } = limits;
  const jailed = await jail.start({
    argv: [
      NODE,
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${Math.floor(memoryMib * HEAP_SHARE)}`,
      `${HOME}/reader.mjs`,
    ],
    env: {},
    binds: READER_BINDS,
    limits: { memoryMib, tasks: TASKS, cpuPercent: 100, tmpMib: 1 },
  });
  // Whatever a parser prints may hold content: it is read so that no pipe fills up, and dropped.
  jailed.stdout.resume();
  jailed.stderr.resume();
  const frames = framesOf(jailed, { scheduler, limits, signal: document.signal });
  const request: Request = {
    mediaType: document.mediaType,
    extension: document.extension,
    chunking,
    limits,
  };
  frames.alarm.set(limits.uploadMs);
  send(jailed, request, { content: document.content, bytesMax: limits.bytesMax }).then(
    () => frames.alarm.set(limits.readMs),
    (error: Error) => frames.stream.destroy(error),
  );
  return {
    frames: frames.stream,
    async stop(reason) {
      frames.stream.destroy(reason);
      await jailed.kill();
    },
  };
}

/** Resolves when all of it was sent or nobody reads on. */
async function send(
  { control }: JailedProcess,
  request: Request,
  { content, bytesMax }: { content: AsyncIterable<Uint8Array>; bytesMax: number },
): Promise<void> {
  let bytes = 0;
  control.write(`${JSON.stringify(request)}\n`);
  for await (const part of content) {
    bytes += part.byteLength;
    if (bytes > bytesMax) throw documentErrors.tooLarge();
    if (!control.writable) return;
    if (!control.write(part)) await drained(control);
  }
  control.end();
}

/** Resolves when more can be written, or never again. */
function drained(control: JailedProcess['control']): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close'] as const;
  for (const event of events) control.on(event, resolve);
  return promise.finally(() => events.forEach((event) => control.off(event, resolve)));
}

interface FrameSurroundings extends Pick<ReaderHost, 'scheduler' | 'limits'> {
  readonly signal: AbortSignal;
}

/** What the process answers, at the pace at which it is asked for; its end, of whatever kind, is the process' end. */
function framesOf(
  jailed: JailedProcess,
  { scheduler, limits, signal }: FrameSurroundings,
): { stream: Readable; alarm: Alarm } {
  const { control } = jailed;
  const alarm = createAlarm(scheduler, () => stream.destroy(documentErrors.tookTooLong()));
  const onAbort = (): unknown => stream.destroy(documentErrors.cancelled());
  const stream = new Readable({
    objectMode: true,
    highWaterMark: FRAMES_AHEAD,
    read() {
      if (!control.isPaused()) return;
      alarm.set(limits.readMs);
      control.resume();
    },
    destroy(error, callback) {
      alarm.close();
      signal.removeEventListener('abort', onAbort);
      const kill = async (): Promise<void> => {
        await jailed.kill();
        callback(error);
      };
      void kill();
    },
  });
  // It may fail before anybody reads it, who is then told.
  stream.on('error', () => undefined);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();

  const follows = createSequence(limits);
  let isComplete = false;
  let hasPages = false;

  function hear(line: string): void {
    if (stream.destroyed || isComplete) return;
    const frame = parseFrame(line, limits);
    if (frame === undefined || !follows(frame)) return void stream.destroy(documentErrors.damaged());
    if (frame.t === 'failed') return void stream.destroy(readerFailure(frame.code));
    isComplete = frame.t === 'end';
    if (frame.t !== 'progress') alarm.set(limits.readMs);
    else if (!hasPages) alarm.set(limits.readMs + frame.pages * limits.pageMs);
    hasPages = true;
    if (stream.push(isComplete ? null : frame)) return;
    alarm.clear();
    control.pause();
  }

  let pending = '';
  control.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > LINE_CHARACTERS_MAX) stream.destroy(documentErrors.damaged());
    for (const line of lines) hear(line);
  });
  control.once('close', () => {
    if (isComplete) return;
    void jailed.exited.then(({ reason }) => {
      // Node ends itself by a signal when its heap is full.
      const wasFull = reason === 'oom' || reason === 'signal';
      stream.destroy(wasFull ? documentErrors.expandsTooMuch() : documentErrors.damaged());
    });
  });
  return { stream, alarm };
}

/** Whether a frame can come after those before: passages go forward, and there is no more text than there may be. */
function createSequence(limits: DocumentLimits): (frame: Frame) => boolean {
  let lastStart = -1;
  let charactersLeft = limits.charactersMax;
  return (frame) => {
    if (frame.t === 'text') return (charactersLeft -= frame.text.length) >= 0;
    if (frame.t !== 'passage') return true;
    const { start } = frame.passage;
    const isForward = start > lastStart;
    lastStart = start;
    return isForward;
  };
}

interface Alarm {
  /** Rings after `delayMs`, unless it is set anew or cleared before. */
  set(delayMs: number): void;
  clear(): void;
  /** It is never set again. */
  close(): void;
}

function createAlarm(scheduler: Scheduler, ring: () => void): Alarm {
  let timer: Timer | undefined;
  let isClosed = false;
  return {
    set(delayMs) {
      timer?.close();
      if (!isClosed) timer = scheduler.after(delayMs, ring);
    },
    clear: () => timer?.close(),
    close() {
      isClosed = true;
      timer?.close();
    },
  };
}

/** Undefined for anything else than a frame: the reader parses hostile documents, and may be taken over. */
function parseFrame(line: string, limits: DocumentLimits): Frame | undefined {
  let frame: Partial<Record<string, unknown>>;
  try {
    frame = JSON.parse(line) as typeof frame;
  } catch {
    return undefined;
  }
  const { t, pagesDone, pages, text, code } = frame ?? {};
  switch (t) {
    case 'progress':
      return isCount(pages, limits.pagesMax) && isCount(pagesDone, pages)
        ? { t, pagesDone, pages }
        : undefined;
    case 'text':
      return typeof text === 'string' ? { t, text } : undefined;
    case 'passage': {
      const passage = passageOf(frame, limits);
      return passage === undefined ? undefined : { t, passage };
    }
    case 'end':
      return { t };
    case 'failed':
      return typeof code === 'string' ? { t, code } : undefined;
    default:
      return undefined;
  }
}

function passageOf(frame: Partial<Record<string, unknown>>, limits: DocumentLimits): Passage | undefined {
  const { start, end, text, page, headings } = frame;
  if (!isCount(end, limits.charactersMax) || !isCount(start, end)) return undefined;
  if (typeof text !== 'string' || text.length !== end - start) return undefined;
  if (page !== null && !isCount(page, limits.pagesMax)) return undefined;
  if (!Array.isArray(headings) || !headings.every((heading) => typeof heading === 'string')) return undefined;
  return { start, end, text, page, headings };
}

function isCount(value: unknown, max: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
}
