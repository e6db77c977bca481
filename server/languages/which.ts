import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/** The real path of a program on the server's PATH, undefined when there is none. */
export function which(program: string): string | undefined {
  try {
    const found = execFileSync('/bin/sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' });
    return realpathSync(found.trim());
  } catch {
    return undefined;
  }
}
