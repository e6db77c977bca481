import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuildFailure, type BuiltFunction } from './language.ts';
import { createPythonLanguage } from './python.ts';
import { findPython } from './python-toolchain.ts';
import type { PreparableLanguage } from './shared-base.ts';
import { buildRequest, openTestToolbox, sourceOf, startWorker, templateSource } from './testing.ts';
import type { TestToolbox, TestWorker } from './testing.ts';

const RUNTIME = 'python312';
const FUNCTION = 'import functions_framework\n@functions_framework.http\ndef main(request):\n';

let toolbox: TestToolbox;
let python: PreparableLanguage;

beforeAll(async () => {
  toolbox = await openTestToolbox();
  python = await createPythonLanguage(toolbox);
});

afterAll(() => toolbox.close());

function build(files: Readonly<Record<string, string>>): Promise<BuiltFunction> {
  return python.build(buildRequest(RUNTIME, sourceOf(files)));
}

async function claimed(code: string, entrypoint = 'main'): Promise<TestWorker> {
  const built = await build({ 'main.py': code });
  const worker = await startWorker(toolbox, python, { runtime: RUNTIME, built });
  expect(await worker.claim(built, entrypoint)).toEqual({ t: 'ready' });
  return worker;
}

test('the template builds, claims and serves', async () => {
  const built = await python.build(buildRequest(RUNTIME, await templateSource(RUNTIME)));
  expect(built.runtimeDetail).toMatch(/^CPython 3\.\d+\.\d+$/);
  const worker = await startWorker(toolbox, python, { runtime: RUNTIME, built });
  expect(await worker.claim(built, 'example')).toEqual({ t: 'ready' });
  const answer = await worker.get('/?name=foo');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { greeting: 'hello, foo!' }]);
  expect(await worker.get('/')).toMatchObject({ status: 400 });
  expect((await worker.process.kill()).reason).toBe('killed');
});

test('a function streams its answer and reads its body', async () => {
  const worker = await claimed(
    `${FUNCTION}    data = request.get_data()\n    return (bytes([b]) for b in data)\n`,
  );
  const answer = await worker.send('PUT', '/a/b', 'streamed', 'text/plain');
  expect(answer).toMatchObject({ body: 'streamed', headers: { 'transfer-encoding': 'chunked' } });
  await worker.process.kill();
});

test('a function sees nothing that the host has installed for its own Python', async () => {
  const code = 'import sys\n' + FUNCTION + '    return [p for p in sys.path if "packages" in p]\n';
  const worker = await claimed(code);
  expect(JSON.parse((await worker.get('/')).body)).toEqual(['/opt/python-packages']);
  await worker.process.kill();
});

test('the instance ends when the process that serves it dies', async () => {
  const worker = await claimed(`import os\n${FUNCTION}    os._exit(7)\n`);
  await expect(worker.get('/')).rejects.toThrow();
  expect((await worker.process.exited).reason).toBe('exit');
});

test('a function reaches allowed hosts through the egress proxy, and no others', async () => {
  const server = createServer((req, res) => res.end(`hello ${req.url}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  const host = `127.0.0.2:${(server.address() as AddressInfo).port}`;
  const built = await build({
    'main.py':
      'import urllib.request, urllib.error\n' +
      FUNCTION +
      '    try:\n        return urllib.request.urlopen(request.args["url"]).read()\n' +
      '    except urllib.error.HTTPError as error:\n        return str(error.code)\n',
  });
  const egress = { kind: 'trusted', hosts: [host] } as const;
  const worker = await startWorker(toolbox, python, { runtime: RUNTIME, built, egress });
  expect(await worker.claim(built, 'main', true)).toEqual({ t: 'ready' });
  expect((await worker.get(`/?url=http://${host}/a`)).body).toBe('hello /a');
  expect((await worker.get('/?url=http://127.0.0.3:8999/a')).body).toBe('403');
  await worker.process.kill();
  server.close();
});

describe('what cannot be loaded is told in the words of the fault', () => {
  test.each([
    ['a syntax error', { 'main.py': 'def main(:' }, /^SyntaxError: [^]*\nat \/app\/main\.py:1$/],
    [
      'an exception',
      { 'main.py': '\nraise ValueError("no luck")' },
      /^ValueError: no luck\nat \/app\/main\.py:2$/,
    ],
    ['an exit', { 'main.py': 'import sys; sys.exit(0)' }, /^SystemExit: 0/],
    ['a missing package', { 'main.py': 'import not_there' }, /No module named 'not_there'/],
    [
      'a wrong entrypoint',
      { 'main.py': 'def other(request): pass' },
      /function named 'main'. Found: 'other'/,
    ],
    ['no main.py', { 'app.py': '' }, /main\.py/],
  ])('%s', async (_what, files, message) => {
    const built = await build(files as Record<string, string>);
    const worker = await startWorker(toolbox, python, { runtime: RUNTIME, built });
    expect(await worker.claim(built, 'main')).toEqual({
      t: 'failed',
      message: expect.stringMatching(message),
    });
    await worker.process.kill();
  });
});

describe('the dependency step', () => {
  test('tells the pip error of a package that does not exist', async () => {
    const name = 'jellyfaas-package-that-does-not-exist';
    const failure: unknown = await build({ 'requirements.txt': name }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildFailure);
    expect((failure as BuildFailure).message).toContain(`No matching distribution found for ${name}`);
  });

  test('honours hashes and brings the framework along', async () => {
    const requirement = await hashed('six==1.16.0');
    const built = await build({ 'requirements.txt': requirement });
    const layer = toolbox.layers.path(built.layer!);
    expect(existsSync(join(layer, 'six-1.16.0.dist-info'))).toBe(true);
    expect(existsSync(join(layer, 'functions_framework'))).toBe(true);
    const forged = requirement.replace(/sha256:[0-9a-f]{8}/, 'sha256:00000000');
    await expect(build({ 'requirements.txt': forged })).rejects.toThrow('DO NOT MATCH THE HASHES');
  });

  test('gives the same layer for the same packages, wherever they are installed', async () => {
    const first = await build({});
    const elsewhere = await openTestToolbox();
    try {
      const again = await createPythonLanguage(elsewhere);
      expect((await again.build(buildRequest(RUNTIME, sourceOf({})))).layer).toBe(first.layer);
    } finally {
      await elsewhere.close();
    }
  });

  test('is not given the code, so a requirement by path is not found', async () => {
    const attempt = build({ 'requirements.txt': './mine', 'mine/setup.py': 'open("/work/packages/x", "w")' });
    await expect(attempt).rejects.toThrow(BuildFailure);
  });
});

/** A requirement with the hash that pip itself computes for its wheel. */
async function hashed(requirement: string): Promise<string> {
  const found = await findPython();
  const report = ['--dry-run', '--ignore-installed', '--quiet', '--report', '-', '--break-system-packages'];
  const pip = ['-m', 'pip', 'install', '--no-deps', ...report, requirement];
  const { stdout } = await promisify(execFile)(found!.executable, pip);
  const { install: entries } = JSON.parse(stdout) as PipReport;
  return `${requirement} --hash=sha256:${entries[0]?.download_info.archive_info.hashes.sha256}`;
}

interface PipReport {
  readonly install: readonly { download_info: { archive_info: { hashes: { sha256: string } } } }[];
}
