import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  SANDBOX_PROGRAMS,
  ensureDependencies,
  ensureSystemPackages,
  pinnedNode,
  root,
} from './bootstrap.mjs';
import { ensureWeb } from './build-web.mjs';

/**
 * `npm start`: installs what is missing, then runs the server on the pinned Node and ends as it ends. The npm script
 * says `exec`, or a signal to npm would end the shell between and never arrive here.
 */
ensureDependencies();
try {
  ensureWeb();
} catch (error) {
  // Everything else works without the portal; it says itself that it was not built.
  process.stderr.write(`${error.message}\n`);
}
if (!process.argv.includes('--unsafe-no-sandbox')) ensureSystemPackages(SANDBOX_PROGRAMS, { required: true });

const server = spawn(pinnedNode, [join(root, 'server', 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
