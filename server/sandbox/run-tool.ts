import { spawn } from 'node:child_process';
import { PlatformError } from '../kernel/errors.ts';

const TOOL_DEADLINE_MS = 10_000;
const OUTPUT_LIMIT = 4096;

/**
 * Runs one of the host's own programs (mount, umount, …) without a shell and waits for its end. Rejects with
 * `sandbox.tool_failed` when it is missing, fails or takes longer than ten seconds.
 */
export async function runTool(file: string, args: readonly string[]): Promise<void> {
  const child = spawn(file, args, {
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TOOL_DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(0, OUTPUT_LIMIT);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  }).catch((error: unknown) => {
    throw toolFailed(file, 'could not be started', error);
  });
  if (code !== 0) throw toolFailed(file, complaint.trim() || `ended with ${code ?? 'a signal'}`);
}

function toolFailed(file: string, what: string, cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'sandbox.tool_failed',
    message: `The sandbox needs the program ${file} of the host, which failed: ${what}.`,
    cause,
  });
}
