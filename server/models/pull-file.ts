import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';

export interface FileRequest {
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

export interface PullTarget {
  /** Where the file is put together; once it has the name that it is used by, the caller has moved it. */
  readonly part: string;
  readonly bytesMax: number;
  readonly fetch?: typeof fetch;
}

/** Between two reports of progress. */
const REPORT_BYTES = 4 * 2 ** 20;

/**
 * Fetches a file of weights, going on where an earlier try ended. Yields progress as it goes and ends when the whole
 * file is at `part` and its checksum fits. Rejects with `models.pull_*`; what was fetched is kept for the next try,
 * unless its checksum is wrong.
 */
export async function* pullFile(request: FileRequest, target: PullTarget): AsyncGenerator<PullProgress> {
  const { name, signal } = request;
  const { bytesMax } = target;
  await mkdir(dirname(target.part), { recursive: true, mode: 0o700 });
  const file = await open(target.part, 'a+', 0o644);
  try {
    const part = await resumed(file, target.part);
    const source = await openSource(request, part.bytes, target.fetch ?? fetch).catch(rethrow(signal));
    if (source.from < part.bytes) await restart(file, part);
    if ((source.totalBytes ?? 0) > bytesMax) throw pullErrors.tooLarge();
    const progress = (): PullProgress => ({ name, bytes: part.bytes, totalBytes: source.totalBytes });
    yield progress();
    yield* copied(source, { file, part, bytesMax, signal, progress });
    if (part.hash.digest('hex') !== request.sha256.toLowerCase()) {
      await rm(target.part);
      throw pullErrors.checksum();
    }
    // Weights are public, and the jail that loads them runs as nobody in particular.
    await file.chmod(0o644);
    await file.sync();
    yield progress();
  } finally {
    await file.close();
  }
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
  { url, signal }: FileRequest,
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

export const pullErrors = {
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
