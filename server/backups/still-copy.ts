import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Content } from './contents.ts';
import { backupErrors } from './errors.ts';
import type { BackupTarget } from './target.ts';

/** One file of a generation: ciphertext, kept under its hash. */
export interface FileEntry {
  /** Where it belongs, relative to the data directory. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Where the content with this hash lies in the target. */
export const blobPath = (sha256: string): string => `blobs/${sha256}`;

const ATTEMPTS = 8;
const PAUSE_MS = 40;
const PLAINTEXT_STORE = Buffer.from('SQLite format 3\0', 'latin1');
const SEALED_MAGIC = Buffer.from('JFB1', 'latin1');

/**
 * Copies files that others may be writing, as they were at one moment, without opening them: most open under keys that the
 * service does not have. All are read twice. What both readings agree on stood still from the end of the first to the
 * beginning of the second, so the copy is what a power cut at that moment would have left, which SQLite recovers from; a
 * log that has only grown counts as far as it was read first. Returns nothing for a file that is gone.
 *
 * Closing a file drops this process's locks on it; those that matter are other processes', or tracked within SQLite.
 */
export async function copyStill(
  dataDir: string,
  content: Content,
  target: BackupTarget,
): Promise<FileEntry[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      return await copyOnce(dataDir, content, target);
    } catch (thrown) {
      if (isMissing(thrown)) return [];
      if (!(thrown instanceof Changed)) throw thrown;
      await sleep(PAUSE_MS * attempt);
    }
  }
  throw backupErrors.changing(content.path);
}

/** The two readings differ. */
class Changed extends Error {}

async function copyOnce(
  dataDir: string,
  { kind, path }: Content,
  target: BackupTarget,
): Promise<FileEntry[]> {
  const place = join(dataDir, path);
  await assertEncrypted(place, kind, path);
  const main = await readEntry(dataDir, path);
  if (main.size === 0) return [];
  if (kind === 'sealed') {
    // Sealed files are replaced, never written to.
    await put(dataDir, main, target);
    return [main];
  }
  const log = await readEntry(dataDir, `${path}-wal`).catch((thrown: unknown) => {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  });
  const entries = [main, log].filter((entry) => entry !== undefined && entry.size > 0) as FileEntry[];
  for (const entry of entries) await put(dataDir, entry, target);
  if ((await sizeOf(place)) !== main.size) throw new Changed();
  return entries;
}

async function assertEncrypted(place: string, kind: Content['kind'], path: string): Promise<void> {
  const file = await open(place, 'r');
  try {
    const head = Buffer.alloc(PLAINTEXT_STORE.length);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const isPlain =
      kind === 'store'
        ? head.equals(PLAINTEXT_STORE)
        : !head.subarray(0, SEALED_MAGIC.length).equals(SEALED_MAGIC);
    if (bytesRead > 0 && isPlain) throw backupErrors.plaintext(path);
  } finally {
    await file.close();
  }
}

async function readEntry(dataDir: string, path: string): Promise<FileEntry> {
  const place = join(dataDir, path);
  const size = await sizeOf(place);
  const hash = createHash('sha256');
  for await (const chunk of firstBytes(place, size)) hash.update(chunk);
  return { path, size, sha256: hash.digest('hex') };
}

/** The second reading, which is the one that is kept. */
async function put(dataDir: string, { path, size, sha256 }: FileEntry, target: BackupTarget): Promise<void> {
  const bytes = checked(firstBytes(join(dataDir, path), size), sha256);
  if (!(await target.has(blobPath(sha256)))) return await target.put(blobPath(sha256), bytes);
  for await (const _ of bytes);
}

/** Throws at the end when it was not what it was before. */
async function* checked(bytes: AsyncIterable<Uint8Array>, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) throw new Changed();
}

async function* firstBytes(place: string, size: number): AsyncGenerator<Uint8Array> {
  if (size > 0) yield* createReadStream(place, { end: size - 1 }) as AsyncIterable<Uint8Array>;
}

async function sizeOf(place: string): Promise<number> {
  const file = await open(place, 'r');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
