import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { promisify } from 'node:util';
import type { JailBind } from '../sandbox/jail.ts';

/** An installed CPython that functions can run on. */
export interface PythonToolchain {
  /** For example `3.11.2`. */
  readonly version: string;
  /** Host path, all links resolved. */
  readonly executable: string;
  /** Path inside a jail that has `binds`. */
  readonly jailedExecutable: string;
  readonly binds: readonly JailBind[];
  readonly env: Readonly<Record<string, string>>;
}

/** What an interpreter says about itself. */
export interface PythonCandidate {
  readonly version: readonly [number, number, number];
  readonly implementation: string;
  readonly executable: string;
  readonly prefix: string;
  readonly hasPip: boolean;
  /** Whether every user of the host can read it. */
  readonly reachable: boolean;
}

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 10_000;
const RELOCATED = '/opt/python';

/** Every program of the PATH that has the name of an interpreter, one a line. */
const LIST_INTERPRETERS =
  'IFS=:; for d in $PATH; do for n in python3.12 python3.14 python3.13 python3.11 python3; do ' +
  'if [ -x "$d/$n" ]; then echo "$d/$n"; fi; done; done';

const PROBE = `
import importlib.util, json, os, sys
print(json.dumps({
    'version': sys.version_info[:3], 'implementation': sys.implementation.name,
    'executable': os.path.realpath(sys.executable), 'prefix': os.path.realpath(sys.base_prefix),
    'hasPip': importlib.util.find_spec('pip') is not None}))
`;

/** The best interpreter of this host, or undefined when there is none with pip. */
export async function findPython(): Promise<PythonToolchain | undefined> {
  const { stdout } = await run('sh', ['-c', LIST_INTERPRETERS], { cwd: '/' });
  const programs = [...new Set(stdout.split('\n').filter((line) => line !== ''))];
  const probed = await Promise.all(programs.map(probe));
  const best = choosePython(probed.filter((candidate) => candidate !== undefined));
  return best === undefined ? undefined : toolchain(best);
}

async function probe(program: string): Promise<PythonCandidate | undefined> {
  try {
    const { stdout } = await run(program, ['-I', '-c', PROBE], { cwd: '/', timeout: PROBE_TIMEOUT_MS });
    const answer = JSON.parse(stdout) as Omit<PythonCandidate, 'reachable'>;
    await access(answer.executable, constants.X_OK);
    return { ...answer, reachable: await othersMayPass(answer.prefix) };
  } catch {
    // A name without an interpreter behind it, as version managers leave on the PATH.
    return undefined;
  }
}

async function othersMayPass(path: string): Promise<boolean> {
  if (((await lstat(path)).mode & 0o001) === 0) return false;
  return path === '/' || othersMayPass(dirname(path));
}

/**
 * Python 3.12 before all, since the runtime is named after it; else the newest from 3.11 on. An interpreter that
 * everyone can read comes before one in somebody's home, which jails reach through a mount only.
 */
export function choosePython(candidates: readonly PythonCandidate[]): PythonCandidate | undefined {
  const rank = ({ version: [, minor, patch], reachable }: PythonCandidate): number[] => [
    Number(reachable),
    Number(minor === 12),
    minor,
    patch,
  ];
  return candidates
    .filter(({ implementation, hasPip, version: [major, minor] }) => {
      return implementation === 'cpython' && hasPip && major === 3 && minor >= 11;
    })
    .toSorted((a, b) => compare(rank(b), rank(a)))
    .at(0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, i) => value !== b[i]);
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

function toolchain({ version, executable, prefix }: PythonCandidate): PythonToolchain {
  const named = { version: version.join('.'), executable };
  if (prefix === '/usr') {
    // Every jail has /usr/lib, where the rest of this interpreter lies.
    return {
      ...named,
      jailedExecutable: executable,
      binds: [{ source: executable, target: executable }],
      env: {},
    };
  }
  return {
    ...named,
    jailedExecutable: `${RELOCATED}/${relative(prefix, executable)}`,
    binds: [{ source: prefix, target: RELOCATED }],
    env: { LD_LIBRARY_PATH: `${RELOCATED}/lib` },
  };
}
