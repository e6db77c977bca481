import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';

const main = fileURLToPath(new URL('../server/main.ts', import.meta.url));

export interface StartAttempt {
  readonly code: number | null;
  readonly output: string;
}

export interface AttemptOptions {
  readonly dataDir: string;
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  /** A shell line before the server, in a mount namespace of its own (root only). */
  readonly before?: string;
}

/** Starts a server that is expected to refuse, and waits for its end. */
export async function attemptStart({
  dataDir,
  env,
  args = [],
  before,
}: AttemptOptions): Promise<StartAttempt> {
  const server = [process.execPath, main, ...args];
  const [program = '', ...rest] =
    before === undefined
      ? server
      : [
          'unshare',
          '--mount',
          '--propagation',
          'private',
          'sh',
          '-ec',
          `${before}\nexec "$@"`,
          'sh',
          ...server,
        ];
  const child = spawn(program, rest, {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      JELLYFAAS_PORT: '0',
      JELLYFAAS_DATA_DIR: dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // One that starts after all is ended, and shows by its code.
    timeout: 30_000,
    killSignal: 'SIGTERM',
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: out + err };
}

/** Every file below a data directory by its content's digest; the layers, which no refusal concerns, left out. */
export function fingerprint(dataDir: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(dataDir, path);
    if (!entry.isFile() || name.startsWith('layers/')) continue;
    files[name] = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  return files;
}

/** Pid and start time of every process below `pid`, itself included. */
export function processTree(pid: number): string[] {
  const found = new Map<number, { parent: number; id: string }>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = statOf(Number(name));
    if (stat !== undefined) found.set(Number(name), stat);
  }
  const below = (ancestor: number): string[] => [
    found.get(ancestor)?.id ?? '',
    ...[...found].filter(([, { parent }]) => parent === ancestor).flatMap(([child]) => below(child)),
  ];
  return below(pid).filter((id) => id !== '');
}

/** Which processes of an earlier `processTree` still run. */
export function stillRunning(tree: readonly string[]): string[] {
  return tree.filter((id) => statOf(Number.parseInt(id, 10))?.id === id);
}

function statOf(pid: number): { parent: number; id: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : { parent: Number(parent), id: `${pid} ${fields[17]}` };
  } catch {
    return undefined;
  }
}

/** Control groups and RAM directories that carry the name of the server with this pid, and its visible mounts. */
export function leftovers(pid: number): string[] {
  const own = new RegExp(`^jellyfaas-${pid}-`);
  const places = ['/dev/shm', ...cgroupDirectories('/sys/fs/cgroup', 4)];
  const named = places.flatMap((place) =>
    directoriesIn(place)
      .filter((name) => own.test(name))
      .map((name) => join(place, name)),
  );
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(' /run/jellyfaas ') || line.includes(' /run/jellyfaas/'));
  return [...named, ...mounts];
}

function cgroupDirectories(directory: string, depth: number): string[] {
  if (depth === 0) return [];
  return [
    directory,
    ...directoriesIn(directory).flatMap((name) => cgroupDirectories(join(directory, name), depth - 1)),
  ];
}

function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
