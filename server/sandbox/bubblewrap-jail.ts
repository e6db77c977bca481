import { mkdir, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { createBaseSystem } from './base-system.ts';
import { bubblewrapArguments } from './bubblewrap-arguments.ts';
import { createJailCgroup, sweepCgroups, type JailCgroup } from './cgroups.ts';
import type { EgressNetwork } from './egress-guard.ts';
import { openEgressProxy } from './egress-proxy.ts';
import type { SandboxHost } from './host.ts';
import { createJailFiles, type JailFiles } from './jail-files.ts';
import type { Jail, JailBind, JailedProcess, JailExit, JailSpec, Scratch } from './jail.ts';
import { launch, type LaunchedProcess } from './launcher.ts';
import type { RunDirectory } from './run-directory.ts';
import { assembleSeccompFilter } from './seccomp.ts';
import { DEFAULT_UID_RANGE, leaseUids, type UidLease, type UidRange } from './uid-lease.ts';
import { writeTree } from './write-tree.ts';

export interface JailOptions {
  readonly host: SandboxHost;
  readonly runDirectory: RunDirectory;
  readonly events: EventLog;
  readonly uidRange?: UidRange;
  /** Tests put other people's networks here. */
  readonly egressNetwork?: EgressNetwork;
}

/** What all jailed processes of one `Jail` share. */
interface Context {
  readonly options: JailOptions;
  readonly base: readonly JailBind[];
  readonly seccompFilter: Buffer;
  readonly uids: UidLease;
  readonly live: Set<{ kill(): Promise<unknown> }>;
  readonly scratches: Set<Scratch>;
  nextId: number;
}

/**
 * The jail on bubblewrap. Must be called on the main thread: a jail dies with the thread that started it.
 */
export async function createJail(options: JailOptions): Promise<Jail> {
  const { host, runDirectory } = options;
  await sweepCgroups(host.cgroups);
  const context: Context = {
    options,
    base: await createBaseSystem(join(runDirectory.path, 'etc')),
    seccompFilter: assembleSeccompFilter(host.machine),
    uids: await leaseUids(options.uidRange ?? DEFAULT_UID_RANGE),
    live: new Set(),
    scratches: new Set(),
    nextId: 1,
  };
  const jails = join(runDirectory.path, 'jails');
  await mkdir(jails);
  await chmod(jails, 0o711);
  return {
    kind: 'bubblewrap',
    limitations: [...host.limitations, ...runDirectory.limitations],
    start: (spec) => start(context, spec),
    scratch: (sizeMib) => createScratch(context, sizeMib),
    async close() {
      await Promise.all([...context.live].map((process) => process.kill()));
      await Promise.all([...context.scratches].map((scratch) => scratch.dispose()));
      await context.uids.close();
    },
  };
}

function takeUid({ options, uids }: Context): { uid: number; release: () => void } {
  const own = process.getuid?.();
  if (!options.host.isRoot && own !== undefined) return { uid: own, release: () => undefined };
  const uid = uids.take();
  return { uid, release: () => uids.release(uid) };
}

async function createScratch(context: Context, sizeMib: number): Promise<Scratch> {
  const { runDirectory } = context.options;
  const { uid, release } = takeUid(context);
  const path = await runDirectory
    .createCapped(`scratch-${context.nextId++}`, sizeMib, uid)
    .catch((error: unknown) => {
      release();
      throw error;
    });
  const owner = context.options.host.isRoot ? { uid, gid: uid } : undefined;
  let disposed: Promise<void> | undefined;
  const scratch: Scratch = {
    path,
    uid,
    write: (tree, below) => writeTree(path, below === undefined ? tree : prefixed(tree, below), owner),
    dispose() {
      disposed ??= runDirectory.removeCapped(path).finally(() => {
        context.scratches.delete(scratch);
        release();
      });
      return disposed;
    },
  };
  context.scratches.add(scratch);
  return scratch;
}

function prefixed<T>(tree: ReadonlyMap<string, T>, below: string): Map<string, T> {
  return new Map([...tree].map(([path, file]) => [`${below}/${path}`, file]));
}

/** What one jailed process holds on the host, released in reverse order of its acquisition. */
type Release = () => Promise<unknown> | void;

async function start(context: Context, spec: JailSpec): Promise<JailedProcess> {
  const releases: Release[] = [];
  try {
    return await startHolding(context, spec, releases);
  } catch (error) {
    await releaseAll(releases);
    throw error;
  }
}

async function releaseAll(releases: readonly Release[]): Promise<void> {
  for (const release of releases.toReversed()) await release();
}

async function startHolding(context: Context, spec: JailSpec, releases: Release[]): Promise<JailedProcess> {
  const { host, runDirectory, events, egressNetwork } = context.options;
  const binds = await exposeBinds(runDirectory, spec.binds);
  const name = `jail-${context.nextId++}`;
  const { uid, release } =
    spec.scratch === undefined ? takeUid(context) : { uid: spec.scratch.uid, release() {} };
  releases.push(release);
  const guestBindsSocket = spec.scratch === undefined;
  const files = await createJailFiles({
    directory: join(runDirectory.path, 'jails', name),
    uid,
    guestBindsSocket,
  });
  releases.push(() => files.remove());
  if (spec.egress !== undefined) {
    const proxy = await openEgressProxy({
      policy: spec.egress,
      path: join(files.sockets, 'egress.sock'),
      events,
      ...(egressNetwork === undefined ? {} : { network: egressNetwork }),
    });
    releases.push(() => proxy.close());
  }
  const cgroup = await createJailCgroup(host.cgroups, name, spec.limits);
  releases.push(() => cgroup.remove());
  const launched = await launch({
    host,
    uid,
    limits: spec.limits,
    procsFiles: cgroup.procsFiles,
    seccompFilter: context.seccompFilter,
    argv: spec.argv,
    bubblewrapArguments: bubblewrapArguments({
      binds: [...context.base, ...binds],
      app: files.app,
      ...(guestBindsSocket || spec.egress !== undefined
        ? { sockets: { path: files.sockets, writable: guestBindsSocket } }
        : {}),
      ...(spec.scratch === undefined ? {} : { work: spec.scratch.path }),
      tmpMib: spec.limits.tmpMib,
      cwd: spec.cwd ?? (spec.scratch === undefined ? '/app' : '/work'),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', ...spec.env },
    }),
  });
  return jailedProcess(context, { uid, files, cgroup, launched, releases, guestBindsSocket });
}

function exposeBinds(runDirectory: RunDirectory, binds: readonly JailBind[]): Promise<JailBind[]> {
  return Promise.all(
    binds.map(async ({ source, target }) => ({ source: await runDirectory.exposePath(source), target })),
  );
}

interface Running {
  readonly uid: number;
  readonly files: JailFiles;
  readonly cgroup: JailCgroup;
  readonly launched: LaunchedProcess;
  readonly releases: readonly Release[];
  readonly guestBindsSocket: boolean;
}

function jailedProcess(context: Context, running: Running): JailedProcess {
  const { uid, files, cgroup, launched, releases } = running;
  const { child, pid, control, stdout, stderr } = launched;
  let killed = false;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const exited = ended.then(async (code): Promise<JailExit> => {
    const oomKills = await cgroup.oomKills();
    await releaseAll(releases);
    context.live.delete(jailed);
    return exitOf({ code, killed, oomKills });
  });
  const jailed: JailedProcess = {
    uid,
    pid,
    control,
    stdout,
    stderr,
    exited,
    writeApp: (tree) => files.writeApp(tree),
    sealSocket: () => (running.guestBindsSocket ? files.sealSocket() : Promise.reject(noSocketHere())),
    setCpuPercent: (percent) => cgroup.setCpuPercent(percent),
    kill() {
      killed ||= child.exitCode === null && child.signalCode === null;
      child.kill('SIGKILL');
      return exited;
    },
  };
  context.live.add(jailed);
  return jailed;
}

/** bubblewrap passes the end of its child on as a shell does: 128 + signal. */
function exitOf(end: { code: number | null; killed: boolean; oomKills: number }): JailExit {
  if (end.killed) return { reason: 'killed', code: null };
  if (end.oomKills > 0 && end.code !== 0) return { reason: 'oom', code: end.code };
  return { reason: end.code === null || end.code > 128 ? 'signal' : 'exit', code: end.code };
}

function noSocketHere(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.no_socket',
    message: 'A jail with scratch space is a build step and serves no socket.',
  });
}
