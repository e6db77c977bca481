import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What `npm start` and `npm test` do before anything else, on whatever Node (>= 20) the machine has: install the
 * pinned dependencies and the system packages that are missing. Plain JavaScript without dependencies, because
 * nothing is installed yet when it runs.
 */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The pinned Node that everything else runs on. */
export const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');

/** Directories with a lock file of their own; why each lies apart is said in its package.json. */
const PROJECTS = [
  { path: '.', name: 'platform' },
  { path: 'guest/runtimes', name: 'Node runtimes' },
  // Its optional packages are builds for graphics cards, 700 MB; the one for processors is a project of its own.
  // Everything but the embedded model works without it.
  { path: 'guest/model', name: 'model engine', flags: ['--omit=optional'], optional: true },
  { path: 'guest/model/native', name: "model engine's binary", optional: true },
  // Its optional package draws pages; what else is not needed is for browsers.
  {
    path: 'guest/documents',
    name: 'document reader',
    flags: ['--omit=optional'],
    unneeded: ['build', 'image_decoders', 'wasm', 'web'].map((part) => `pdfjs-dist/${part}`),
  },
  { path: 'guest/sql', name: 'drivers of outside databases' },
  // Its package holds the binaries of every platform, 290 MB; jails run on Linux only.
  {
    path: 'guest/embeddings',
    name: 'embedding engine',
    unneeded: ['onnxruntime-node/bin/napi-v6/darwin', 'onnxruntime-node/bin/napi-v6/win32'],
    optional: true,
  },
];

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error?.code === 'ENOENT') return 127;
  return result.status ?? 1;
}

function fail(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

/** Installs what the lock files name, unless this very lock was installed before. */
export function ensureDependencies() {
  for (const { path, name, flags = [], unneeded = [], optional = false } of PROJECTS) {
    const directory = join(root, path);
    const digest = createHash('sha256')
      .update(readFileSync(join(directory, 'package-lock.json')))
      .digest('hex');
    const stamp = join(directory, 'node_modules', '.installed-lock');
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) continue;
    process.stderr.write(`Installing dependencies (${name}) …\n`);
    // Install scripts stay off: native packages bring their binaries, and a stray compile needs a toolchain.
    // `install --no-save` keeps to the lock file; `ci` would insist on binaries for platforms that a registry lacks.
    if (
      run(
        'npm',
        ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...flags],
        {
          cwd: directory,
        },
      ) !== 0
    ) {
      if (optional) {
        process.stderr.write(`The ${name} could not be installed; the platform runs without it.\n`);
        continue;
      }
      fail(
        `npm could not install the dependencies of ${path}. Check the network and npm's registry setting, then try again.`,
      );
    }
    // The pinned Node is the exception: its script unpacks the binary for this machine.
    if (path === '.' && run('npm', ['rebuild', 'node', '--loglevel=error']) !== 0) {
      fail('npm could not unpack the pinned Node.');
    }
    for (const part of unneeded)
      rmSync(join(directory, 'node_modules', part), { recursive: true, force: true });
    writeFileSync(stamp, digest);
  }
}

function onPath(program) {
  return (process.env.PATH ?? '')
    .split(':')
    .some((directory) => directory !== '' && existsSync(join(directory, program)));
}

/**
 * @param {Record<string, string>} wanted program → Debian package that brings it
 * @param {{ required: boolean }} options missing packages end the process, or are only told
 */
export function ensureSystemPackages(wanted, { required }) {
  const missing = Object.keys(wanted).filter((program) => !onPath(program));
  const packages = [...new Set(missing.map((program) => wanted[program]))];
  if (packages.length === 0) return;
  const hint = `apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    process.stderr.write(`Installing system packages: ${packages.join(', ')} …\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] };
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
  }
  const still = missing.filter((program) => !onPath(program));
  if (still.length === 0) return;
  const message = `Missing on this machine: ${still.join(', ')}. As root: ${hint}`;
  if (required) fail(message);
  else process.stderr.write(`${message}\n`);
}

/** What the sandbox cannot do without. */
export const SANDBOX_PROGRAMS = {
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
};
