import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createModelFiles, type PullRequest } from './model-files.ts';
import type { PullProgress } from './pull-file.ts';

const BYTES = randomBytes(600_000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let directory: string;
let server: Server;
let answer: RequestListener;
const ranges: (string | undefined)[] = [];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'models-')), 'models');
  ranges.length = 0;
  server = createServer((req, res) => {
    ranges.push(req.headers.range);
    answer(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await rm(join(directory, '..'), { recursive: true });
});

const url = (): URL => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/model`);

async function pull(
  more: Partial<PullRequest> = {},
  files = createModelFiles({ directory }),
): Promise<PullProgress[]> {
  const request = {
    name: 'small',
    url: url(),
    sha256: SHA256,
    signal: new AbortController().signal,
    ...more,
  };
  const seen: PullProgress[] = [];
  for await (const progress of files.pull(request)) seen.push(progress);
  return seen;
}

/** A place that knows ranges; the first answer breaks off after `breakAfter` bytes. */
function ranged(breakAfter = Infinity): RequestListener {
  let isFirst = true;
  return (req, res) => {
    const from = Number(/\d+/.exec(req.headers.range ?? '')?.[0] ?? 0);
    const rest = BYTES.subarray(from);
    res.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` }),
    });
    if (isFirst && breakAfter < rest.length) res.write(rest.subarray(0, breakAfter), () => res.destroy());
    else res.end(rest);
    isFirst = false;
  };
}

test('a pulled model is there under its name, byte for byte', async () => {
  answer = ranged();
  const seen = await pull();
  expect(seen.at(-1)).toEqual({ name: 'small', bytes: BYTES.length, totalBytes: BYTES.length });
  const files = createModelFiles({ directory });
  expect(await files.list()).toEqual([{ name: 'small', bytes: BYTES.length }]);
  expect(await readFile((await files.find('small')) ?? '')).toEqual(BYTES);
  expect(await files.find('other')).toBeUndefined();
});

test('a pull that broke off goes on where it stopped', async () => {
  answer = ranged(200_000);
  await expect(pull()).rejects.toMatchObject({ code: 'models.pull_interrupted' });
  expect(await createModelFiles({ directory }).list()).toEqual([]);
  const seen = await pull();
  expect(seen[0]?.bytes).toBeGreaterThan(0);
  expect(ranges[1]).toBe(`bytes=${seen[0]?.bytes}-`);
  expect(await readFile(join(directory, 'small.gguf'))).toEqual(BYTES);
});

test('a place that knows no ranges is read from the start', async () => {
  answer = ranged(200_000);
  await expect(pull()).rejects.toMatchObject({ code: 'models.pull_interrupted' });
  answer = (_, res) => void res.end(BYTES);
  await pull();
  expect(await readFile(join(directory, 'small.gguf'))).toEqual(BYTES);
});

test('a file with another checksum is never given the name, and removed', async () => {
  answer = (_, res) => void res.end('something else');
  await expect(pull()).rejects.toMatchObject({ code: 'models.pull_checksum' });
  expect(await readdir(directory)).toEqual([]);
});

test('a file that is too large is refused, told or not', async () => {
  const files = createModelFiles({ directory, bytesMax: 1000 });
  answer = ranged();
  await expect(pull({}, files)).rejects.toMatchObject({ code: 'models.pull_too_large' });
  answer = (_, res) => {
    res.write(BYTES.subarray(0, 5000));
    res.end();
  };
  await expect(pull({ name: 'untold' }, files)).rejects.toMatchObject({ code: 'models.pull_too_large' });
});

test('a pull that is cancelled keeps what it has', async () => {
  answer = (_, res) =>
    void res.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 1000));
  const cancelling = new AbortController();
  const pulling = createModelFiles({ directory }).pull({
    name: 'small',
    url: url(),
    sha256: SHA256,
    signal: cancelling.signal,
  });
  const reader = pulling[Symbol.asyncIterator]();
  await reader.next();
  cancelling.abort();
  await expect(reader.next()).rejects.toMatchObject({ code: 'models.pull_cancelled' });
  expect(await readdir(directory)).toEqual(['small.gguf.part']);
});

test('one model is pulled once at a time', async () => {
  answer = ranged();
  const files = createModelFiles({ directory });
  const [first, second] = await Promise.allSettled([pull({}, files), pull({}, files)]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ reason: { code: 'models.pull_running' } });
});

test('a model is taken from a file of this machine', async () => {
  const path = join(directory, '..', 'given.gguf');
  await writeFile(path, BYTES);
  await pull({ url: pathToFileURL(path) });
  expect(await readFile(join(directory, 'small.gguf'))).toEqual(BYTES);
  await expect(pull({ name: 'b', url: pathToFileURL(`${path}x`) })).rejects.toMatchObject({
    code: 'models.pull_refused',
  });
});

test.each(['../x', '', 'A', '.hidden', 'a/b', 'x'.repeat(65)])(
  'no name leads out of the directory: %j',
  async (name) => {
    await expect(pull({ name })).rejects.toMatchObject({ code: 'models.pull_name' });
  },
);

test('nothing is fetched in the clear from other machines, and a refusal is told with its status', async () => {
  await expect(pull({ url: new URL('http://models.example/a') })).rejects.toMatchObject({
    code: 'models.pull_insecure',
  });
  answer = (_, res) => void res.writeHead(404).end();
  await expect(pull()).rejects.toMatchObject({ code: 'models.pull_refused' });
});
