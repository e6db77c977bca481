import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** Descriptors up to here are replaced in every jail: standard streams, control socket and two inputs. */
const LAST_REPLACED = 5;
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Open descriptors that children would inherit. Node opens all of its own close-on-exec, so these are what
 * whoever started this process left open, and a jail must not have them.
 */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > LAST_REPLACED && isInheritable(fd));
}

/** Only for the very start of a process, before anything can have come to rely on one of them. */
export function closeInheritedDescriptors(): void {
  for (const fd of inheritedDescriptors()) closeSync(fd);
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The descriptor with which the directory itself was read.
    return false;
  }
}
