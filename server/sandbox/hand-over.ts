import { constants } from 'node:fs';
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';

const IS_ROOT = process.getuid?.() === 0;

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Not blocking, for what is planted may be a pipe that nobody reads. */
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Gives a directory and the regular files in it that are called as one of `files` to `uid`, and removes everything
 * else. Its content may be hostile: entries are reached through the directory's descriptor and links never followed,
 * and a file with a second name is none of ours. Nothing else may write there meanwhile. A directory that is gone needs
 * no owner.
 */
export async function handOver(directory: string, files: readonly string[], uid: number): Promise<void> {
  const handle = await open(directory, OPEN_DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (handle === undefined) return;
  try {
    const inside = `/proc/self/fd/${handle.fd}`;
    for (const name of await readdir(inside)) {
      if (!files.includes(name) || !(await giveFile(`${inside}/${name}`, uid))) {
        await rm(`${inside}/${name}`, { recursive: true, force: true });
      }
    }
    await handle.chmod(0o700);
    await give(handle, uid);
  } finally {
    await handle.close();
  }
}

async function giveFile(path: string, uid: number): Promise<boolean> {
  const handle = await open(path, OPEN_FILE).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.nlink !== 1) return false;
    await handle.chmod(0o600);
    await give(handle, uid);
    return true;
  } finally {
    await handle.close();
  }
}

async function give(handle: FileHandle, uid: number): Promise<void> {
  if (IS_ROOT) await handle.chown(uid, uid);
}
