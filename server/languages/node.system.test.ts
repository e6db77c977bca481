import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuildFailure, type BuiltFunction, type RuntimeId } from './language.ts';
import { createNodeLanguage } from './node.ts';
import { findNpm } from './node-runtimes.ts';
import { createRegistries, type Registries } from './registries.ts';
import type { PreparableLanguage } from './shared-base.ts';
import { buildRequest, openTestToolbox, sourceOf, startWorker, templateSource } from './testing.ts';
import type { TestToolbox } from './testing.ts';

const RUNTIMES = ['nodejs20', 'nodejs22', 'nodejs24'] as const satisfies RuntimeId[];
const FRAMEWORK = '@google-cloud/functions-framework';

let toolbox: TestToolbox;
let node: PreparableLanguage;
/** Real by default; a test may put a registry of its own in between. */
let npmRegistry: Registries['npm'];

beforeAll(async () => {
  const registries = createRegistries();
  npmRegistry = () => registries.npm();
  toolbox = await openTestToolbox({ ...registries, npm: () => npmRegistry() });
  node = createNodeLanguage(toolbox);
});

afterAll(() => toolbox.close());

function build(
  files: Readonly<Record<string, string>>,
  runtime: RuntimeId = 'nodejs22',
): Promise<BuiltFunction> {
  return node.build(buildRequest(runtime, sourceOf(files)));
}

/** Builds, claims and calls once. */
async function serve(
  files: Readonly<Record<string, string>>,
  entrypoint: string,
  runtime: RuntimeId = 'nodejs22',
) {
  const built = await build(files, runtime);
  const worker = await startWorker(toolbox, node, { runtime, built });
  try {
    const claim = await worker.claim(built, entrypoint);
    return claim.t === 'failed' ? { claim } : { claim, answer: await worker.get('/?name=foo') };
  } finally {
    await worker.process.kill();
  }
}

describe.each(RUNTIMES)('%s', (runtime) => {
  test('builds, claims and serves its template', async () => {
    const built = await node.build(buildRequest(runtime, await templateSource(runtime)));
    const worker = await startWorker(toolbox, node, { runtime, built });
    expect(await worker.claim(built, 'Example')).toEqual({ t: 'ready' });
    expect(await worker.get('/?name=foo')).toMatchObject({ status: 200, body: '{"greeting":"hello, foo!"}' });
    expect(await worker.get('/')).toMatchObject({ status: 400 });
    expect((await worker.process.kill()).reason).toBe('killed');
  });

  test('runs the version of its name', async () => {
    const code = `exports.main = (req, res) => res.send(process.version + ' ' + process.env.K_SERVICE)`;
    const { answer } = await serve({ 'index.js': code }, 'main', runtime);
    expect(answer?.body).toMatch(new RegExp(`^v${runtime.slice(-2)}\\..* function$`));
  });

  test('reaches allowed hosts through the egress proxy, and no others', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tls-'));
    const [key, cert] = ['key', 'cert'].map((name) => join(directory, name)) as [string, string];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=127.0.0.2'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const tls = createTlsServer({ key: await readFile(key), cert: await readFile(cert) });
    await rm(directory, { recursive: true });
    const plain = createServer();
    const ports = await Promise.all([plain, tls].map((server) => listen(server as Server, '127.0.0.2')));
    const addresses = [`http://127.0.0.2:${ports[0]}/a`, `https://127.0.0.2:${ports[1]}/b`];
    const built = await build({ 'index.js': EGRESS_FUNCTION }, runtime);
    const hosts = ports.map((port) => `127.0.0.2:${port}`);
    const worker = await startWorker(toolbox, node, { runtime, built, egress: { kind: 'trusted', hosts } });
    expect(await worker.claim(built, 'main', true)).toEqual({ t: 'ready' });
    const urls = JSON.stringify([...addresses, 'http://127.0.0.3:8999/']);
    const answer = await worker.send('POST', '/', urls, 'application/json');
    expect(JSON.parse(answer.body)).toEqual([
      ['hello /a', 'hello /a'],
      ['hello /b', 'hello /b'],
      [expect.stringContaining('was refused'), expect.stringContaining('was refused')],
    ]);
    await worker.process.kill();
    plain.close();
    tls.close();
  });
});

/** Fetches each address with `fetch` and with http(s).get. */
const EGRESS_FUNCTION = `
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const get = (url) => new Promise((resolve, reject) => {
  require(new URL(url).protocol.replace(':', '')).get(url, (res) => {
    let text = ''; res.on('data', (d) => text += d).on('end', () => resolve(text));
  }).on('error', reject);
});
const say = (error) => String(error.cause?.message ?? error.message);
exports.main = async (req, res) => res.json(await Promise.all(req.body.map((url) => Promise.all([
  fetch(url).then((answer) => answer.text()).catch(say), get(url).catch(say),
]))));
`;

async function listen(server: Server, host: string): Promise<number> {
  server.on('request', (req, res) => res.end(`hello ${req.url}`));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

describe('the author may write', () => {
  test('an ES module that awaits', async () => {
    const files = {
      'package.json': '{"type":"module","main":"lib/main.js"}',
      'lib/main.js': `import functions from '${FRAMEWORK}'; await 1; functions.http('Example', (q, r) => r.send('esm'));`,
    };
    for (const runtime of RUNTIMES) {
      expect(await serve(files, 'Example', runtime)).toMatchObject({ answer: { body: 'esm' } });
    }
  });

  test.each(['^3.4.0', '^4.0.0'])('against framework %s', async (range) => {
    const { answer } = await serve(
      {
        'package.json': JSON.stringify({ dependencies: { [FRAMEWORK]: range } }),
        'function.js': `require('${FRAMEWORK}').http('Example', (q, r) => r.send(q.query.name))`,
      },
      'Example',
    );
    expect(answer).toMatchObject({ status: 200, body: 'foo' });
  });

  test('packages of his own in workspaces, which stay part of the code', async () => {
    const built = await build({
      'package.json': '{"workspaces":["packages/*"],"dependencies":{"mine":"1.0.0"}}',
      'packages/mine/package.json':
        '{"name":"mine","version":"1.0.0","main":"x.js","dependencies":{"ms":"2.0.0"}}',
      'packages/mine/x.js': `module.exports = require('ms')('2 days')`,
      'index.js': `exports.main = (q, r) => r.send(String(require('mine')))`,
    });
    const worker = await startWorker(toolbox, node, { runtime: 'nodejs22', built });
    expect(await worker.claim(built, 'main')).toEqual({ t: 'ready' });
    expect((await worker.get('/')).body).toBe('172800000');
    await worker.process.kill();
    const layer = toolbox.layers.path(built.layer!);
    expect(existsSync(join(layer, 'ms/package.json'))).toBe(true);
    expect(existsSync(join(layer, 'mine/x.js'))).toBe(false);
  });
});

describe('what cannot be loaded is told in the words of the fault', () => {
  test.each([
    ['a syntax error', 'exports.main = (', 'main', /SyntaxError.*\nat \/app\/index\.js:1/],
    [
      'an exception',
      '\nthrow new TypeError("no luck")',
      'main',
      /^TypeError: no luck\nat \/app\/index\.js:2$/,
    ],
    ['a missing package', 'require("not-there")', 'main', /Cannot find module 'not-there'/],
    ['a wrong entrypoint', 'exports.main = 1', 'other', /registers no function "other"/],
  ])('%s', async (_what, code, entrypoint, message) => {
    const { claim } = await serve({ 'index.js': code }, entrypoint);
    expect(claim).toEqual({ t: 'failed', message: expect.stringMatching(message) });
  });
});

describe('the dependency step', () => {
  test('tells the npm error of a package that does not exist', async () => {
    const name = 'jellyfaas-package-that-does-not-exist';
    const lines: string[] = [];
    const source = sourceOf({ 'package.json': JSON.stringify({ dependencies: { [name]: '1' } }) });
    const attempt = node.build(buildRequest('nodejs22', source, { onProgress: (line) => lines.push(line) }));
    const failure: unknown = await attempt.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BuildFailure);
    expect((failure as BuildFailure).message).toContain('E404');
    expect(lines.join('\n')).toContain(name);
  });

  test('installs what the lock file says, not the newest', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lock-'));
    const manifest = {
      dependencies: { [FRAMEWORK]: '^3.4.0', ms: '2.0.0' },
      devDependencies: { 'is-odd': '3.0.1' },
    };
    await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
    const npm = join(findNpm().directory, 'bin/npm-cli.js');
    await promisify(execFile)(process.execPath, [npm, 'install', '--package-lock-only'], { cwd: directory });
    const lock = await readFile(join(directory, 'package-lock.json'), 'utf8');
    await rm(directory, { recursive: true });
    const built = await build({
      'package.json': JSON.stringify(manifest).replace('"2.0.0"', '"^2.0.0"'),
      'package-lock.json': lock.replace('"ms": "2.0.0"', '"ms": "^2.0.0"'),
    });
    const layer = toolbox.layers.path(built.layer!);
    expect(JSON.parse(await readFile(join(layer, 'ms/package.json'), 'utf8'))).toMatchObject({
      version: '2.0.0',
    });
    expect(existsSync(join(layer, 'is-odd'))).toBe(false);
  });

  test('refuses a lock file that does not fit the manifest', async () => {
    const attempt = build({
      'package.json': JSON.stringify({ dependencies: { [FRAMEWORK]: '^3.4.0' } }),
      'package-lock.json': '{"lockfileVersion":3,"packages":{"":{}}}',
    });
    await expect(attempt).rejects.toThrow('npm ci');
  });

  test('honours a lock file that lacks the framework', async () => {
    const built = await build({
      'package.json': '{"dependencies":{"nanoid":"^3.0.0"}}',
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: { '': { dependencies: { nanoid: '^3.0.0' } }, 'node_modules/nanoid': { version: '3.3.1' } },
      }),
    });
    const manifest = await readFile(join(toolbox.layers.path(built.layer!), 'nanoid/package.json'), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ version: '3.3.1' });
  });

  test('runs once for the same dependencies, and two accounts share the tree but not the look-up', async () => {
    const source = sourceOf({ 'package.json': '{"dependencies":{"ms":"2.1.0"}}' });
    const first = await node.build(buildRequest('nodejs22', source));
    const lines: string[] = [];
    const onProgress = (line: string) => void lines.push(line);
    const again = await node.build(buildRequest('nodejs22', source, { onProgress }));
    expect([again.layer, lines]).toEqual([first.layer, ['Dependencies are unchanged.']]);
    const other = buildRequest('nodejs22', source, { accountId: 'acct_other' as never, onProgress });
    expect((await node.build(other)).layer).toBe(first.layer);
    expect(lines[1]).toBe('Installing dependencies.');
  });

  test('ends at once when the build is called off', async () => {
    const controller = new AbortController();
    const source = sourceOf({ 'package.json': '{"dependencies":{"ms":"2.1.1"}}' });
    const onProgress = () => controller.abort(new Error('called off'));
    const request = buildRequest('nodejs22', source, { signal: controller.signal, onProgress });
    await expect(node.build(request)).rejects.toThrow('called off');
  });
});

describe('a hostile install script', () => {
  let registry: Server;
  let canary: Server;
  let ports: number[];

  beforeAll(async () => {
    registry = createServer();
    canary = createServer();
    ports = [await listen(canary, '127.0.0.1')];
  });

  afterAll(() => {
    registry.close();
    canary.close();
  });

  /** A registry that serves two packages, one of them with this install script. */
  async function withInstallScript<T>(script: string, work: () => Promise<T>): Promise<T> {
    const tarballs = new Map([
      ['/evil.tgz', await tarball({ 'package.json': manifest('evil', true), 'attack.cjs': script })],
      ['/good.tgz', await tarball({ 'package.json': manifest(FRAMEWORK, false) })],
    ]);
    registry.removeAllListeners('request');
    registry.on('request', (req, res) => {
      const path = decodeURIComponent(req.url ?? '');
      const base = `http://127.0.0.2:${(registry.address() as AddressInfo).port}`;
      if (tarballs.has(path)) return res.end(tarballs.get(path));
      const isEvil = path === '/evil';
      const version = JSON.parse(manifest(isEvil ? 'evil' : FRAMEWORK, isEvil)) as object;
      const dist = { tarball: `${base}/${isEvil ? 'evil' : 'good'}.tgz` };
      const versions = { '1.0.0': { ...version, hasInstallScript: isEvil, dist } };
      return res.end(JSON.stringify({ 'dist-tags': { latest: '1.0.0' }, versions }));
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.2', resolve));
    const host = `127.0.0.2:${(registry.address() as AddressInfo).port}`;
    const real = npmRegistry;
    npmRegistry = () => Promise.resolve({ hosts: [host], env: { npm_config_registry: `http://${host}/` } });
    try {
      return await work();
    } finally {
      npmRegistry = real;
      await new Promise((resolve) => registry.close(resolve));
    }
  }

  let attacks = 0;

  /** Installs with the script; each time another input, so that no layer is found for it. */
  function attack(script: string): Promise<BuiltFunction> {
    const dependencies = { evil: '1.0.0', [FRAMEWORK]: '1.0.0' };
    const overrides = { unused: `${attacks++}.0.0` };
    const files = { 'package.json': JSON.stringify({ dependencies, overrides }) };
    return withInstallScript(script, () => build(files));
  }

  test('sees nothing of the host, reaches nobody and writes nowhere else', async () => {
    const secret = join(toolbox.layers.path('' as never), 'secret');
    await writeFile(secret, 'of the host');
    const script = ATTACK.replaceAll('SECRET', secret).replaceAll('CANARY', String(ports[0]));
    const built = await attack(script);
    const report = JSON.parse(
      await readFile(join(toolbox.layers.path(built.layer!), 'evil/report.json'), 'utf8'),
    ) as Record<string, string>;
    expect(Object.keys(report).length).toBeGreaterThan(8);
    expect(Object.entries(report).filter(([, outcome]) => !/^E[A-Z]+$|^403$/.test(outcome))).toEqual([]);
  });

  test.each([
    ['a link to a host file', `require('fs').symlinkSync('/etc/passwd', 'link')`],
    [
      'a link in place of the tree',
      `require('fs').rmSync('/work/project/node_modules',{recursive:true});require('fs').symlinkSync('/etc', '/work/project/node_modules')`,
    ],
    ['a pipe', `require('child_process').execSync('mkfifo pipe')`],
  ])('cannot leave %s in a layer', async (_what, script) => {
    await expect(attack(script)).rejects.toThrow(BuildFailure);
  });

  test('that fails, fails the build in its own words', async () => {
    const script = `console.error('evil words'); process.exit(3)`;
    await expect(attack(script)).rejects.toThrow('evil words');
  });
});

function manifest(name: string, hasScript: boolean): string {
  const scripts = hasScript ? { scripts: { postinstall: 'node attack.cjs' } } : {};
  return JSON.stringify({ name, version: '1.0.0', ...scripts });
}

async function tarball(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'tarball-'));
  await mkdir(join(directory, 'package'));
  for (const [path, content] of Object.entries(files))
    await writeFile(join(directory, 'package', path), content);
  const { stdout } = await promisify(execFile)('tar', ['-C', directory, '-czf', '-', 'package'], {
    encoding: 'buffer',
  });
  await rm(directory, { recursive: true });
  return stdout;
}

/** Tries what an install script must not be able to do; each outcome is an error code, or what it got. */
const ATTACK = `
const fs = require('fs'), net = require('net'), http = require('http'), os = require('os');
const report = {};
const attempt = (name, act) => { try { report[name] = String(act() ?? 'done'); } catch (e) { report[name] = e.code ?? e.message; } };
attempt('read a file of the server', () => fs.readFileSync('SECRET'));
attempt('list the home of root', () => fs.readdirSync('/root'));
attempt('read shadow', () => fs.readFileSync('/etc/shadow'));
attempt('write to the root', () => fs.writeFileSync('/x', ''));
attempt('write to etc', () => fs.writeFileSync('/etc/x', ''));
attempt('write to a program', () => fs.writeFileSync('/usr/bin/env', ''));
attempt('write to npm', () => fs.writeFileSync('/opt/jellyfaas/npm/x', ''));
attempt('write to the code', () => fs.writeFileSync('/app/x', ''));
attempt('replace the egress socket', () => fs.unlinkSync('/run/fn/egress.sock'));
const connect = (name, options) => new Promise((resolve) => {
  const socket = net.connect(options, () => { report[name] = 'connected'; socket.destroy(); resolve(); });
  socket.on('error', (e) => { report[name] = e.code ?? e.message; resolve(); });
});
const proxied = (name, path) => new Promise((resolve) => {
  http.get({ host: '127.0.0.1', port: 3128, path }, (res) => { report[name] = String(res.statusCode); res.resume(); resolve(); })
    .on('error', (e) => { report[name] = e.code; resolve(); });
});
Promise.all([
  connect('connect to the host', { port: CANARY, host: '127.0.0.1' }),
  connect('connect to a metadata service', { port: 80, host: '169.254.169.254' }),
  proxied('another port through the proxy', 'http://127.0.0.2:CANARY/'),
  proxied('another host through the proxy', 'http://127.0.0.1:CANARY/'),
]).then(() => fs.writeFileSync('report.json', JSON.stringify(report)));
`;
