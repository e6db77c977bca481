import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CanaryRun, type Hit, type Needle, search } from './canary.ts';

/** A canary found where nothing of a call may be. */
export interface Leak extends Hit {
  readonly place: string;
}

/** Where programs leave files without being asked. */
export const TEMPORARY_FOLDERS: readonly string[] = [
  '/tmp',
  '/var/tmp',
  '/dev/shm',
  '/run',
  '/var/log',
  '/var/crash',
  '/var/lib/systemd/coredump',
];

const FILE_LIMIT = 512 * 1024 * 1024;

/** Searches all regular files below `folder`, not following links and not leaving its file system objects. */
export function sweepFolder(
  folder: string,
  needles: readonly Needle[],
  skip: (path: string) => boolean = () => false,
): Leak[] {
  const leaks: Leak[] = [];
  for (const path of filesBelow(folder, skip)) {
    const named = search(Buffer.from(path), needles).map((hit) => ({ ...hit, place: `file name ${path}` }));
    leaks.push(...named, ...sweepFile(path, path, needles));
  }
  return leaks;
}

function* filesBelow(folder: string, skip: (path: string) => boolean): Generator<string> {
  for (const entry of readable(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name);
    if (skip(path)) continue;
    if (entry.isDirectory()) yield* filesBelow(path, skip);
    else if (entry.isFile()) yield path;
  }
}

function sweepFile(path: string, place: string, needles: readonly Needle[]): Leak[] {
  const content = readable(() => {
    const { size } = statSync(path);
    return size > FILE_LIMIT ? readStart(path) : readFileSync(path);
  });
  return content === undefined ? [] : search(content, needles).map((hit) => ({ ...hit, place }));
}

function readStart(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(FILE_LIMIT);
    return bytes.subarray(0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

/** Files vanish while they are swept; that is not a finding. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Pids of `pid` and all its descendants. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readable(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
    const parent =
      stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const tree = [pid];
  for (const known of tree) {
    for (const [child, parent] of parents) if (parent === known && !tree.includes(child)) tree.push(child);
  }
  return tree;
}

/**
 * Searches every regular file that a process holds open, unlinked ones too (a file scan never sees those), and
 * its arguments and environment.
 */
export function sweepProcess(pid: number, needles: readonly Needle[]): Leak[] {
  const leaks: Leak[] = [];
  for (const descriptor of readable(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
    const link = `/proc/${pid}/fd/${descriptor}`;
    const target = readable(() => readlinkSync(link));
    if (
      target === undefined ||
      !target.startsWith('/') ||
      target.startsWith('/dev/') ||
      target.startsWith('/proc/')
    )
      continue;
    if (readable(() => statSync(link).isFile()) === true)
      leaks.push(...sweepFile(link, `pid ${pid} fd ${target}`, needles));
  }
  for (const file of ['cmdline', 'environ'])
    leaks.push(...sweepFile(`/proc/${pid}/${file}`, `pid ${pid} ${file}`, needles));
  return leaks;
}

export function found(place: string, content: Buffer, needles: readonly Needle[]): Leak[] {
  return search(content, needles).map((hit) => ({ ...hit, place }));
}

/** Names the inputs whose canaries were found, with the place, a line each. */
export function tell(leaks: readonly Leak[], run: CanaryRun): string[] {
  return leaks.map(({ place, encoding, excerpt }) => {
    const sink = [...run.sinks].find(([mark]) => excerpt.includes(mark))?.[1] ?? 'unknown input';
    return `${sink} in ${place} (${encoding})`;
  });
}

/** Files that nobody touched since `startedAt` cannot hold what was sent since then; folders are always entered. */
export function isOlder(path: string, startedAt: number): boolean {
  try {
    const stat = statSync(path);
    return !stat.isDirectory() && stat.mtimeMs < startedAt - 1000 && stat.ctimeMs < startedAt - 1000;
  } catch {
    return true;
  }
}
