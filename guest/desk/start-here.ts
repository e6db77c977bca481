import { spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import type { JailExit, JailSpec, JailedProcess } from '../../server/sandbox/jail.ts';

type Part = Pick<JailedProcess, 'control' | 'stdout' | 'stderr' | 'exited' | 'kill'>;

/** Starts what would have a jail of its own in the one where this runs: it has no more than one caller's content. */
export async function startHere({ argv, env }: JailSpec): Promise<JailedProcess> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let isKilled = false;
  const exited = new Promise<JailExit>((resolve) => {
    child.once('error', () => resolve({ reason: 'exit', code: null }));
    child.once('exit', (code, signal) => {
      const reason = isKilled ? 'killed' : signal === null ? 'exit' : 'signal';
      resolve({ reason, code });
    });
  });
  const part: Part = {
    control: child.stdio[3] as Duplex,
    stdout: child.stdio[1] as Readable,
    stderr: child.stdio[2] as Readable,
    exited,
    kill() {
      isKilled = true;
      child.kill('SIGKILL');
      return exited;
    },
  };
  return part as JailedProcess;
}
