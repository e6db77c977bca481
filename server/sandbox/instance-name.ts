import { readFileSync } from 'node:fs';

/**
 * Everything that outlives a `kill -9` (control groups, plain run directories) carries the name of the process
 * that made it, so that a later start can tell what is left over: `jellyfaas-<pid>-<start time in ticks>`.
 */
export const INSTANCE_NAME = `jellyfaas-${process.pid}-${startTicks(process.pid) ?? 0}`;

/** Whether `name` was made by a process that no longer runs. False for anything that is not such a name. */
export function isLeftOver(name: string): boolean {
  const match = /^jellyfaas-(\d+)-(\d+)/.exec(name);
  return match !== null && String(startTicks(Number(match[1])) ?? '') !== match[2];
}

function startTicks(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces; the start time is the 22nd.
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
