import { access, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createJailCgroup } from './cgroups.ts';
import type { Confinement, JailView, LaunchRequest } from './confinement.ts';
import { createJailOver, type JailSurroundings } from './jail-core.ts';
import type { Jail, JailBind, Limitation } from './jail.ts';
import { spawnWithControl, type LaunchedProcess } from './launcher.ts';

/**
 * `--unsafe-no-sandbox`: the same paths and the same protocol, and no protection. The code sees the host's files
 * and network and has no limits; only its view of /app, /run/fn and the other binds is arranged, in a mount
 * namespace, because guests rely on those paths.
 */
export function createUnsafeJail(surroundings: JailSurroundings): Promise<Jail> {
  const isRoot = process.getuid?.() === 0;
  let nextRoot = 1;
  const confinement: Confinement = {
    kind: 'none',
    limitations: LIMITATIONS,
    takeUid: () => ({ uid: isRoot ? NOBODY : (process.getuid?.() ?? NOBODY), release: () => undefined }),
    createCgroup: (name, limits) => createJailCgroup({ version: 1, parents: new Map() }, name, limits),
    async launch(request) {
      const root = join(surroundings.runDirectory.path, `root-${nextRoot++}`);
      await mkdir(root);
      return launchUnprotected(request, root, isRoot);
    },
    close: () => Promise.resolve(),
  };
  return createJailOver(confinement, surroundings);
}

const NOBODY = 65534;

const LIMITATIONS: readonly Limitation[] = [
  {
    code: 'no-sandbox',
    message: 'Functions and builds run without a sandbox: deploy only what you wrote yourself.',
  },
  { code: 'no-file-isolation', message: 'Code can read what the host lets everybody read.' },
  { code: 'no-network-isolation', message: 'Code can connect to any address, egress lists notwithstanding.' },
  { code: 'no-uid-isolation', message: 'All code runs under one user id and can disturb other code.' },
  { code: 'no-syscall-filter', message: 'Code can make any system call.' },
  {
    code: 'no-resource-limits',
    message: 'Memory, processes, processor time and temporary files are not limited.',
  },
];

/**
 * Arguments: new root, number of host entries, these, number of binds, source and target of each, command.
 * Host entries are bound at their own paths, and the binds over them.
 */
const ARRANGE_SCRIPT = `
set -e
# The server's own is 077, and the code has to pass through what is made here.
umask 022
root=$1; entries=$2; shift 2
mount -t tmpfs -o mode=0755 none "$root"
while [ "$entries" -gt 0 ]; do
  if [ -L "/$1" ]; then ln -s "$(readlink "/$1")" "$root/$1"
  elif [ -d "/$1" ]; then mkdir "$root/$1"; mount --rbind "/$1" "$root/$1"
  fi
  shift; entries=$((entries - 1))
done
mkdir -m 1777 "$root/tmp"
binds=$1; shift
while [ "$binds" -gt 0 ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"
  elif [ ! -e "$root$2" ]; then mkdir -p "\${root}\${2%/*}"; : > "$root$2"
  fi
  mount --bind "$1" "$root$2"
  shift 2; binds=$((binds - 1))
done
cwd=$1; shift
exec chroot "$root" /bin/sh -c 'cd "$1"; shift; exec "$@"' sh "$cwd" "$@"
`;

async function launchUnprotected(
  request: LaunchRequest,
  root: string,
  isRoot: boolean,
): Promise<LaunchedProcess> {
  const { view, argv, uid } = request;
  const binds = allBinds(view);
  const entries = await hostEntries(binds);
  const namespaces = [
    '--mount',
    '--propagation',
    'private',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const becomeUser = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
  const environment = Object.entries(view.env).map(([name, value]) => `${name}=${value}`);
  const parameters = [
    [root, String(entries.length), ...entries],
    [String(binds.length), ...binds.flatMap(({ source, target }) => [source, target])],
    [view.cwd, ...(isRoot ? becomeUser : []), 'env', '-i', ...environment, ...argv],
  ].flat();
  const command = [
    ...namespaces,
    ...(isRoot ? [] : ['--map-root-user']),
    '--',
    '/bin/sh',
    '-c',
    ARRANGE_SCRIPT,
  ];
  return spawnWithControl('unshare', [...command, 'arrange', ...parameters]);
}

function allBinds(view: JailView): JailBind[] {
  return [
    ...view.binds.filter(({ source, target }) => source !== target),
    { source: view.app, target: '/app' },
    ...(view.sockets === undefined ? [] : [{ source: view.sockets.path, target: '/run/fn' }]),
    ...(view.work === undefined ? [] : [{ source: view.work, target: '/work' }]),
  ];
}

/** The host's top directories, without those in which a bind would need a mount point that is not there. */
async function hostEntries(binds: readonly JailBind[]): Promise<string[]> {
  const replaced = new Set(['tmp']);
  for (const { target } of binds) {
    await access(target).catch(() => replaced.add(target.split('/')[1] ?? ''));
  }
  return (await readdir('/')).filter((name) => !replaced.has(name));
}
