import { spawnSync } from 'node:child_process';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { openRunDirectory, type RunDirectory, type RunDirectoryOptions } from './run-directory.ts';

/** Says in argv that the process is already inside; argv, because the environment would reach children. */
const INSIDE_FLAG = '--inside-private-mounts';

export interface PrivateMountsOptions extends Omit<RunDirectoryOptions, 'privateMounts'> {
  /** Arguments for Node itself that this process gets when it replaces itself. */
  readonly nodeArguments?: readonly string[];
}

/**
 * The first thing that `main.ts` does: it also closes descriptors that the starter left open. As root it replaces this process by itself (same pid) in a mount
 * namespace of its own and so returns only inside of it; where that is not possible it returns a run directory
 * that says so among its limitations.
 */
export function enterPrivateMounts({
  nodeArguments = [],
  ...options
}: PrivateMountsOptions = {}): Promise<RunDirectory> {
  closeInheritedDescriptors();
  const inside = process.argv.includes(INSIDE_FLAG);
  if (!inside && process.getuid?.() === 0 && mayUnshare()) reexecInside(nodeArguments);
  return openRunDirectory({ ...options, privateMounts: inside });
}

/** The arguments of the program itself, without the mark that `enterPrivateMounts` leaves among them. */
export function programArguments(): string[] {
  return process.argv.slice(2).filter((argument) => argument !== INSIDE_FLAG);
}

const UNSHARE = ['--mount', '--propagation', 'private', '--'] as const;

function mayUnshare(): boolean {
  return process.execve !== undefined && spawnSync('unshare', [...UNSHARE, 'true']).status === 0;
}

function reexecInside(nodeArguments: readonly string[]): never {
  const [, ...program] = process.argv;
  const command = [process.execPath, ...process.execArgv, ...nodeArguments, ...program, INSIDE_FLAG];
  // A crash must not write to disk what calls held.
  const withoutCore = ['prlimit', '--core=0:0'];
  process.execve?.('/usr/bin/env', ['env', ...withoutCore, 'unshare', ...UNSHARE, ...command]);
  throw new Error('execve returned');
}
