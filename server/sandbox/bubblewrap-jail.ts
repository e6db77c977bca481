import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PlatformError } from '../kernel/errors.ts';
import { createBaseSystem } from './base-system.ts';
import { bubblewrapArguments } from './bubblewrap-arguments.ts';
import { createJailCgroup, sweepCgroups } from './cgroups.ts';
import type { SandboxHost } from './host.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import type { Confinement } from './confinement.ts';
import { createJailOver, type JailSurroundings } from './jail-core.ts';
import type { Jail, Limitation } from './jail.ts';
import { launchBubblewrap } from './launcher.ts';
import { assembleSeccompFilter } from './seccomp.ts';
import { DEFAULT_UID_RANGE, leaseUids, type UidLease, type UidRange } from './uid-lease.ts';

export interface JailOptions extends JailSurroundings {
  readonly host: SandboxHost;
  /** Default 210000 to 275535. */
  readonly uidRange?: UidRange;
}

/**
 * The jail on bubblewrap; also removes what a crashed predecessor left. Rejects with `sandbox.unusable` where the
 * host forbids what it needs. Must be called on the main thread,
 * because a jail dies with the thread that started it.
 */
export async function createJail({ host, uidRange, ...surroundings }: JailOptions): Promise<Jail> {
  await sweepCgroups(host.cgroups);
  const base = await createBaseSystem(join(surroundings.runDirectory.path, 'etc'));
  const seccompFilter = assembleSeccompFilter(host.machine);
  const uids = await leaseUids(uidRange ?? DEFAULT_UID_RANGE);
  const confinement: Confinement = {
    kind: 'bubblewrap',
    limitations: [...host.limitations, ...(inheritedDescriptors().length === 0 ? [] : [LEAKING])],
    takeUid: () => takeUid(host, uids),
    createCgroup: (name, limits) => createJailCgroup(host.cgroups, name, limits),
    launch: ({ view, ...request }) =>
      launchBubblewrap({
        ...request,
        host,
        seccompFilter,
        bubblewrapArguments: bubblewrapArguments({ ...view, binds: [...base, ...view.binds] }),
      }),
    close: () => uids.close(),
  };
  const jail = await createJailOver(confinement, surroundings);
  await probe(jail);
  return jail;
}

/** Starts one jail for real: hosts that forbid user namespaces should say so now and not at the first call. */
async function probe(jail: Jail): Promise<void> {
  const attempt = await jail.start({
    argv: ['/probe'],
    env: {},
    binds: [{ source: '/usr/bin/true', target: '/probe' }],
    limits: { memoryMib: 64, tasks: 16, cpuPercent: 100, tmpMib: 1 },
  });
  const [complaint, { code }] = await Promise.all([text(attempt.stderr), attempt.exited]);
  if (code === 0) return;
  await jail.close();
  throw new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.unusable',
    message: `bubblewrap is installed but cannot make a sandbox here: ${complaint.trim().slice(0, 500)}. Usually user namespaces are switched off (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns).`,
  });
}

const LEAKING: Limitation = {
  code: 'inherited-descriptors',
  message:
    'The server was started with open files that jails inherit: start it through its own start command.',
};

function takeUid(host: SandboxHost, uids: UidLease): ReturnType<Confinement['takeUid']> {
  if (!host.isRoot) return { uid: process.getuid?.() ?? 0, release: () => undefined };
  const uid = uids.take();
  return { uid, release: () => uids.release(uid) };
}
