import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile, SourceTree } from '../kernel/source-tree.ts';
import type { Scratch } from '../sandbox/jail.ts';
import { listHostileTree } from './hostile-tree.ts';
import { BuildFailure } from './language.ts';

const BOUNDS = { entries: 20_000, sizeBytes: 256 * 2 ** 20 };

/**
 * Reads what a build left below the scratch into memory, empty when it left nothing; no process may run on it any
 * more. Rejects with `BuildFailure` for links, special files and beyond 20 000 files or 256 MiB.
 */
export async function readOutput(scratch: Scratch, below: string): Promise<SourceTree> {
  const tree = new Map<string, SourceFile>();
  const root = await plainDirectory(scratch.path, below);
  if (root === undefined) return tree;
  for (const entry of await listHostileTree(root, BOUNDS)) {
    if (entry.kind === 'link') throw linkFound(`${below}/${entry.path}`);
    if (entry.kind === 'directory') continue;
    await using file = await open(join(root, entry.path), constants.O_RDONLY | constants.O_NOFOLLOW);
    tree.set(entry.path, { bytes: await file.readFile(), executable: entry.executable });
  }
  return tree;
}

/** Step by step, because a build may leave a link to a directory of the host where its output should be. */
async function plainDirectory(top: string, below: string): Promise<string | undefined> {
  let at = top;
  for (const part of below.split('/')) {
    at = join(at, part);
    const stat = await lstat(at).catch(() => undefined);
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) throw linkFound(below);
  }
  return at;
}

function linkFound(path: string): BuildFailure {
  return new BuildFailure(`${path}: the build left a link there, where files have to be`);
}
