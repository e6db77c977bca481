import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure } from './language.ts';

/** A directory, file or link of a tree that untrusted code wrote; `path` is relative, with `/`. */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean; readonly sizeBytes: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface TreeBounds {
  readonly entries: number;
  readonly sizeBytes: number;
}

const LINK_HOPS_MAX = 40;

/**
 * Lists a tree that untrusted code wrote, in canonical (byte) order. No process may run on it any more. Nothing is
 * followed: links are entries. Rejects with `BuildFailure` for anything but directories, files and links, for
 * names that are not UTF-8, and beyond the bounds.
 */
export async function listHostileTree(root: string, bounds: TreeBounds): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const pending = [''];
  let sizeBytes = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of await readdir(join(root, directory))) {
      const entry = await describe(root, directory === '' ? name : `${directory}/${name}`);
      entries.push(entry);
      if (entry.kind === 'directory') pending.push(entry.path);
      if (entry.kind === 'file') sizeBytes += entry.sizeBytes;
      if (entries.length > bounds.entries) throw tooLarge(`${bounds.entries} files`);
      if (sizeBytes > bounds.sizeBytes) throw tooLarge(`${bounds.sizeBytes / 2 ** 20} MiB`);
    }
  }
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function describe(root: string, path: string): Promise<TreeEntry> {
  if (path.includes('\ufffd')) throw new BuildFailure(`${path}: a file name is not UTF-8`);
  const absolute = join(root, path);
  const stat = await lstat(absolute);
  if (stat.isDirectory()) return { kind: 'directory', path };
  if (stat.isSymbolicLink()) return { kind: 'link', path, target: await readlink(absolute) };
  if (!stat.isFile()) throw new BuildFailure(`${path}: neither a file, a directory nor a link`);
  return { kind: 'file', path, executable: (stat.mode & 0o100) !== 0, sizeBytes: stat.size };
}

function tooLarge(limit: string): BuildFailure {
  return new BuildFailure(`The dependencies are larger than the limit of ${limit}.`);
}

/**
 * Refuses links that lead out of the tree, step by step as the kernel would follow them: a link may pass through
 * other links, so looking at the text alone is not enough. `mountedAt` is where the tree will be seen, and links
 * may also lead to a path below one of `alsoInside`, for example `/app`.
 */
export function refuseEscapingLinks(
  entries: readonly TreeEntry[],
  mountedAt: string,
  alsoInside: readonly string[] = [],
): void {
  const links = new Map<string, string>();
  for (const entry of entries) {
    if (entry.kind === 'link') links.set(`${mountedAt}/${entry.path}`, entry.target);
  }
  const allowed = [mountedAt, ...alsoInside];
  for (const path of links.keys()) {
    const end = follow(path, links);
    if (!allowed.some((top) => end === top || end?.startsWith(`${top}/`))) {
      throw new BuildFailure(`${path.slice(mountedAt.length + 1)}: the link leads outside the dependencies`);
    }
  }
}

/** Where `path` ends after all links, undefined when it runs in circles. */
function follow(path: string, links: ReadonlyMap<string, string>): string | undefined {
  const rest = path.split('/').toReversed();
  let at = '';
  let hops = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const target = links.get(`${at}/${part}`);
    if (target === undefined) {
      at = `${at}/${part}`;
      continue;
    }
    hops++;
    if (hops > LINK_HOPS_MAX) return undefined;
    if (target.startsWith('/')) at = '';
    rest.push(...target.split('/').toReversed());
  }
  return at;
}

/**
 * Copies the listed tree to `to` (which must not exist) with modes 0755/0644 and returns the SHA-256 (hex) of its
 * canonical form: path, kind, executable bit, content and link target of each entry in order. Owners and times
 * are no part of it, so the same packages give the same digest wherever they were installed.
 */
export async function copyTree(from: string, to: string, entries: readonly TreeEntry[]): Promise<string> {
  await makeDirectory(to);
  const digest = createHash('sha256');
  for (const entry of entries) {
    const target = join(to, entry.path);
    if (entry.kind === 'directory') await makeDirectory(target);
    if (entry.kind === 'link') await symlink(entry.target, target);
    const content = entry.kind === 'file' ? await copyFile(join(from, entry.path), target, entry) : '';
    addEntry(digest, entry, content);
  }
  return digest.digest('hex');
}

/** Readable for every uid, whatever the umask of the server. */
async function makeDirectory(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}

/** The canonical digest of a tree that already lies in its place. */
export async function digestTree(root: string, entries: readonly TreeEntry[]): Promise<string> {
  const digest = createHash('sha256');
  for (const entry of entries) {
    addEntry(digest, entry, entry.kind === 'file' ? await copyFile(join(root, entry.path), null, entry) : '');
  }
  return digest.digest('hex');
}

function addEntry(digest: Hash, entry: TreeEntry, contentDigest: string): void {
  const detail = entry.kind === 'link' ? entry.target : entry.kind === 'file' ? String(entry.executable) : '';
  // JSON quotes the parts, so that no name can be mistaken for the end of another part.
  digest.update(`${JSON.stringify([entry.kind, entry.path, detail, contentDigest])}\n`);
}

/** Copies one file (or only reads it when `to` is null) and returns the SHA-256 (hex) of its content. */
async function copyFile(
  from: string,
  to: string | null,
  entry: TreeEntry & { kind: 'file' },
): Promise<string> {
  const digest = createHash('sha256');
  await using source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using copy = to === null ? null : await open(to, 'wx');
  await copy?.chmod(entry.executable ? 0o755 : 0o644);
  const buffer = Buffer.allocUnsafe(Math.min(64 * 1024, Math.max(1, entry.sizeBytes)));
  let left = entry.sizeBytes;
  while (left > 0) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, left));
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    digest.update(chunk);
    await copy?.writeFile(chunk);
    left -= bytesRead;
  }
  return digest.digest('hex');
}
