#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The command is TypeScript, which Node runs from version 24 on. An older one that happens to be first in the
 * PATH hands over to the Node that the workspace pins.
 */
const [major] = process.versions.node.split('.').map(Number);

if (major >= 24) {
  await import('./main.ts');
} else {
  const pinnedNode = join(
    dirname(createRequire(import.meta.url).resolve('node/package.json')),
    'bin',
    'node',
  );
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const command = spawn(pinnedNode, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; the command decides how to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => command.kill(signal));
  command.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
