import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { which } from './which.ts';

export interface GoToolchain {
  /** Real path of the `go` command. */
  readonly command: string;
  readonly root: string;
  /** For example `1.26.8`. */
  readonly version: string;
}

const DEFAULT_COMMAND = '/usr/local/go/bin/go';
const MINOR_MIN = 22;

/** The first Go of at least 1.22: on the PATH, or where Go's own archive puts it. */
export function findGo(): GoToolchain | undefined {
  const commands = [which('go'), existsSync(DEFAULT_COMMAND) ? DEFAULT_COMMAND : undefined];
  return commands
    .filter((command) => command !== undefined)
    .map(ask)
    .find((go) => go !== undefined && isServed(go.version));
}

export function isServed(version: string): boolean {
  const minor = /^1\.(\d+)/.exec(version)?.[1];
  return minor !== undefined && Number(minor) >= MINOR_MIN;
}

/** Asked in its own directory: no project there can send it to another version of itself. */
function ask(command: string): GoToolchain | undefined {
  try {
    const answer = execFileSync(command, ['env', '-json', 'GOROOT', 'GOVERSION'], {
      cwd: dirname(command),
      encoding: 'utf8',
    });
    const { GOROOT, GOVERSION } = JSON.parse(answer) as { GOROOT: string; GOVERSION: string };
    return { command, root: GOROOT, version: GOVERSION.replace(/^go/, '') };
  } catch {
    return undefined;
  }
}
