import { constants } from 'node:fs';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { PlatformError } from '../kernel/errors.ts';
import type { SourceTree } from '../kernel/source-tree.ts';

/** Bounds the descriptors that one write holds open. */
const FILES_AT_ONCE = 32;

const IS_ROOT = process.getuid?.() === 0;

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const CREATE_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a tree below `root`, replacing files that are there; `uid` is to own what is written (default: we do).
 * The content of `root` may be hostile: each directory is opened without following links and the next step goes
 * through its descriptor, so a link planted there ends the write with `sandbox.unsafe_path` instead of leading
 * it elsewhere on the host. Rejects with `sandbox.no_space` when the RAM file system is full.
 */
export async function writeTree(root: string, tree: SourceTree, uid?: number): Promise<void> {
  const directories = new Map<string, Promise<FileHandle>>();
  const directory = (path: string): Promise<FileHandle> => {
    const known = directories.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const opened =
      path === ''
        ? openDirectory(root)
        : directory(cut === -1 ? '' : path.slice(0, cut)).then((parent) =>
            enterDirectory(parent, path.slice(cut + 1), uid),
          );
    directories.set(path, opened);
    return opened;
  };
  try {
    for (const path of tree.keys()) assertSafe(path);
    const files = [...tree];
    for (let first = 0; first < files.length; first += FILES_AT_ONCE) {
      await Promise.all(
        files.slice(first, first + FILES_AT_ONCE).map(async ([path, file]) => {
          const cut = path.lastIndexOf('/');
          const parent = await directory(cut === -1 ? '' : path.slice(0, cut));
          const mode = file.executable ? 0o755 : 0o644;
          await writeFileAt(parent, path.slice(cut + 1), { bytes: file.bytes, mode, uid });
        }),
      );
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? noSpace(error) : error;
  } finally {
    for (const opened of directories.values()) await opened.then((handle) => handle.close(), ignore);
  }
}

function assertSafe(path: string): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0')) {
    throw unsafePath();
  }
}

function openDirectory(path: string): Promise<FileHandle> {
  return open(path, OPEN_DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' || error.code === 'ENOTDIR' ? unsafePath(error) : error;
  });
}

/** A directory that could not be opened was reported already. */
function ignore(): void {}

async function enterDirectory(
  parent: FileHandle,
  name: string,
  uid: number | undefined,
): Promise<FileHandle> {
  const path = `/proc/self/fd/${parent.fd}/${name}`;
  const made = await mkdir(path, 0o755).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  const handle = await openDirectory(path);
  if (made) {
    await handle.chmod(0o755);
    if (uid !== undefined && IS_ROOT) await handle.chown(uid, uid);
  }
  return handle;
}

async function writeFileAt(
  parent: FileHandle,
  name: string,
  file: { bytes: Uint8Array; mode: number; uid: number | undefined },
): Promise<void> {
  const path = `/proc/self/fd/${parent.fd}/${name}`;
  const create = (): Promise<FileHandle> => open(path, CREATE_FILE, file.mode);
  const handle = await create().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    await unlink(path);
    return create();
  });
  try {
    await handle.writeFile(file.bytes);
    await handle.chmod(file.mode);
    if (file.uid !== undefined && IS_ROOT) await handle.chown(file.uid, file.uid);
  } finally {
    await handle.close();
  }
}

function unsafePath(cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'sandbox.unsafe_path',
    message:
      'A file could not be written into the sandbox: its path leads through a link or out of the directory.',
    cause,
  });
}

function noSpace(cause: unknown): PlatformError {
  return new PlatformError({
    kind: 'resource_exhausted',
    owner: 'platform',
    code: 'sandbox.no_space',
    message: 'The RAM set aside for code and builds is full. Try again when other builds are done.',
    cause,
  });
}
