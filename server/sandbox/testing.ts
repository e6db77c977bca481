import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createEventLog } from '../kernel/events.ts';
import { createJail, type JailOptions } from './bubblewrap-jail.ts';
import { detectHost } from './host.ts';
import { instanceName, isLeftOver } from './instance-name.ts';
import type { Jail } from './jail.ts';
import { openRunDirectory } from './run-directory.ts';
import { runTool } from './run-tool.ts';

let opened = 0;

/**
 * A real jail for system tests. As root it mounts its RAM file system in the host's own mount namespace (a test
 * runner cannot replace its process), so `close` must run; what a killed run left is removed by the next one.
 */
export async function openTestJail(overrides: Partial<JailOptions> = {}): Promise<Jail> {
  const privateMounts = process.getuid?.() === 0;
  const path = join('/run', `${instanceName()}-${opened++}`);
  if (privateMounts) await sweep();
  const runDirectory = await openRunDirectory({ privateMounts, path, sizeMib: 2048 });
  const jail = await createJail({
    host: await detectHost(),
    runDirectory,
    events: createEventLog(() => undefined, Date.now),
    ...overrides,
  });
  return {
    ...jail,
    async close() {
      await jail.close();
      if (privateMounts) await rmdir(path);
    },
  };
}

async function sweep(): Promise<void> {
  for (const name of await readdir('/run')) {
    if (!isLeftOver(name)) continue;
    await runTool('umount', ['--lazy', '--recursive', join('/run', name)]).catch(() => undefined);
    await rmdir(join('/run', name));
  }
}
