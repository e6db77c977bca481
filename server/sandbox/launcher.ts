import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { PlatformError } from '../kernel/errors.ts';
import type { SandboxHost } from './host.ts';
import type { JailLimits } from './jail.ts';

/**
 * Joins the control groups, makes itself the first choice of the host's OOM killer, and becomes the program in
 * its arguments. Nothing is ever pasted into this text.
 */
const LAUNCH_SCRIPT = `
groups=$1; shift
while [ "$groups" -gt 0 ]; do
  echo $$ > "$1" || exit 125
  shift; groups=$((groups - 1))
done
echo 500 > /proc/self/oom_score_adj
exec "$@"
`;

const OPEN_FILES = 4096;
const FILE_MIB = 2048;

/** Room for thread stacks and the like where memory can only be limited for each process. */
const DATA_HEADROOM_MIB = 256;
const MIB = 1024 * 1024;

export interface BubblewrapLaunch {
  readonly host: SandboxHost;
  readonly uid: number;
  readonly limits: JailLimits;
  readonly procsFiles: readonly string[];
  readonly seccompFilter: Buffer;
  readonly bubblewrapArguments: readonly string[];
  readonly argv: readonly string[];
}

export interface LaunchedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly control: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/**
 * sh → prlimit → setpriv → bwrap, one process all along. bubblewrap reads its arguments from descriptor 4, so that
 * environment and paths show in no process list, and the filter from 5, and closes both.
 */
export async function launchBubblewrap(options: BubblewrapLaunch): Promise<LaunchedProcess> {
  const { host, procsFiles, argv } = options;
  const command = [
    limitResources(options),
    host.isRoot ? becomeUser(host.setpriv, options.uid) : [],
    [host.bwrap, '--args', '4', '--seccomp', '5', '--'],
    argv,
  ].flat();
  return spawnWithControl(
    '/bin/sh',
    ['-c', LAUNCH_SCRIPT, 'jail', String(procsFiles.length), ...procsFiles, ...command],
    [options.bubblewrapArguments.map((argument) => `${argument}\0`).join(''), options.seccompFilter],
  );
}

/**
 * Starts a program with an empty environment, the control socket as descriptor 3 and `inputs` to be read from
 * descriptors 4, 5, … Everything else that Node opens is close-on-exec.
 */
export async function spawnWithControl(
  file: string,
  args: readonly string[],
  inputs: readonly (string | Buffer)[] = [],
): Promise<LaunchedProcess> {
  const child = spawn(file, args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...inputs.map(() => 'pipe' as const)],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(startFailed(error)));
  });
  // Descriptors above 2 are sockets in Node, which its types do not know.
  const [, stdout, stderr, control, ...inputPipes] = child.stdio as unknown as (Duplex | undefined)[];
  if (child.pid === undefined || !stdout || !stderr || !control) throw startFailed();
  // A jail that ends early closes its side; what then could not be written does not matter.
  control.on('error', () => undefined);
  for (const [index, input] of inputs.entries()) {
    inputPipes[index]?.on('error', () => undefined).end(input);
  }
  return { child, pid: child.pid, control, stdout, stderr };
}

function limitResources({ host, limits }: BubblewrapLaunch): string[] {
  const { parents } = host.cgroups;
  return [
    host.prlimit,
    `--core=${host.coreLimit}`,
    `--nofile=${OPEN_FILES}`,
    `--fsize=${(limits.fileMib ?? FILE_MIB) * MIB}`,
    // The limit on processes counts by user, so it only makes sense for a user of the jail's own.
    ...(host.isRoot && !parents.has('pids') ? [`--nproc=${limits.tasks}`] : []),
    ...(parents.has('memory') ? [] : [`--data=${(limits.memoryMib + DATA_HEADROOM_MIB) * MIB}`]),
    '--',
  ];
}

function becomeUser(setpriv: string, uid: number): string[] {
  const user = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  return [setpriv, ...user, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'];
}

function startFailed(cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'sandbox.start_failed',
    message: 'The host could not start another process. Try again; if it stays, tell the operator.',
    cause,
  });
}
