import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { sweepCgroups } from './cgroups.ts';
import { detectHost } from './host.ts';
import { finish, openTestJail, processesOf, startPython, startShell } from './testing.ts';

const STAND_IN = fileURLToPath(new URL('fixtures/server-stand-in.ts', import.meta.url));

interface Report {
  readonly pid: number;
  readonly argv: string[];
  readonly env: Record<string, string>;
  readonly uid: number;
  readonly runDirectory: string;
  readonly limitations: string[];
}

let server: ChildProcess | undefined;
afterEach(() => {
  server?.kill('SIGKILL');
});

async function startServer(command: readonly string[], env: Record<string, string> = {}): Promise<Report> {
  const [file = '', ...args] = command;
  server = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(server.stdout ?? server, 'data')) as [Buffer];
  return JSON.parse(String(line)) as Report;
}

/** Polls, because the death of processes that are not our children comes with no event. */
async function untilGone(uid: number): Promise<void> {
  while (processesOf(uid).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the server as root', () => {
  const path = `/run/jellyfaas-test-${process.pid}`;
  afterAll(() => rm(path, { recursive: true, force: true }));

  test('runs in mounts of its own that nobody else sees, under the same pid', async () => {
    const report = await startServer([process.execPath, STAND_IN, path], { MARK: 'kept' });
    expect(report.pid).toBe(server?.pid);
    expect(report.argv).toEqual([path]);
    expect(report.env).toEqual({ MARK: 'kept' });
    expect(report.limitations).toEqual([]);
    expect(readFileSync(`/proc/${report.pid}/mountinfo`, 'utf8')).toContain(` ${path} `);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(` ${path} `);
    expect(readdirSync(path)).toEqual([]);
  });

  test('killed with -9 takes its jails and their files with it, and the next start removes their groups', async () => {
    const { pid, uid } = await startServer([process.execPath, STAND_IN, path]);
    server?.kill('SIGKILL');
    await untilGone(uid);
    expect(existsSync(`${path}/jails`)).toBe(false);
    const { cgroups } = await detectHost();
    const left = (): string[] =>
      [...cgroups.parents.values()]
        .flatMap((parent) => readdirSync(parent))
        .filter((name) => name.startsWith(`jellyfaas-${pid}-`));
    expect(left()).not.toEqual([]);
    // A group is busy until the kernel has buried its last process, of which no event tells.
    do await sweepCgroups(cgroups);
    while (left().length > 0);
    expect(left()).toEqual([]);
  });
});

test('the server as another user jails all the same, and says what is missing', async () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const report = await startServer([...nobody, process.execPath, STAND_IN]);
  expect(report.runDirectory).toMatch(/^\/dev\/shm\/jellyfaas-/);
  expect(report.limitations).toEqual(
    expect.arrayContaining(['shared-uid', 'no-private-mounts', 'no-cgroup-memory']),
  );
  server?.kill('SIGKILL');
  await untilGone(report.uid);
  await rm(report.runDirectory, { recursive: true });
});

test('without control groups memory and processes are still bounded', async () => {
  const host = await detectHost();
  const jail = await openTestJail({ host: { ...host, cgroups: { version: 1, parents: new Map() } } });
  const { stdout } = await finish(
    startPython(jail, 'try: x = bytearray(1 << 30)\nexcept MemoryError: print("no memory")'),
  );
  expect(stdout).toBe('no memory\n');
  const bomb = await startPython(
    jail,
    'import os, time\nwhile True:\n  try: os.fork()\n  except OSError: print("full", flush=True); time.sleep(60)',
  );
  await once(bomb.stdout, 'data');
  expect(processesOf(bomb.uid).length).toBeLessThanOrEqual(32);
  await bomb.kill();
  await untilGone(bomb.uid);
  expect(await finish(startShell(jail, 'echo still here'))).toMatchObject({ stdout: 'still here\n' });
  await jail.close();
});
