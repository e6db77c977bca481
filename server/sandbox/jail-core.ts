import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { JailCgroup } from './cgroups.ts';
import type { Confinement, JailView } from './confinement.ts';
import type { EgressNetwork } from './egress-guard.ts';
import { openDoor } from './door.ts';
import { openEgressProxy } from './egress-proxy.ts';
import { handOver } from './hand-over.ts';
import { createJailFiles, type JailFiles } from './jail-files.ts';
import type { Jail, JailedProcess, JailExit, JailSpec, Scratch } from './jail.ts';
import type { LaunchedProcess } from './launcher.ts';
import type { RunDirectory } from './run-directory.ts';
import { writeTree } from './write-tree.ts';

export interface JailSurroundings {
  /** Closed with the jail. */
  readonly runDirectory: RunDirectory;
  readonly events: EventLog;
  /** Default: the host's own network. Tests stand in for other people's servers with it. */
  readonly egressNetwork?: EgressNetwork;
}

/** Names of directories and control groups; a process may have several jails, so they count together. */
let nextId = 1;

/** What all processes of one jail share. */
interface Context extends JailSurroundings {
  readonly confinement: Confinement;
  readonly processes: Set<JailedProcess>;
  readonly scratches: Set<Scratch>;
}

export async function createJailOver(
  confinement: Confinement,
  surroundings: JailSurroundings,
): Promise<Jail> {
  const { runDirectory } = surroundings;
  const context: Context = {
    ...surroundings,
    confinement,
    processes: new Set(),
    scratches: new Set(),
  };
  const directories = join(runDirectory.path, 'jails');
  await mkdir(directories);
  await chmod(directories, 0o711);
  return {
    kind: confinement.kind,
    limitations: [...confinement.limitations, ...runDirectory.limitations],
    start: (spec) => start(context, spec),
    scratch: (sizeMib) => createScratch(context, sizeMib),
    adopt: (directory, files) => adopt(context, directory, files),
    async close() {
      await Promise.all([...context.processes].map((process) => process.kill()));
      await Promise.all([...context.scratches].map((scratch) => scratch.dispose()));
      await confinement.close();
      await runDirectory.close();
    },
  };
}

function createScratch(context: Context, sizeMib: number): Promise<Scratch> {
  const { runDirectory } = context;
  return openScratch(context, async (uid) => {
    const path = await runDirectory.createCapped(`scratch-${nextId++}`, sizeMib, uid);
    return { path, remove: () => runDirectory.removeCapped(path) };
  });
}

function adopt(context: Context, directory: string, files: readonly string[]): Promise<Scratch> {
  const { runDirectory } = context;
  return openScratch(context, async (uid) => {
    const path = await runDirectory.exposeWritable(directory, `adopted-${nextId++}`);
    const hide = (): Promise<void> => runDirectory.unexposeWritable(path);
    await handOver(directory, files, uid).catch(async (error: unknown) => {
      await hide();
      throw error;
    });
    const back = process.getuid?.() ?? uid;
    const remove = async (): Promise<void> => {
      try {
        await handOver(directory, files, back);
      } finally {
        await hide();
      }
    };
    return { path, remove };
  });
}

async function openScratch(
  { confinement, scratches }: Context,
  open: (uid: number) => Promise<{ readonly path: string; readonly remove: () => Promise<void> }>,
): Promise<Scratch> {
  const { uid, release } = confinement.takeUid();
  const { path, remove } = await open(uid).catch((error: unknown) => {
    release();
    throw error;
  });
  let disposed: Promise<void> | undefined;
  const scratch: Scratch = {
    path,
    uid,
    write: (tree, below) => writeTree(path, below === undefined ? tree : prefixed(tree, below), uid),
    dispose() {
      disposed ??= remove().finally(() => {
        scratches.delete(scratch);
        release();
      });
      return disposed;
    },
  };
  scratches.add(scratch);
  return scratch;
}

function prefixed<T>(tree: ReadonlyMap<string, T>, below: string): Map<string, T> {
  return new Map([...tree].map(([path, file]) => [`${below}/${path}`, file]));
}

/** Gives back one thing that a process holds on the host; done in the reverse order of acquisition. */
type Release = () => Promise<unknown> | void;

async function releaseAll(releases: readonly Release[]): Promise<void> {
  for (const release of releases.toReversed()) await release();
}

async function start(context: Context, spec: JailSpec): Promise<JailedProcess> {
  const releases: Release[] = [];
  try {
    return await acquireAndLaunch(context, spec, releases);
  } catch (error) {
    await releaseAll(releases);
    throw error;
  }
}

async function acquireAndLaunch(
  context: Context,
  spec: JailSpec,
  releases: Release[],
): Promise<JailedProcess> {
  const { confinement, runDirectory, events, egressNetwork } = context;
  const { scratch, egress, limits } = spec;
  const name = `jail-${nextId++}`;
  const binds = await Promise.all(
    spec.binds.map(async ({ source, target }) => ({ source: await runDirectory.exposePath(source), target })),
  );
  const { uid, release } = scratch === undefined ? confinement.takeUid() : { uid: scratch.uid, release() {} };
  releases.push(release);

  const guestBindsSocket = scratch === undefined;
  const directory = join(runDirectory.path, 'jails', name);
  const files = await createJailFiles({ directory, uid, guestBindsSocket });
  releases.push(() => files.remove());

  if (egress !== undefined) {
    const path = join(files.sockets, 'egress.sock');
    const network = egressNetwork === undefined ? {} : { network: egressNetwork };
    const proxy = await openEgressProxy({ policy: egress, path, events, ...network });
    releases.push(() => proxy.close());
  }
  if (spec.door !== undefined) {
    const door = await openDoor(join(files.sockets, 'door.sock'), spec.door);
    releases.push(() => door.close());
  }
  const cgroup = await confinement.createCgroup(name, limits);
  releases.push(() => cgroup.remove());

  const view: JailView = {
    binds,
    app: files.app,
    ...(guestBindsSocket || egress !== undefined
      ? { sockets: { path: files.sockets, writable: guestBindsSocket } }
      : {}),
    ...(scratch === undefined ? {} : { work: scratch.path }),
    tmpMib: limits.tmpMib,
    cwd: spec.cwd ?? (scratch === undefined ? '/app' : '/work'),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', ...spec.env },
  };
  const { procsFiles } = cgroup;
  const launched = await confinement.launch({ uid, limits, procsFiles, view, argv: spec.argv });
  return jailedProcess(context, { uid, files, cgroup, launched, releases, guestBindsSocket });
}

interface Running {
  readonly uid: number;
  readonly files: JailFiles;
  readonly cgroup: JailCgroup;
  readonly launched: LaunchedProcess;
  readonly releases: readonly Release[];
  readonly guestBindsSocket: boolean;
}

function jailedProcess({ processes }: Context, running: Running): JailedProcess {
  const { uid, files, cgroup, launched, releases } = running;
  const { child, pid, control, stdout, stderr } = launched;
  let killed = false;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const whileAlive = async (action: () => Promise<void>): Promise<void> => {
    if (isOver()) throw hasEnded();
    await action().catch((error: unknown) => {
      throw isOver() ? hasEnded(error) : error;
    });
  };
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const exited = ended.then(async (code): Promise<JailExit> => {
    const oomKills = await cgroup.oomKills();
    await releaseAll(releases);
    processes.delete(jailed);
    return exitOf({ code, killed, oomKills });
  });
  const jailed: JailedProcess = {
    uid,
    pid,
    control,
    stdout,
    stderr,
    exited,
    writeApp: (tree) => whileAlive(() => files.writeApp(tree)),
    sealSocket: (name) =>
      running.guestBindsSocket ? files.sealSocket(name) : Promise.reject(servesNothing()),
    setCpuPercent: (percent) => whileAlive(() => cgroup.setCpuPercent(percent)),
    kill() {
      if (!killed && !isOver()) {
        killed = true;
        killInside(child);
      }
      return exited;
    },
  };
  processes.add(jailed);
  return jailed;
}

const KILL_GRACE_MS = 1000;

/**
 * Ends the first process of the inner process namespace, and so all of them, and lets the outermost one collect
 * it and end by itself: killed first, it would leave a zombie to whoever is init. It is killed, too, when
 * there is nothing inside yet or it does not end in time.
 */
function killInside(outermost: ChildProcess): void {
  const inside = childrenOf(outermost.pid);
  if (inside.length === 0) outermost.kill('SIGKILL');
  for (const pid of inside) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in the meantime.
    }
  }
  const late = setTimeout(() => outermost.kill('SIGKILL'), KILL_GRACE_MS);
  outermost.once('exit', () => clearTimeout(late));
}

function childrenOf(pid: number | undefined): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The outermost process passes the end of its child on as a shell does: 128 + signal. */
function exitOf(end: { code: number | null; killed: boolean; oomKills: number }): JailExit {
  if (end.killed) return { reason: 'killed', code: null };
  if (end.oomKills > 0 && end.code !== 0) return { reason: 'oom', code: end.code };
  return { reason: end.code === null || end.code > 128 ? 'signal' : 'exit', code: end.code };
}

function hasEnded(cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'sandbox.ended',
    message: 'The instance has ended.',
    cause,
  });
}

function servesNothing(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.no_socket',
    message: 'A jail with scratch space is a build step and serves no socket.',
  });
}
