import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processTree } from './harness/sweep.ts';

/** Internet addresses, `<address>:<port>`, that a process and its descendants turn to while `work` runs (strace). */
export async function connectionsDuring(pid: number, work: () => Promise<void>): Promise<Set<string>> {
  const directory = mkdtempSync(join(tmpdir(), 'connections-'));
  const file = join(directory, 'trace');
  const tree = processTree(pid);
  const strace = spawn(
    'strace',
    ['-f', '-qq', '-e', 'trace=connect,sendto', '-e', 'signal=none', '-o', file, `-p${tree.join(',')}`],
    { stdio: 'ignore' },
  );
  try {
    while (!tree.every(isTraced)) {
      if (strace.exitCode !== null) throw new Error(`strace ended with ${strace.exitCode}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    await work();
    strace.kill('SIGINT');
    await once(strace, 'exit');
    const text = readFileSync(file, 'utf8');
    const named = text.matchAll(/sin6?_port=htons\((\d+)\).*?inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"/g);
    return new Set([...named].map(([, port, address]) => `${address}:${port}`));
  } finally {
    strace.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
}

function isTraced(pid: number): boolean {
  try {
    return !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // It has ended in the meantime.
    return true;
  }
}
