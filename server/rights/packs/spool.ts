import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { randomBase62 } from '../../kernel/ids.ts';
import { packErrors } from './errors.ts';

/**
 * Bytes that arrive and have to be read more than once: a file without a name, encrypted under a key that is nowhere but
 * in this object. Whatever ends the process ends it, too.
 */
export interface Spool {
  readonly bytes: number;
  /** From `start` to before `end`. */
  read(start: number, end: number): Readable;
  close(): Promise<void>;
}

export interface SpoolOptions {
  readonly directory: string;
  readonly bytesMax: number;
}

const BLOCK_BYTES = 16;
const CHUNK_BYTES = 256 * 1024;
const MIB = 1024 * 1024;

/** Takes all of `content`, or throws `rights.pack_too_large` and leaves nothing. */
export async function spoolOf(
  content: AsyncIterable<Uint8Array>,
  { directory, bytesMax }: SpoolOptions,
): Promise<Spool> {
  const file = await openNameless(directory);
  const key = randomBytes(32);
  try {
    const cipher = createCipheriv('aes-256-ctr', key, counterAt(0));
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw packErrors.tooLarge(Math.floor(bytesMax / MIB));
      await file.write(cipher.update(chunk));
    }
    return {
      bytes,
      read: (start, end) =>
        Readable.from(plain({ file, key }, start, Math.min(end, bytes)), { objectMode: false }),
      async close() {
        key.fill(0);
        await file.close();
      },
    };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `arriving-${randomBase62(20)}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

async function* plain(
  { file, key }: { readonly file: FileHandle; readonly key: Uint8Array },
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const block = Math.floor(start / BLOCK_BYTES);
  const decipher = createDecipheriv('aes-256-ctr', key, counterAt(block));
  let skip = start - block * BLOCK_BYTES;
  for (let at = block * BLOCK_BYTES; at < end;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(CHUNK_BYTES, end - at)), {
      position: at,
    });
    if (bytesRead === 0) throw packErrors.notAPack();
    at += bytesRead;
    yield decipher.update(buffer.subarray(0, bytesRead)).subarray(skip);
    skip = 0;
  }
}

/** The key serves one file, so counting may begin at zero. */
function counterAt(block: number): Buffer {
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(block), 8);
  return counter;
}
