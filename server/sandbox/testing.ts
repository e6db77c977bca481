import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createEventLog } from '../kernel/events.ts';
import { createJail, type JailOptions } from './bubblewrap-jail.ts';
import { detectHost } from './host.ts';
import { INSTANCE_NAME, isLeftOver } from './instance-name.ts';
import type { Jail, JailBind, JailedProcess, JailExit, JailLimits, JailSpec } from './jail.ts';
import { openRunDirectory } from './run-directory.ts';
import { runTool } from './run-tool.ts';

let opened = 0;

/**
 * A real jail for system tests. As root it mounts its RAM file system in the host's own mount namespace (a test
 * runner cannot replace its process), so `close` must run; what a killed run left is removed by the next one.
 */
export async function openTestJail(overrides: Partial<JailOptions> = {}): Promise<Jail> {
  const privateMounts = process.getuid?.() === 0;
  const path = join('/run', `${INSTANCE_NAME}-${opened++}`);
  if (privateMounts) await sweep();
  const runDirectory = await openRunDirectory({ privateMounts, path, sizeMib: 2048 });
  const jail = await createJail({
    host: await detectHost(),
    runDirectory,
    events: createEventLog(() => undefined, Date.now),
    ...overrides,
  });
  return {
    ...jail,
    async close() {
      await jail.close();
      if (privateMounts) await rmdir(path);
    },
  };
}

async function sweep(): Promise<void> {
  for (const name of await readdir('/run')) {
    if (!isLeftOver(name)) continue;
    await runTool('umount', ['--lazy', '--recursive', join('/run', name)]).catch(() => undefined);
    await rmdir(join('/run', name));
  }
}

/** Programs for tests; a worker sees none of them. */
export const PROGRAMS: readonly JailBind[] = [
  { source: '/usr/bin', target: '/usr/bin' },
  { source: '/bin', target: '/bin' },
];

export const LIMITS: JailLimits = { memoryMib: 128, tasks: 32, cpuPercent: 100, tmpMib: 16 };

/** `read line <&3` waits for the host: it ends when the test writes to or closes the control socket. */
export function startShell(jail: Jail, script: string, more: Partial<JailSpec> = {}): Promise<JailedProcess> {
  return startTool(jail, ['/bin/sh', '-c', script], more);
}

export function startPython(
  jail: Jail,
  script: string,
  more: Partial<JailSpec> = {},
): Promise<JailedProcess> {
  return startTool(jail, ['/usr/bin/python3', '-c', script], more);
}

function startTool(jail: Jail, argv: string[], more: Partial<JailSpec>): Promise<JailedProcess> {
  return jail.start({ argv, env: {}, binds: PROGRAMS, limits: LIMITS, ...more });
}

export interface Ended extends JailExit {
  readonly stdout: string;
  readonly stderr: string;
}

export async function finish(starting: JailedProcess | Promise<JailedProcess>): Promise<Ended> {
  const process = await starting;
  const [stdout, stderr, exit] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.exited,
  ]);
  return { ...exit, stdout, stderr };
}

/** Pids of all processes of this host with this real uid; dead ones that init did not collect yet do not count. */
export function processesOf(uid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return status.includes(`\nUid:\t${uid}\t`) && !/^State:\s+[ZX]/m.test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}
