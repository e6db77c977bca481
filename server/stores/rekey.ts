import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { eraseFile } from '../keys/erase-file.ts';
import type { KeyChange } from '../keys/key-ring.ts';
import { syncDirectory } from '../keys/sync-directory.ts';
import { closeLog, opensWith } from './cipher.ts';

/**
 * Another key for a database file that nobody has open. The file leaves its place first (whoever comes late finds none), a
 * copy is encrypted anew beside it, and the change of the key, wherever that is kept, decides which of the two comes back.
 */
export interface Rekey extends KeyChange {
  readonly path: string;
  /** Further work on the copy, under `nextKey`. */
  readonly change?: (copy: string) => Promise<void>;
}

const COMPANIONS = ['-wal', '-shm', '-journal'];
const oldOf = (path: string): string => `${path}.old`;
const nextOf = (path: string): string => `${path}.next`;
/** A copy that is not complete. */
const makingOf = (path: string): string => `${path}.making`;

/** When it rejects, the file is as it was. */
export async function rekeyFile({ path, key, nextKey, change, commit, keyInForce }: Rekey): Promise<void> {
  await finishRekey(path, key);
  closeLog(path, key);
  await rename(path, oldOf(path));
  await syncDirectory(dirname(path));
  try {
    const copy = makingOf(path);
    await copyFile(oldOf(path), copy);
    await reencryptApart({ path: copy, key, nextKey });
    await change?.(copy);
    await syncFile(copy);
    await rename(copy, nextOf(path));
    await syncDirectory(dirname(path));
    await commit();
  } finally {
    const inForce = await keyInForce();
    // Once more after a fault: without its file the store would stay closed.
    await finishRekey(path, inForce).catch(() => finishRekey(path, inForce));
  }
}

/** Ends what a crash interrupted; before a file is opened, with the key that is in force. */
export async function finishRekey(path: string, key: Uint8Array): Promise<void> {
  if (!isRekeying(path)) return;
  await eraseStore(makingOf(path));
  if (existsSync(oldOf(path)) && !existsSync(path)) {
    const isCommitted = existsSync(nextOf(path)) && opensWith(nextOf(path), key);
    await rename(isCommitted ? nextOf(path) : oldOf(path), path);
    await syncDirectory(dirname(path));
  }
  await eraseStore(nextOf(path));
  await eraseStore(oldOf(path));
}

/** Whether a crash interrupted a change of the file's key. */
function isRekeying(path: string): boolean {
  return [makingOf, nextOf, oldOf].some((siblingOf) => existsSync(siblingOf(path)));
}

async function reencryptApart(workerData: {
  path: string;
  key: Uint8Array;
  nextKey: Uint8Array;
}): Promise<void> {
  const worker = new Worker(new URL('./reencrypt-worker.ts', import.meta.url), { workerData, env: {} });
  // Rejects with what the thread throws.
  await once(worker, 'exit');
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function eraseStore(path: string): Promise<void> {
  for (const companion of ['', ...COMPANIONS]) await eraseFile(path + companion);
}

/** The same, for who has it as a port. */
export const databaseFiles = {
  rekey: (path: string, change: KeyChange): Promise<void> => rekeyFile({ ...change, path }),
  isRekeying,
  finish: finishRekey,
};
