import type { JailView } from './confinement.ts';

/** Nobody inside; a real uid of the jail's own outside. */
export const INSIDE_UID = 65534;

const SHARED_MEMORY_MIB = 64;
const MIB = 1024 * 1024;

/** The arguments of bubblewrap before the command itself. Order matters: later mounts cover earlier ones. */
export function bubblewrapArguments(view: JailView): string[] {
  const namespaces = ['user', 'pid', 'net', 'ipc', 'uts', 'cgroup'];
  return [
    namespaces.map((name) => `--unshare-${name}`),
    ['--uid', String(INSIDE_UID), '--gid', String(INSIDE_UID), '--hostname', 'fn'],
    ['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ['--clearenv', ...Object.entries(view.env).flatMap(([name, value]) => ['--setenv', name, value])],
    [
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      ...cappedTmpfs('/dev/shm', SHARED_MEMORY_MIB),
      '--remount-ro',
      '/dev',
    ],
    cappedTmpfs('/tmp', view.tmpMib),
    view.binds.flatMap(({ source, target }) => ['--ro-bind', source, target]),
    ['--ro-bind', view.app, '/app'],
    view.sockets ? [view.sockets.writable ? '--bind' : '--ro-bind', view.sockets.path, '/run/fn'] : [],
    view.work === undefined ? [] : ['--bind', view.work, '/work'],
    ['--chdir', view.cwd],
    // bubblewrap's own root is a writable tmpfs without a cap.
    ['--remount-ro', '/'],
  ].flat();
}

function cappedTmpfs(path: string, sizeMib: number): string[] {
  return ['--size', String(sizeMib * MIB), '--tmpfs', path];
}
