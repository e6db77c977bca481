import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncDirectory } from '../keys/sync-directory.ts';
import { backupErrors } from './errors.ts';

/**
 * Where backups lie. Paths are relative, of letters, digits, `_`, `.`, `-` and `/`. Only ciphertext and signed lists of it
 * ever come here.
 */
export interface BackupTarget {
  /** Names directly below, of the target itself for `.`; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Whole and durable, or not at all. */
  put(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  has(path: string): Promise<boolean>;
  /** Throws `backups.damaged` when there is none. */
  get(path: string): AsyncIterable<Uint8Array>;
  /** A file, or a folder with all that is in it. No error when it is gone already. */
  remove(path: string): Promise<void>;
  /** Removes what interrupted `put`s left. Only while nothing is put. */
  sweep(): Promise<void>;
}

const PATH_FORM = /^[0-9A-Za-z_.-]+(\/[0-9A-Za-z_.-]+)*$/;
/** Of an interrupted `put`; no name that is put looks like this. */
const PARTIAL = /\.partial-[0-9a-f]{12}$/;

export function createDirectoryTarget(root: string): BackupTarget {
  const placeOf = (path: string): string => join(root, checkPath(path));

  return {
    async list(folder) {
      const names = await readdir(placeOf(folder)).catch(orNothing<string[]>([]));
      return names.filter((name) => !PARTIAL.test(name)).toSorted();
    },
    async put(path, bytes) {
      const place = placeOf(path);
      const partial = `${place}.partial-${randomBytes(6).toString('hex')}`;
      try {
        await mkdir(dirname(place), { recursive: true, mode: 0o700 });
        const file = await open(partial, 'wx', 0o600);
        await pipeline(bytes, file.createWriteStream({ flush: true }));
        await rename(partial, place);
        await syncDirectory(dirname(place));
      } catch (thrown) {
        await rm(partial, { force: true }).catch(() => undefined);
        throw translated(thrown);
      }
    },
    async has(path) {
      return (await stat(placeOf(path)).catch(orNothing(undefined)))?.isFile() ?? false;
    },
    async *get(path) {
      try {
        yield* createReadStream(placeOf(path));
      } catch (thrown) {
        if (codeOf(thrown) === 'ENOENT') throw backupErrors.damaged(`${path} is missing`);
        throw translated(thrown);
      }
    },
    async remove(path) {
      await rm(placeOf(path), { recursive: true, force: true });
    },
    async sweep() {
      const names = await readdir(root, { recursive: true }).catch(orNothing<string[]>([]));
      for (const name of names.filter((one) => PARTIAL.test(one)))
        await rm(join(root, name), { force: true });
    },
  };
}

/** The path itself. Throws for one that a target must not be asked for. */
export function checkPath(path: string): string {
  if (!PATH_FORM.test(path) || path.split('/').includes('..')) throw new Error('bad path in a backup target');
  return path;
}

function orNothing<T>(nothing: T): (thrown: unknown) => T {
  return (thrown) => {
    if (codeOf(thrown) === 'ENOENT') return nothing;
    throw translated(thrown);
  };
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
}

/** Faults of the disk get a remedy; what the source of the bytes threw stays as it is. */
function translated(thrown: unknown): unknown {
  const code = codeOf(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT') return backupErrors.targetFull();
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? backupErrors.targetUnusable(code) : thrown;
}
