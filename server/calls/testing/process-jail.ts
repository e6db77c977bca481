import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import type { Jail, JailExit, JailSpec, JailedProcess } from '../../sandbox/jail.ts';
import type { WorkerPlan } from '../../languages/language.ts';

export interface ProcessJail extends Pick<Jail, 'start' | 'close'> {
  /** How many were started, and which still run. */
  readonly started: readonly JailSpec[];
  readonly running: ReadonlySet<JailedProcess>;
}

/**
 * Plain Node processes in place of jails: the same guest protocol and real Unix sockets, no isolation, a start
 * of 40 ms. Exit code 137 stands for the kernel's out-of-memory kill.
 */
export async function createProcessJail(): Promise<ProcessJail> {
  const root = await mkdtemp(join(tmpdir(), 'jf-calls-'));
  const started: JailSpec[] = [];
  const running = new Set<JailedProcess>();
  return {
    started,
    running,
    async start(spec) {
      const app = join(root, String(started.push(spec)));
      await mkdir(app);
      const jailed = launch(spec, app);
      running.add(jailed);
      void jailed.exited.then(() => running.delete(jailed));
      return jailed;
    },
    async close() {
      await Promise.all([...running].map((jailed) => jailed.kill()));
      await rm(root, { recursive: true });
    },
  };
}

function launch(spec: JailSpec, app: string): JailedProcess {
  const socketPath = join(app, 'http.sock');
  const [command = '', ...args] = spec.argv;
  const child = spawn(command, [...args, socketPath, app], {
    env: spec.env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let isKilled = false;
  const exited = new Promise<JailExit>((resolve) => {
    child.once('exit', (code) => resolve({ reason: reasonOf(isKilled, code), code }));
  });
  return {
    uid: 0,
    pid: child.pid ?? 0,
    control: child.stdio[3] as Duplex,
    stdout: child.stdio[1] as Readable,
    stderr: child.stdio[2] as Readable,
    exited,
    async writeApp(tree) {
      for (const [path, { bytes }] of tree) {
        await mkdir(dirname(join(app, path)), { recursive: true });
        await writeFile(join(app, path), bytes);
      }
    },
    sealSocket: async () => socketPath,
    setCpuPercent: async () => undefined,
    kill() {
      isKilled = child.exitCode === null;
      child.kill('SIGKILL');
      return exited;
    },
  };
}

function reasonOf(isKilled: boolean, code: number | null): JailExit['reason'] {
  if (isKilled) return 'killed';
  if (code === 137) return 'oom';
  return code === null ? 'signal' : 'exit';
}

export function nodePlan(changes: Partial<WorkerPlan> = {}): WorkerPlan {
  return {
    argv: [process.execPath, join(import.meta.dirname, 'fixtures/guest.mjs')],
    env: {},
    binds: [],
    preboot: true,
    concurrency: 8,
    memoryMibMin: 64,
    ...changes,
  };
}
