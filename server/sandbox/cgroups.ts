import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { INSTANCE_NAME, isLeftOver } from './instance-name.ts';
import type { JailLimits } from './jail.ts';

/** The kinds of limit that control groups can give; version 1 has a tree for each, version 2 one for all. */
export type Controller = 'memory' | 'pids' | 'cpu';

const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu'];

/** Where this process may make groups of its own. */
export interface CgroupTree {
  readonly version: 1 | 2;
  /** Absolute directories by controller; the same one for all under version 2. */
  readonly parents: ReadonlyMap<Controller, string>;
}

/** The control groups of one jail. */
export interface JailCgroup {
  /** Files that the launcher writes its pid to before it becomes the jail. */
  readonly procsFiles: readonly string[];
  setCpuPercent(percent: number): Promise<void>;
  /** How many processes the kernel ended because the jail's memory was full. */
  oomKills(): Promise<number>;
  /** Kills whatever is still inside, waits for its end and removes the groups. */
  remove(): Promise<void>;
}

/** The launcher chain and bubblewrap's two processes count as tasks too. */
const LAUNCHER_TASKS = 3;
const CPU_PERIOD_US = 100_000;
const SERVER_LEAF = 'jellyfaas-server';
const REMOVE_DEADLINE_MS = 10_000;

/**
 * Finds the controllers under which a group can really be made, by making and removing one. Version 2 is
 * preferred where it has controllers; groups lie below the process' own group, so that limits above still hold.
 */
export async function findCgroupTree(): Promise<CgroupTree> {
  const [memberships, mountinfo] = await Promise.all([
    readFile('/proc/self/cgroup', 'utf8'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]).catch(() => ['', ''] as const);
  const own = locateOwnCgroups(memberships, mountinfo);
  const unified = own.get('');
  if (unified !== undefined) {
    const tree = await openUnified(unified);
    if (tree !== undefined) return tree;
  }
  const parents = new Map<Controller, string>();
  for (const controller of CONTROLLERS) {
    const directory = own.get(controller);
    if (directory !== undefined && (await canMakeGroup(directory))) parents.set(controller, directory);
  }
  return { version: 1, parents };
}

/**
 * Own group by controller (`''` is the version 2 tree) as absolute directories, from the texts of
 * /proc/self/cgroup and /proc/self/mountinfo.
 */
export function locateOwnCgroups(memberships: string, mountinfo: string): Map<string, string> {
  const mounted = cgroupMounts(mountinfo);
  const own = new Map<string, string>();
  for (const line of memberships.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const controller of (match?.[1] ?? 'none').split(',')) {
      const mount = mounted.get(controller);
      if (mount === undefined) continue;
      const below = relative(mount.root, match?.[2] ?? '/');
      own.set(controller, below.startsWith('..') ? mount.at : join(mount.at, below));
    }
  }
  return own;
}

/** Mount points by controller; `root` is the group that a container sees as the top. */
function cgroupMounts(mountinfo: string): Map<string, { root: string; at: string }> {
  const mounted = new Map<string, { root: string; at: string }>();
  for (const line of mountinfo.split('\n')) {
    const match = /^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$/.exec(line);
    if (match === null) continue;
    const [, root = '/', at = '', type, superOptions = ''] = match;
    const controllers = type === 'cgroup2' ? [''] : superOptions.split(',');
    for (const controller of controllers) mounted.set(controller, { root, at });
  }
  return mounted;
}

async function canMakeGroup(parent: string): Promise<boolean> {
  const probe = join(parent, `${INSTANCE_NAME}-probe`);
  try {
    await mkdir(probe);
    await rmdir(probe);
    return true;
  } catch {
    return false;
  }
}

/** Switches the controllers on for children. A group with members must first move them into a leaf. */
async function openUnified(own: string): Promise<CgroupTree | undefined> {
  const directory = basename(own) === SERVER_LEAF ? dirname(own) : own;
  const offered = await readFile(join(directory, 'cgroup.controllers'), 'utf8').catch(() => '');
  const usable = CONTROLLERS.filter((controller) => offered.trim().split(' ').includes(controller));
  if (usable.length === 0 || !(await canMakeGroup(directory))) return undefined;
  const enable = (): Promise<void> =>
    writeFile(join(directory, 'cgroup.subtree_control'), usable.map((name) => `+${name}`).join(' '));
  try {
    await enable().catch(async () => {
      const leaf = join(directory, SERVER_LEAF);
      await mkdir(leaf, { recursive: true });
      await writeFile(join(leaf, 'cgroup.procs'), String(process.pid));
      await enable();
    });
  } catch {
    return undefined;
  }
  return { version: 2, parents: new Map(usable.map((controller) => [controller, directory])) };
}

/** Removes the groups (and processes) that a crashed predecessor left. */
export async function sweepCgroups(tree: CgroupTree): Promise<void> {
  for (const parent of new Set(tree.parents.values())) {
    for (const name of await readdir(parent)) {
      if (isLeftOver(name)) await removeGroups([join(parent, name)]);
    }
  }
}

/** Makes the groups of one jail; `name` is unique within this process. */
export async function createJailCgroup(
  tree: CgroupTree,
  name: string,
  limits: JailLimits,
): Promise<JailCgroup> {
  const directories = new Map(
    [...tree.parents].map(([controller, parent]) => [controller, join(parent, `${INSTANCE_NAME}-${name}`)]),
  );
  const groups = [...new Set(directories.values())];
  const write = async (controller: Controller, file: string, value: string): Promise<void> => {
    const directory = directories.get(controller);
    if (directory !== undefined) await writeFile(join(directory, file), value);
  };
  const setCpuPercent = (percent: number): Promise<void> => {
    const quota = Math.max(1000, Math.round((percent * CPU_PERIOD_US) / 100));
    return tree.version === 2
      ? write('cpu', 'cpu.max', `${quota} ${CPU_PERIOD_US}`)
      : write('cpu', 'cpu.cfs_quota_us', String(quota));
  };
  await Promise.all(groups.map((directory) => mkdir(directory)));
  await Promise.all([
    limitMemory(tree.version, limits.memoryMib * 1024 * 1024, (file, value) => write('memory', file, value)),
    write('pids', 'pids.max', String(limits.tasks + LAUNCHER_TASKS)),
    setCpuPercent(limits.cpuPercent),
  ]);
  return {
    procsFiles: groups.map((directory) => join(directory, 'cgroup.procs')),
    setCpuPercent,
    oomKills: () => oomKills(tree.version, directories.get('memory')),
    remove: () => removeGroups(groups),
  };
}

/** No swap at all: what a function holds in memory must not reach a disk. */
async function limitMemory(
  version: 1 | 2,
  bytes: number,
  write: (file: string, value: string) => Promise<void>,
): Promise<void> {
  const optional = (file: string, value: string): Promise<void> => write(file, value).catch(() => undefined);
  if (version === 2) {
    await Promise.all([write('memory.max', String(bytes)), optional('memory.swap.max', '0')]);
    return;
  }
  await write('memory.limit_in_bytes', String(bytes));
  await optional('memory.memsw.limit_in_bytes', String(bytes));
  await optional('memory.swappiness', '0');
}

async function oomKills(version: 1 | 2, directory: string | undefined): Promise<number> {
  if (directory === undefined) return 0;
  const file = join(directory, version === 2 ? 'memory.events' : 'memory.oom_control');
  const text = await readFile(file, 'utf8').catch(() => '');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/**
 * A dying process stays a member until it is gone, and version 1 tells nobody when that is: so this asks again,
 * at growing intervals. Gives up after ten seconds; the next start sweeps.
 */
async function removeGroups(groups: readonly string[]): Promise<void> {
  const giveUpAt = performance.now() + REMOVE_DEADLINE_MS;
  const remaining = new Set(groups);
  for (
    let pauseMs = 1;
    remaining.size > 0 && performance.now() < giveUpAt;
    pauseMs = Math.min(pauseMs * 2, 100)
  ) {
    for (const group of remaining) {
      if (await tryRemove(group)) remaining.delete(group);
    }
    if (remaining.size > 0) await delay(pauseMs);
  }
}

async function tryRemove(group: string): Promise<boolean> {
  try {
    await rmdir(group);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
  }
  const members = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '');
  // A member that this process namespace cannot see is listed as 0, which for kill(2) is our own group.
  for (const pid of members
    .split('\n')
    .map(Number)
    .filter((number) => number > 0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in the meantime.
    }
  }
  return false;
}
