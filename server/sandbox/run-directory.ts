import { constants } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import { INSTANCE_NAME, isLeftOver } from './instance-name.ts';
import type { Limitation } from './jail.ts';
import { runTool } from './run-tool.ts';
import { hostSwaps } from './swap.ts';

/**
 * The RAM file system under which everything lies that jails need: code, sockets, scratch space. Nothing below
 * it ever reaches a disk. In a private mount namespace it vanishes with the process, kill -9 included.
 */
export interface RunDirectory {
  /** Mode 0711: jailed uids may pass through, and list nothing. */
  readonly path: string;
  readonly limitations: readonly Limitation[];
  /** Makes a directory `name` of at most `sizeMib`, owned by `uid`, mode 0700. Returns its path. */
  createCapped(name: string, sizeMib: number, uid: number): Promise<string>;
  /** Removes what `createCapped` made, whatever lies in it. */
  removeCapped(path: string): Promise<void>;
  /**
   * A path under which any uid can reach this host file or directory: the same path when all its parents let
   * others pass, else a read-only bind mount (root only). Rejects with `sandbox.bind_missing` when it does not
   * exist and `sandbox.bind_unreachable` when others may not read it.
   */
  exposePath(hostPath: string): Promise<string>;
  /**
   * A path under which its owner, whoever that is, reaches and writes this directory of the host. As root it is a bind
   * mount called `name`. Rejects as `exposePath` does.
   */
  exposeWritable(hostPath: string, name: string): Promise<string>;
  /** Takes back what `exposeWritable` gave; the directory itself stays. */
  unexposeWritable(path: string): Promise<void>;
  close(): Promise<void>;
}

export interface RunDirectoryOptions {
  /** Where to mount; default `/run/jellyfaas` for root. */
  readonly path?: string;
  /** Most RAM that code, sockets and scratch space of all jails may take together; default half of the RAM. */
  readonly sizeMib?: number;
  /** Whether this process has a mount namespace of its own (see mount-namespace.ts). */
  readonly privateMounts: boolean;
  /** $XDG_RUNTIME_DIR, for hosts where the server is not root. */
  readonly userRuntimeDir?: string | undefined;
}

export async function openRunDirectory(options: RunDirectoryOptions): Promise<RunDirectory> {
  return isRoot() && options.privateMounts ? openMounted(options) : openPlain(options);
}

async function openMounted(options: RunDirectoryOptions): Promise<RunDirectory> {
  const path = options.path ?? '/run/jellyfaas';
  await mkdir(path, { recursive: true });
  const size = options.sizeMib === undefined ? '50%' : `${options.sizeMib}m`;
  const swapSafe = await mountTmpfs(path, `mode=0711,size=${size}`);
  const limitations: Limitation[] = [];
  if (!swapSafe && (await hostSwaps())) {
    limitations.push({
      code: 'ram-may-swap',
      message: 'The kernel is older than 6.4, so RAM files of jails may be swapped to disk: turn swap off.',
    });
  }
  return runDirectory({ path, limitations, mounts: true, close: () => unmount(path) });
}

/** Not root, or no right to mount: a plain directory on a RAM file system, without caps of its own. */
async function openPlain(options: RunDirectoryOptions): Promise<RunDirectory> {
  const parent = isRoot() ? '/dev/shm' : (options.userRuntimeDir ?? '/dev/shm');
  for (const name of await readdir(parent)) {
    if (isLeftOver(name))
      await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
  const path = await mkdtemp(join(parent, `${INSTANCE_NAME}-`));
  await chmod(path, isRoot() ? 0o711 : 0o700);
  const limitations: Limitation[] = [
    {
      code: 'no-private-mounts',
      message:
        'The server may not mount file systems of its own: scratch space of builds has no size cap, and code in RAM outlives a kill -9 until the next start. Run it as root.',
    },
  ];
  const close = (): Promise<void> => rm(path, { recursive: true, force: true });
  return runDirectory({ path, limitations, mounts: false, close });
}

interface Backing {
  readonly path: string;
  readonly limitations: readonly Limitation[];
  readonly mounts: boolean;
  readonly close: () => Promise<void>;
}

function runDirectory(backing: Backing): RunDirectory {
  const gates = new Map<string, Promise<string>>();
  const openGate = (path: string): Promise<string> => {
    const target = join(backing.path, `exposed-${gates.size}`);
    const opened = gates.get(path) ?? bindReadOnly(path, target);
    gates.set(path, opened);
    return opened;
  };
  return {
    path: backing.path,
    limitations: backing.limitations,
    async createCapped(name, sizeMib, uid) {
      const path = join(backing.path, name);
      await mkdir(path);
      if (backing.mounts) await mountTmpfs(path, `mode=0700,size=${sizeMib}m,uid=${uid},gid=${uid}`);
      else await own(path, uid);
      return path;
    },
    async removeCapped(path) {
      if (!backing.mounts) return rm(path, { recursive: true, force: true });
      await unmount(path);
      return rmdir(path);
    },
    async exposePath(hostPath) {
      const path = await readablePath(hostPath);
      const gate = await deepestClosedChild(path);
      if (gate === undefined) return path;
      if (!backing.mounts) throw closedAbove(hostPath);
      return join(await openGate(gate), relative(gate, path));
    },
    async exposeWritable(hostPath, name) {
      const found = await lstat(hostPath).catch(() => undefined);
      if (found?.isDirectory() !== true) throw bindError('missing', hostPath, 'It is no directory.');
      if (!isRoot()) return hostPath;
      if (!backing.mounts) throw closedAbove(hostPath);
      const target = join(backing.path, name);
      await mkdir(target);
      await bind(hostPath, target, 'rw,nosuid,nodev,noexec');
      return target;
    },
    async unexposeWritable(path) {
      if (!isRoot()) return;
      await unmount(path);
      await rmdir(path);
    },
    close: backing.close,
  };
}

async function own(path: string, uid: number): Promise<void> {
  await chmod(path, 0o700);
  if (isRoot()) await chown(path, uid, uid);
}

/** Returns whether the kernel promised never to swap it (Linux 6.4 and later). */
async function mountTmpfs(path: string, options: string): Promise<boolean> {
  const mount = (extra: string): Promise<void> =>
    runTool('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev,${options}${extra}`, 'jellyfaas', path]);
  try {
    await mount(',noswap');
    return true;
  } catch {
    await mount('');
    return false;
  }
}

async function unmount(path: string): Promise<void> {
  await runTool('umount', ['--lazy', '--recursive', path]);
}

/** Whether anything on this host can be swapped to a disk at all. */
/** The real path of what is there, if those who run jails may read it. */
async function readablePath(hostPath: string): Promise<string> {
  const path = await realpath(hostPath).catch(() => undefined);
  if (path === undefined) throw bindError('missing', hostPath, 'It does not exist on the host.');
  const { mode } = await stat(path);
  const needed =
    constants.S_IROTH | ((mode & constants.S_IFMT) === constants.S_IFDIR ? constants.S_IXOTH : 0);
  if (isRoot() && (mode & needed) !== needed) {
    throw bindError('unreachable', hostPath, 'Give others the right to read it (chmod o+rX).');
  }
  return path;
}

/**
 * Where others stop on their way to `path`: the entry below the last closed directory. Mounting that one opens the
 * way to all its content at once, so that a thousand layers in one directory cost one mount.
 */
async function deepestClosedChild(path: string): Promise<string | undefined> {
  if (!isRoot()) return undefined;
  for (let child = path; child !== '/'; child = dirname(child)) {
    const { mode } = await stat(dirname(child));
    if ((mode & constants.S_IXOTH) === 0) return child;
  }
  return undefined;
}

async function bindReadOnly(source: string, target: string): Promise<string> {
  await ((await stat(source)).isDirectory() ? mkdir(target) : writeFile(target, ''));
  await bind(source, target, 'ro,nosuid,nodev');
  return target;
}

async function bind(source: string, target: string, options: string): Promise<void> {
  await runTool('mount', ['--bind', source, target]);
  await runTool('mount', ['-o', `remount,bind,${options}`, target]);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function closedAbove(path: string): PlatformError {
  const advice = 'A directory above it is closed to others, and the server may not mount.';
  return bindError('unreachable', path, advice);
}

function bindError(what: 'missing' | 'unreachable', path: string, advice: string): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: `sandbox.bind_${what}`,
    message: `The sandbox cannot show ${path} to a jail. ${advice}`,
  });
}
