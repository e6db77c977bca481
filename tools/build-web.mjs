import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pinnedNode = join(root, 'node_modules', 'node', 'bin', 'node');
const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');

/** What `dist` is made of, beside the locked packages, and by what. */
const WEB = [
  {
    path: 'web/portal',
    build: (outDir) => [vite, 'build', '--outDir', outDir, '--emptyOutDir'],
    inputs: [
      'src',
      'public',
      'index.html',
      'vite.config.ts',
      '../widget/src',
      '../../contract',
      '../../clients/sdk/src',
    ],
  },
  {
    path: 'web/widget',
    build: (outDir) => ['build.ts', outDir],
    inputs: ['src', 'build.ts', 'package.json', '../../contract/aimee-widget.ts'],
    // Pages pin a file by name and hash; an upgrade must not take it from them.
    kept: /^aimee-.*\.js$/,
  },
];

/** Builds what browsers get, unless these very sources were built before. Throws when a build fails. */
export function ensureWeb() {
  for (const { path, build, inputs, kept } of WEB) {
    const directory = join(root, path);
    const dist = join(directory, 'dist');
    const stamp = join(dist, '.built-from');
    const digest = digestOf([
      join(root, 'package-lock.json'),
      ...inputs.map((name) => join(directory, name)),
    ]);
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) continue;
    process.stderr.write(`Building ${path} …\n`);
    // Aside first: a server that runs, or a second build, never sees half of it.
    const aside = join(root, '.tmp', `${path.replaceAll('/', '-')}.${process.pid}`);
    const { status, stderr } = spawnSync(pinnedNode, build(aside), {
      cwd: directory,
      encoding: 'utf8',
      // Test runners set another, with which packages bring along what is for development.
      env: { ...process.env, NODE_ENV: 'production' },
    });
    if (status !== 0) throw new Error(`${path} could not be built:\n${stderr}`);
    writeFileSync(join(aside, '.built-from'), digest);
    for (const file of kept !== undefined && existsSync(dist) ? readdirSync(dist) : [])
      if (kept.test(file)) cpSync(join(dist, file), join(aside, file));
    rmSync(dist, { recursive: true, force: true });
    renameSync(aside, dist);
  }
}

function digestOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesOf(path)) hash.update(`${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
