import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import { eraseFile, replaceFile } from './erase-file.ts';
import type { KeyChange } from './key-ring.ts';
import { syncDirectory } from './sync-directory.ts';

/**
 * Files at rest under a resource key. Layout: magic, 32 bytes of salt, then chunks of ciphertext and tag. The
 * chunk key comes from key, salt and aad by HKDF, so it seals one file only and nonces can count; a chunk's
 * nonce carries its number and whether it is the last, so chunks cannot be reordered, dropped or repeated.
 */
const MAGIC = Buffer.from('JFB1', 'latin1');
const SALT_BYTES = 32;
const HEADER_BYTES = MAGIC.length + SALT_BYTES;
const CHUNK_BYTES = 1024 * 1024;
const TAG_BYTES = 16;

/**
 * Seals `bytes` into `path`, which then holds either all of it or what it held before. `aad` says what the
 * content is (`upload/bld_…`); only the same words open it.
 */
export async function sealToFile(
  path: string,
  key: Uint8Array,
  aad: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await writeSealed(file, key, aad, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncDirectory(dirname(path));
}

/** The whole content, or `keys.blob_corrupt` for anything but an intact blob of this key and `aad`. */
export async function openFile(path: string, key: Uint8Array, aad: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    return await readSealed(file, key, aad);
  } finally {
    await file.close();
  }
}

/** What is to take the place of a sealed file. */
export const NEXT = '.next';

/**
 * Another key for a sealed file that nobody reads meanwhile: sealed anew beside it, and the change of the key decides which of
 * the two stays. When it rejects, the file is there under the key in force.
 */
export async function resealFile(
  path: string,
  aad: string,
  { key, nextKey, commit, keyInForce }: KeyChange,
): Promise<void> {
  const bytes = await openFile(path, key, aad);
  try {
    await sealToFile(path + NEXT, nextKey, aad, bytes);
    await commit();
  } finally {
    const inForce = await keyInForce();
    // Once more after a fault: until then nothing opens the file.
    await finishReseal(path, aad, inForce).catch(() => finishReseal(path, aad, inForce));
  }
}

/** Ends what a crash interrupted; before a file is opened, with the key that is in force. */
export async function finishReseal(path: string, aad: string, key: Uint8Array): Promise<void> {
  const next = path + NEXT;
  if (!existsSync(next)) return;
  if (await opensWith(next, aad, key)) await replaceFile(next, path, () => undefined);
  else await eraseFile(next);
}

async function opensWith(path: string, aad: string, key: Uint8Array): Promise<boolean> {
  try {
    await openFile(path, key, aad);
    return true;
  } catch (thrown) {
    if (isCorrupt(thrown)) return false;
    throw thrown;
  }
}

export function isCorrupt(thrown: unknown): boolean {
  return thrown instanceof PlatformError && thrown.code === 'keys.blob_corrupt';
}

async function writeSealed(file: FileHandle, key: Uint8Array, aad: string, bytes: Uint8Array): Promise<void> {
  const salt = randomBytes(SALT_BYTES);
  const chunkKey = chunkKeyOf(key, salt, aad);
  await file.writeFile(Buffer.concat([MAGIC, salt]));
  const chunks = chunkCount(bytes.byteLength);
  for (let index = 0; index < chunks; index++) {
    const cipher = createCipheriv('aes-256-gcm', chunkKey, nonceOf(index, index === chunks - 1));
    const sealed = cipher.update(bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES));
    cipher.final();
    // A file handle's writeFile goes on where the last write ended, and writes everything.
    await file.writeFile(sealed);
    await file.writeFile(cipher.getAuthTag());
  }
}

async function readSealed(file: FileHandle, key: Uint8Array, aad: string): Promise<Uint8Array> {
  const sealedBytes = (await file.stat()).size - HEADER_BYTES;
  const chunks = Math.ceil(sealedBytes / (CHUNK_BYTES + TAG_BYTES));
  const contentBytes = sealedBytes - chunks * TAG_BYTES;
  if (chunks < 1 || contentBytes < 0 || chunkCount(contentBytes) !== chunks) throw corrupt();
  const header = await readExactly(file, HEADER_BYTES);
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt();
  const chunkKey = chunkKeyOf(key, header.subarray(MAGIC.length), aad);
  const content = Buffer.alloc(contentBytes);
  for (let index = 0; index < chunks; index++) {
    const at = index * CHUNK_BYTES;
    const length = Math.min(CHUNK_BYTES, contentBytes - at);
    const sealed = await readExactly(file, length + TAG_BYTES);
    const nonce = nonceOf(index, index === chunks - 1);
    const decipher = createDecipheriv('aes-256-gcm', chunkKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(length));
    decipher.update(sealed.subarray(0, length)).copy(content, at);
    try {
      decipher.final();
    } catch {
      throw corrupt();
    }
  }
  return content;
}

async function readExactly(file: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, null);
    if (bytesRead === 0) throw corrupt();
    filled += bytesRead;
  }
  return buffer;
}

/** At least one, so that an empty file is authenticated too. */
function chunkCount(contentBytes: number): number {
  return Math.max(1, Math.ceil(contentBytes / CHUNK_BYTES));
}

function chunkKeyOf(key: Uint8Array, salt: Uint8Array, aad: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, `jellyfaas/sealed-blob\n${aad}`, 32));
}

function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce.writeUInt8(last ? 1 : 0, 11);
  return nonce;
}

function corrupt(): PlatformError {
  return new PlatformError({
    kind: 'internal',
    code: 'keys.blob_corrupt',
    message: 'A stored file is damaged or was exchanged. Restore it from a backup, or deploy again.',
  });
}
