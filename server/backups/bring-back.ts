import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { backupErrors } from './errors.ts';
import { blobPath, type FileEntry } from './still-copy.ts';
import type { BackupTarget } from './target.ts';

/** Writes files of a generation below `directory`. Throws `backups.damaged` for the first that is not what was signed. */
export async function bringBack(
  target: BackupTarget,
  files: readonly FileEntry[],
  directory: string,
): Promise<void> {
  for (const file of files) {
    const place = join(directory, file.path);
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    const handle = await open(place, 'wx', 0o600);
    await pipeline(intact(target, file), handle.createWriteStream({ flush: true }));
  }
}

/** The bytes of a file; throws at the end, or as soon as there are too many, when they are others. */
export async function* intact(
  target: BackupTarget,
  { path, size, sha256 }: FileEntry,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of target.get(blobPath(sha256))) {
    bytes += chunk.byteLength;
    if (bytes > size) break;
    hash.update(chunk);
    yield chunk;
  }
  if (bytes !== size || hash.digest('hex') !== sha256)
    throw backupErrors.damaged(`${path} is not what was backed up`);
}
