import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { AccountId, BuildId, FunctionId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { openFile, sealToFile } from '../keys/sealed-blob.ts';

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
  /** Removes every file, with its key, that is not in `keep`: what a crash left behind. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

const FOLDERS = ['upload', 'code', 'source'] as const;

export function createBlobs({ dir, keyRing }: { dir: string; keyRing: KeyRing }): Blobs {
  for (const folder of FOLDERS) mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });

  async function remove(...names: string[]): Promise<void> {
    await keyRing.destroyAll(names);
    for (const name of names) await rm(join(dir, name), { force: true });
  }

  async function isDestroyed(name: BlobName): Promise<boolean> {
    try {
      return (await keyRing.find(name)) === undefined;
    } catch {
      return false;
    }
  }

  return {
    async put(name, accountId, bytes) {
      await sealToFile(join(dir, name), await keyRing.obtain(name, accountId), name, bytes);
    },
    async get(name) {
      const key = await keyRing.find(name);
      if (key === undefined) throw unavailable();
      try {
        return await openFile(join(dir, name), key, name);
      } catch (thrown) {
        throw isMissing(thrown) ? unavailable() : thrown;
      }
    },
    remove,
    async has(name) {
      return existsSync(join(dir, name)) && !(await isDestroyed(name));
    },
    isDestroyed,
    async sweep(keep) {
      for (const folder of FOLDERS) {
        for (const file of await readdir(join(dir, folder))) {
          if (!keep.has(`${folder}/${file}`)) await remove(`${folder}/${file}`);
        }
      }
    },
  };
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
