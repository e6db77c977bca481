import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { enterPrivateMounts } from './sandbox/mount-namespace.ts';

/**
 * The entry: first replaces this process by itself in private mounts, and only then loads the platform, so that
 * nothing is loaded twice. What Node compiles of it is kept beside the packages: the next start then needs no
 * TypeScript compiler, which takes 30 MiB and a second.
 */
const compileCache = fileURLToPath(new URL('../node_modules/.cache/jellyfaas', import.meta.url));
enableCompileCache(compileCache);
// For the process that replaces this one, from its first file on.
process.env['NODE_COMPILE_CACHE'] = compileCache;
const runDirectory = await enterPrivateMounts({
  userRuntimeDir: process.env['XDG_RUNTIME_DIR'],
  nodeArguments: [
    // What calls leave behind dies young: more room for it makes nothing faster, and stays taken (20 MiB).
    '--max-semi-space-size=4',
    // A signal would open the debugger, through which anybody on the machine reads what calls hold.
    '--disable-sigusr1',
  ],
});
const { start } = await import('./start.ts');
await start({ env: process.env, runDirectory });
