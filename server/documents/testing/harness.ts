import { systemScheduler } from '../../kernel/scheduler.ts';
import type { Jail, JailedProcess } from '../../sandbox/jail.ts';
import { processesOf } from '../../sandbox/testing.ts';
import {
  CHUNKING,
  type Chunking,
  type Document,
  type Passage,
  type ReaderEvent,
} from '../document-reader.ts';
import type { DocumentLimits } from '../document-limits.ts';
import { createDocumentReader } from '../jailed-reader.ts';

export interface Sample {
  readonly bytes: Uint8Array;
  readonly extension?: string;
  readonly mediaType?: string;
}

export interface Read {
  readonly passages: readonly Passage[];
  readonly progress: readonly Extract<ReaderEvent, { type: 'progress' }>[];
  readonly text: string;
}

/** A reader over a real jail that knows which processes it started. */
export function openTestReader(jail: Jail, limits: Partial<DocumentLimits> = {}) {
  const started: JailedProcess[] = [];
  const reader = createDocumentReader({
    jail: {
      async start(spec) {
        const process = await jail.start(spec);
        started.push(process);
        return process;
      },
    },
    scheduler: systemScheduler,
    limits,
  });

  async function read(sample: Sample, chunking: Chunking = CHUNKING): Promise<Read> {
    const passages: Passage[] = [];
    const progress: Read['progress'][number][] = [];
    for await (const event of reader.passages(documentOf(sample), chunking)) {
      if (event.type === 'passage') passages.push(event.passage);
      else progress.push(event);
    }
    return { passages, progress, text: await reader.text(documentOf(sample)) };
  }

  return {
    ...reader,
    started,
    read,
    /** Code of the refusal. */
    async refusal(sample: Sample): Promise<unknown> {
      return await reader.text(documentOf(sample)).then(
        () => 'none',
        (error: { code: unknown }) => error.code,
      );
    },
    /** Pids of the reader's processes that still run. */
    running: () => started.flatMap(({ uid }) => processesOf(uid)),
  };
}

/** The sample in pieces as a network brings them. */
export function documentOf(
  { bytes, extension, mediaType }: Sample,
  more: { pieceBytes?: number; signal?: AbortSignal; hold?: Promise<void> } = {},
): Document {
  const { pieceBytes = 65_536, signal = new AbortController().signal, hold } = more;
  return {
    content: (async function* () {
      for (let from = 0; from < bytes.length; from += pieceBytes)
        yield bytes.subarray(from, from + pieceBytes);
      await hold;
    })(),
    extension,
    mediaType,
    signal,
  };
}
