import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

const ZEROS = Buffer.alloc(1 << 20);

/** Overwrites a file with zeros, so that no free block of the disk has what it held. */
export async function overwrite(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  for (let at = 0; at < size; at += ZEROS.length) {
    await file.write(ZEROS, 0, Math.min(ZEROS.length, size - at), at);
  }
  await file.sync();
}

/** Overwrites and removes a file; nothing happens when there is none. */
export async function eraseFile(path: string): Promise<void> {
  const file = await openIfThere(path);
  if (file === undefined) return;
  try {
    await overwrite(file);
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
}

/** Puts `next` in the place of `path`, from the call of `replaced` on, and overwrites what lay there. */
export async function replaceFile(next: string, path: string, replaced: () => void): Promise<void> {
  const old = await openIfThere(path);
  try {
    await rename(next, path);
    replaced();
    await syncDirectory(dirname(path));
    if (old !== undefined) await overwrite(old);
  } finally {
    await old?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
