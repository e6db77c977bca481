import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** What the kernel says of the platform's processes. */

let ticksPerSecond: number | undefined;

/** User and system time of all threads since the start. */
export function cpuSeconds(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Field 2 may hold blanks; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** What the process has started and still lives. */
function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** The only child of this process that runs the program of that name. */
export function onlyChildThatRuns(program: string): number {
  const children = childrenOf(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program),
  );
  const [child] = children;
  if (child === undefined || children.length > 1)
    throw new Error(`${children.length} children run ${program}, expected 1`);
  return child;
}

/** The same of everything that the process has started and that still lives: the instances, for the server. */
export function childrenCpuSeconds(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child) + childrenCpuSeconds(child), 0);
}

export function residentMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/**
 * The sealed socket of the only instance that runs, as seen from outside of the server's private mounts: what
 * the gateway itself talks to.
 */
export function onlyInstanceSocket(serverPid: number): string {
  const jails = `/proc/${serverPid}/root/run/jellyfaas/jails`;
  const sockets = readdirSync(jails)
    .map((jail) => `${jails}/${jail}/sealed/http.sock`)
    .filter((socket) => existsSync(socket));
  const [socket] = sockets;
  if (socket === undefined || sockets.length > 1) throw new Error(`${sockets.length} instances, expected 1`);
  return socket;
}
