import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { release } from 'node:os';
import { PlatformError } from '../kernel/errors.ts';
import { findCgroupTree, type CgroupTree } from './cgroups.ts';
import type { Limitation } from './jail.ts';

/** What this host offers for jails, found out once at start-up. */
export interface SandboxHost {
  readonly isRoot: boolean;
  /** `x86_64` or `aarch64`: the machines that the system call filter is written for. */
  readonly machine: 'x86_64' | 'aarch64';
  readonly kernel: string;
  readonly bwrap: string;
  readonly setpriv: string;
  readonly prlimit: string;
  readonly cgroups: CgroupTree;
  /**
   * 1 stops core dumps for sure: the kernel does not even start a dump handler then, while 0 leaves that to the
   * handler. Where the hard limit is already 0 it stays so.
   */
  readonly coreLimit: 0 | 1;
  readonly limitations: readonly Limitation[];
}

/**
 * Rejects with `sandbox.missing` when a needed program is not installed, and `sandbox.unsupported_machine` on
 * processors without a system call filter.
 */
export async function detectHost(): Promise<SandboxHost> {
  const machine = ({ x64: 'x86_64', arm64: 'aarch64' } as const)[process.arch as 'x64' | 'arm64'];
  if (process.platform !== 'linux' || machine === undefined) throw unsupportedMachine();
  const [bwrap, setpriv, prlimit, cgroups, coreHard, corePattern] = await Promise.all([
    findProgram('bwrap', 'bubblewrap'),
    findProgram('setpriv', 'util-linux'),
    findProgram('prlimit', 'util-linux'),
    findCgroupTree(),
    hardCoreLimit(),
    readFile('/proc/sys/kernel/core_pattern', 'utf8').catch(() => ''),
  ]);
  const isRoot = process.getuid?.() === 0;
  const coreLimit = coreHard === 0 ? 0 : 1;
  const limitations = [
    ...rootLimitations(isRoot),
    ...cgroupLimitations(cgroups),
    ...(coreLimit === 0 && corePattern.startsWith('|') ? [CORE_HANDLER] : []),
  ];
  return { isRoot, machine, kernel: release(), bwrap, setpriv, prlimit, cgroups, coreLimit, limitations };
}

const CORE_HANDLER: Limitation = {
  code: 'core-handler',
  message:
    'The host pipes core dumps to a program and only that program can refuse them: set kernel.core_pattern=core.',
};

const SEARCH_PATH = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** Where the program is, or `sandbox.missing`. The operator's PATH is not asked: it may lead anywhere. */
export async function findProgram(name: string, debianPackage: string): Promise<string> {
  for (const directory of SEARCH_PATH) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.missing',
    message: `${name} is not installed, and functions do not run without a sandbox. Install it (apt-get install ${debianPackage}), or start with --unsafe-no-sandbox to run all code unprotected.`,
  });
}

function unsupportedMachine(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    owner: 'platform',
    code: 'sandbox.unsupported_machine',
    message:
      'The sandbox needs Linux on x86_64 or aarch64. Start with --unsafe-no-sandbox to run all code unprotected.',
  });
}

async function hardCoreLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = /^Max core file size\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? '0';
  return hard === 'unlimited' ? Infinity : Number(hard);
}

function rootLimitations(isRoot: boolean): Limitation[] {
  if (isRoot) return [];
  return [
    {
      code: 'shared-uid',
      message:
        'The server is not root, so all jails run under its own user id, kept apart by namespaces alone.',
    },
  ];
}

function cgroupLimitations({ parents }: CgroupTree): Limitation[] {
  const missing: Limitation[] = [];
  if (!parents.has('memory')) {
    missing.push({
      code: 'no-cgroup-memory',
      message:
        'No memory control group: memory is limited for each process only, and running out looks like a crash.',
    });
  }
  if (!parents.has('pids')) {
    missing.push({
      code: 'no-cgroup-pids',
      message:
        'No pids control group: the number of processes is limited by user id, and not at all without root.',
    });
  }
  if (!parents.has('cpu')) {
    missing.push({ code: 'no-cgroup-cpu', message: 'No cpu control group: a function may use every core.' });
  }
  return missing;
}
