import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId, BuildId, FunctionId } from '../kernel/ids.ts';
import { createSerials } from '../kernel/serial.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { NEXT, finishReseal, isCorrupt, openFile, resealFile, sealToFile } from '../keys/sealed-blob.ts';

/** The name of a sealed file below the blobs directory, of its key, and what the seal is bound to. */
export type BlobName = `upload/${string}` | `code/${string}` | `source/${string}`;

export function uploadBlob(buildId: BuildId): BlobName {
  return `upload/${buildId}`;
}

export function codeBlob(functionId: FunctionId, version: number): BlobName {
  return `code/${functionId}-${version}`;
}

/** What a version was compiled from; there is none where its code is that itself. */
export function sourceBlob(functionId: FunctionId, version: number): BlobName {
  return `source/${functionId}-${version}`;
}

/** All that there may be of a version. */
export function versionBlobs(functionId: FunctionId, version: number): [BlobName, BlobName] {
  return [codeBlob(functionId, version), sourceBlob(functionId, version)];
}

/**
 * Pending uploads, built code and what it was compiled from, each a sealed file under a key of its own. A file never outlives its key:
 * removal destroys the key first, and from then on the bytes are noise, in backups too.
 */
export interface Blobs {
  /** Durable when it resolves. */
  put(name: BlobName, accountId: AccountId, bytes: Uint8Array): Promise<void>;
  get(name: BlobName): Promise<Uint8Array>;
  /** Their keys go in one step. No error when they are gone already. */
  remove(...names: BlobName[]): Promise<void>;
  /** Is all there that it takes to open it? */
  has(name: BlobName): Promise<boolean>;
  /** A file may still lie there, but nothing opens it any more. A damaged key is not a destroyed one. */
  isDestroyed(name: BlobName): Promise<boolean>;
  /**
   * Seals what is kept of an account anew under other keys; how many. Who wants one meanwhile waits. What does not open stays
   * as it is, and tells so when it is wanted.
   */
  rotateKeys(accountId: AccountId): Promise<number>;
  /** Ends changes of keys, and removes every file, with its key, that is not in `keep`: what a crash left behind. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

const FOLDERS = ['upload', 'code', 'source'] as const;

interface BlobsOptions {
  readonly dir: string;
  readonly keyRing: KeyRing;
}

export function createBlobs(options: BlobsOptions): Blobs {
  const { dir, keyRing } = options;
  for (const folder of FOLDERS) mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
  // A file is exchanged while nobody reads it.
  const inTurn = createSerials<string>();

  async function remove(...names: string[]): Promise<void> {
    await keyRing.destroyAll(names);
    for (const name of names)
      for (const path of [name, name + NEXT]) await rm(join(dir, path), { force: true });
  }

  /** What has no key any more goes with its file. A damaged key decides nothing. */
  async function settle(name: string): Promise<void> {
    const key = await keyRing.find(name).catch(() => null);
    if (key === undefined) await remove(name);
    else if (key !== null) await finishReseal(join(dir, name), name, key);
  }

  async function isDestroyed(name: BlobName): Promise<boolean> {
    try {
      return (await keyRing.find(name)) === undefined;
    } catch {
      return false;
    }
  }

  return {
    put: (name, accountId, bytes) =>
      inTurn(name, async () =>
        sealToFile(join(dir, name), await keyRing.obtain(name, accountId), name, bytes),
      ),
    get: (name) => inTurn(name, () => open(options, name)),
    remove,
    async has(name) {
      return existsSync(join(dir, name)) && !(await isDestroyed(name));
    },
    isDestroyed,
    async rotateKeys(accountId) {
      let count = 0;
      for (const name of (await keyRing.resourcesOf(accountId)).filter(isBlobName))
        if (await inTurn(name, () => reseal(options, name))) count++;
      return count;
    },
    async sweep(keep) {
      for (const folder of FOLDERS) {
        for (const file of await readdir(join(dir, folder))) {
          const name = `${folder}/${file}`;
          if (name.endsWith(NEXT)) await settle(name.slice(0, -NEXT.length));
          else if (!keep.has(name)) await remove(name);
        }
      }
    },
  };
}

async function open({ dir, keyRing }: BlobsOptions, name: BlobName): Promise<Uint8Array> {
  const key = await keyRing.find(name);
  if (key === undefined) throw unavailable();
  try {
    await finishReseal(join(dir, name), name, key);
    return await openFile(join(dir, name), key, name);
  } catch (thrown) {
    throw isMissing(thrown) ? unavailable() : thrown;
  }
}

/** Whether it was there, intact, and not removed meanwhile. */
async function reseal({ dir, keyRing }: BlobsOptions, name: BlobName): Promise<boolean> {
  const change = await keyRing.replacementOf(name);
  if (change === undefined) return false;
  const path = join(dir, name);
  try {
    await finishReseal(path, name, change.key);
    await resealFile(path, name, change);
    return true;
  } catch (thrown) {
    if (isMissing(thrown) || isCorrupt(thrown) || (await keyRing.find(name)) === undefined) return false;
    throw thrown;
  } finally {
    for (const key of [change.key, change.nextKey]) key.fill(0);
  }
}

function isBlobName(name: string): name is BlobName {
  return FOLDERS.some((folder) => name.startsWith(`${folder}/`));
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

function unavailable(): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'functions.code_unavailable',
    message: 'The stored code of this function is missing. Deploy it again, or restore the data directory.',
  });
}
