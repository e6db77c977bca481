import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';

/**
 * GGUF files of the embedded model, `<dataDir>/models/<name>.gguf`. Weights are public, so they lie there in plain.
 * A file has its name only once its checksum fits; what is still being fetched is `<name>.gguf.part`.
 */
export interface ModelFiles {
  /** By name. */
  list(): Promise<ModelFile[]>;
  /** Host path of a pulled model; undefined when it is not there. */
  find(name: string): Promise<string | undefined>;
  /**
   * Fetches a model, going on where an earlier try ended. Yields progress as it goes and ends when the file is in
   * place. Rejects with `models.pull_*`; what was fetched is kept for the next try, unless its checksum is wrong.
   */
  pull(request: PullRequest): AsyncIterable<PullProgress>;
}

export interface ModelFile {
  readonly name: string;
  readonly bytes: number;
}

export interface PullRequest {
  /** `[a-z0-9._-]`, at most 64 characters. */
  readonly name: string;
  /** `https:`, or `http:` on this machine; or `file:`. The operator's own words: no caller names it. */
  readonly url: URL;
  /** SHA-256 of the whole file, hex. */
  readonly sha256: string;
  readonly signal: AbortSignal;
}

export interface PullProgress {
  readonly name: string;
  readonly bytes: number;
  /** Null when the other side does not tell. */
  readonly totalBytes: number | null;
}

export interface ModelFilesOptions {
  readonly directory: string;
  readonly bytesMax?: number;
  readonly fetch?: typeof fetch;
}

/** 64 GiB: more than a processor could run. */
const BYTES_MAX = 64 * 2 ** 30;
/** Between two reports of progress. */
const REPORT_BYTES = 4 * 2 ** 20;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SUFFIX = '.gguf';

export function createModelFiles(options: ModelFilesOptions): ModelFiles {
  const { directory } = options;
  const bytesMax = options.bytesMax ?? BYTES_MAX;
  const pulling = new Set<string>();

  const pathOf = (name: string): string => {
    if (!NAME.test(name)) throw pullErrors.name();
    return join(directory, `${name}${SUFFIX}`);
  };

  async function* pull(request: PullRequest): AsyncGenerator<PullProgress> {
    const { name, signal } = request;
    const path = pathOf(name);
    if (pulling.has(name)) throw pullErrors.running();
    pulling.add(name);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(`${path}.part`, 'a+', 0o644);
    try {
      const part = await resumed(file, `${path}.part`);
      const source = await openSource(request, part.bytes, options.fetch ?? fetch).catch(rethrow(signal));
      if (source.from < part.bytes) await restart(file, part);
      if ((source.totalBytes ?? 0) > bytesMax) throw pullErrors.tooLarge();
      const progress = (): PullProgress => ({ name, bytes: part.bytes, totalBytes: source.totalBytes });
      yield progress();
      yield* copied(source, { file, part, bytesMax, signal, progress });
      if (part.hash.digest('hex') !== request.sha256.toLowerCase()) {
        await rm(`${path}.part`);
        throw pullErrors.checksum();
      }
      // Weights are public, and the jail that loads them runs as nobody in particular.
      await file.chmod(0o644);
      await file.sync();
      await rename(`${path}.part`, path);
      yield progress();
    } finally {
      await file.close();
      pulling.delete(name);
    }
  }

  return {
    async list() {
      const names = await readdir(directory).catch(() => []);
      const found = names.filter((name) => name.endsWith(SUFFIX)).toSorted();
      return Promise.all(
        found.map(async (name) => ({
          name: name.slice(0, -SUFFIX.length),
          bytes: (await stat(join(directory, name))).size,
        })),
      );
    },
    async find(name) {
      const path = pathOf(name);
      const isThere = await stat(path).then(
        (found) => found.isFile(),
        () => false,
      );
      return isThere ? path : undefined;
    },
    pull,
  };
}

/** What of the file is there, and the hash of it so far. */
interface Part {
  bytes: number;
  hash: Hash;
}

async function resumed(file: FileHandle, path: string): Promise<Part> {
  const part: Part = { bytes: (await file.stat()).size, hash: createHash('sha256') };
  if (part.bytes > 0) for await (const chunk of createReadStream(path)) part.hash.update(chunk as Buffer);
  return part;
}

async function restart(file: FileHandle, part: Part): Promise<void> {
  await file.truncate(0);
  part.bytes = 0;
  part.hash = createHash('sha256');
}

interface Source {
  /** Where its first byte lies in the file. */
  readonly from: number;
  readonly totalBytes: number | null;
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function openSource(
  { url, signal }: PullRequest,
  from: number,
  request: typeof fetch,
): Promise<Source> {
  if (url.protocol === 'file:') return openFile(url, from);
  if (!isSafe(url)) throw pullErrors.insecure();
  // `identity`: a range of compressed bytes would be no range of the file.
  const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
  const response = await request(url, { headers, signal });
  if (!isSafe(new URL(response.url === '' ? url : response.url))) throw pullErrors.insecure();
  if (response.status === 416) return { from, totalBytes: from, chunks: none() };
  if (!response.ok || response.body === null) throw pullErrors.refused(response.status);
  const start = startOf(response);
  if (start !== 0 && start !== from) throw pullErrors.refused(response.status);
  const length = response.headers.get('content-length');
  return { from: start, totalBytes: length === null ? null : start + Number(length), chunks: response.body };
}

/** Zero when the other side knows no ranges and gives the whole file. */
function startOf({ status, headers }: Response): number {
  const range = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '');
  return status === 206 && range !== null ? Number(range[1]) : 0;
}

async function openFile(url: URL, from: number): Promise<Source> {
  const found = await stat(url).catch(() => undefined);
  if (found?.isFile() !== true) throw pullErrors.refused(404);
  // A longer part is of another file.
  const start = from > found.size ? 0 : from;
  return { from: start, totalBytes: found.size, chunks: createReadStream(url, { start }) };
}

async function* none(): AsyncGenerator<Uint8Array> {}

function isSafe(url: URL): boolean {
  const isHere = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere);
}

interface Copy {
  readonly file: FileHandle;
  readonly part: Part;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  readonly progress: () => PullProgress;
}

async function* copied(
  source: Source,
  { file, part, bytesMax, signal, progress }: Copy,
): AsyncGenerator<PullProgress> {
  let reported = part.bytes;
  const chunks = source.chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch(rethrow(signal));
      if (signal.aborted) throw pullErrors.cancelled();
      if (next.done === true) break;
      if (part.bytes + next.value.length > bytesMax) throw pullErrors.tooLarge();
      await file.appendFile(next.value);
      part.hash.update(next.value);
      part.bytes += next.value.length;
      if (part.bytes - reported < REPORT_BYTES) continue;
      reported = part.bytes;
      yield progress();
    }
  } finally {
    await chunks.return?.();
  }
  if (source.totalBytes !== null && part.bytes < source.totalBytes) throw pullErrors.interrupted();
}

/** A broken connection is told as what it is: the bytes so far are there. */
function rethrow(signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    if (error instanceof PlatformError) throw error;
    throw signal.aborted ? pullErrors.cancelled() : pullErrors.interrupted(error);
  };
}

const pullErrors = {
  name: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'models.pull_name',
      message:
        'A model is named with up to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit.',
    }),
  running: () =>
    new PlatformError({
      kind: 'conflict',
      code: 'models.pull_running',
      message: 'This model is being fetched already. Wait until that has ended.',
    }),
  insecure: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'models.pull_insecure',
      message: 'A model is fetched over https, from this machine, or from a file. Give such a URL.',
    }),
  refused: (status: number) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'models.pull_refused',
      message: `The model could not be fetched: its place answered with status ${status}. Check the URL.`,
      owner: 'caller',
    }),
  tooLarge: () =>
    new PlatformError({
      kind: 'too_large',
      code: 'models.pull_too_large',
      message: 'The file is larger than a model may be here. Check the URL.',
    }),
  interrupted: (cause?: unknown) =>
    new PlatformError({
      kind: 'unavailable',
      code: 'models.pull_interrupted',
      message: 'The connection ended before the model was complete. Pull again: it goes on where it stopped.',
      cause,
    }),
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'models.pull_cancelled',
      message: 'The pull was cancelled. Pull again: it goes on where it stopped.',
    }),
  checksum: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'models.pull_checksum',
      message:
        'What was fetched does not have the expected SHA-256 and was removed. Check the checksum and the URL.',
    }),
};
