import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type * as Sdk from '@jellyfaas/sdk';
import { type CallingPlatform, greeterFiles, startCallingPlatform } from './calling-platform.ts';
import { type Command, newCommand } from './command.ts';

/** The built package as it is published, against the real platform and a scripted model. */
const root = fileURLToPath(new URL('..', import.meta.url));
const sdkFolder = join(root, 'clients/sdk');
/** Below the package, so that `@jellyfaas/sdk` means the package itself here. */
const scratch = join(sdkFolder, '.tmp');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const NODES = {
  'Node 20': join(root, `guest/runtimes/node_modules/node20-linux-${process.arch}/bin/node`),
  'this Node': process.execPath,
};

let platform: CallingPlatform;
let sdk: typeof Sdk;
let client: Sdk.JellyFaaS;
let command: Command;

beforeAll(async () => {
  execFileSync(bin('tsc'), ['-p', sdkFolder], { stdio: 'pipe' });
  sdk = (await import(join(sdkFolder, 'dist/index.js'))) as typeof Sdk;
  mkdirSync(scratch, { recursive: true });
  platform = await startCallingPlatform(inject('platform').dataDir);
  client = sdk.jellyfaas(platform);
  command = newCommand();
  await command.run(['secret', '--url', platform.url], { input: platform.apiKey });
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  command.remove();
  await platform.stop();
});

/** Runs a program with the platform in its environment; resolves with its output, rejects with its errors. */
async function runProgram(program: string, words: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, words, {
    cwd: scratch,
    env: {
      PATH: process.env['PATH'],
      PYTHONPATH: join(root, 'clients/python'),
      JELLYFAAS_URL: platform.url,
      JELLYFAAS_API_KEY: platform.apiKey,
    },
  });
  child.stdin.end(input);
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]);
  if (child.exitCode !== 0)
    throw new Error(`${program} exited ${child.exitCode}: ${String(out)}${String(err)}`);
  return String(out) + String(err);
}

/** Runs TypeScript on any Node, as somebody does who compiled it. */
async function runSource(node: string, name: string, source: string): Promise<string> {
  const file = join(scratch, `${name}.mjs`);
  writeFileSync(file, stripTypeScriptTypes(source));
  return runProgram(node, [file]);
}

async function errorOf(work: Promise<unknown>): Promise<{ status: number; errorId: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(sdk.JellyFaaSError);
  return error as Sdk.JellyFaaSError;
}

const PRINTED: Record<string, string[]> = {
  'invoke.ts': [
    "{ greeting: 'hello, Ada!' }",
    '{ sum: 6 }',
    '115, 116, 114, 101, 115, 115, 101, 100',
    '404 {"greeting":"hello, Ada!"}',
    '404 function.not_found',
    'TimeoutError',
  ],
  'steps.ts': ["{ greeting: 'hello, Ada!' }", '{ sum: 6 }', 'Two and two is four.', 'It says hello, Ada!'],
  'ask.ts': [
    'Two and two is four.',
    "It says hello, Ada! [ 'tool-call', 'tool-result' ]",
    "calls greeter { name: 'Ada' }",
    'It says hello, Ada!',
  ],
  'vectors.ts': ['completed true', 'The red valve stops the pump.', 'true The red valve stops it. [1] 3'],
  'sealed.ts': [
    "{ greeting: 'hello, Ada!' }",
    '115, 116, 114, 101, 115, 115, 101, 100',
    '404 {"greeting":"hello, Ada!"}',
    'sdk.keys_not_signed',
  ],
  'sql.ts': [
    "[ { customer: 'Ben', total: 30 } ] Ada Ben id,customer,total",
    'There are some orders. SELECT COUNT(*) AS n FROM orders 3',
  ],
};

describe('every example runs', () => {
  it('and none is left out here', () => {
    expect(readdirSync(join(sdkFolder, 'examples')).toSorted()).toEqual(Object.keys(PRINTED).toSorted());
  });

  for (const [title, node] of Object.entries(NODES)) {
    for (const [name, expected] of Object.entries(PRINTED)) {
      it(`${name} on ${title}`, async () => {
        const source = readFileSync(join(sdkFolder, 'examples', name), 'utf8');
        const printed = (await runSource(node, name, source)).replaceAll(/\s+/g, ' ');
        for (const text of expected) expect(printed).toContain(text);
      });
    }
  }
});

describe('docs/calling.md', () => {
  const document = readFileSync(join(root, 'docs/calling.md'), 'utf8');
  const snippets = [...document.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
  const runs: Record<string, (code: string) => Promise<string>> = {
    sh: (code) => runProgram('/bin/sh', ['-eu'], code),
    ts: (code) => runSource(process.execPath, 'snippet', code),
    python: (code) => runProgram('/usr/bin/python3', ['-B', '-'], code),
    js: async (code) => {
      const page = createServer((_, res) => void platform.owner.token().then((token) => res.end(token)));
      await once(page.listen(0, '127.0.0.1'), 'listening');
      const { dns } = await client.lookup('greeter');
      const names = `const [JELLYFAAS_URL, GREETER_URL] = ${JSON.stringify([platform.url, dns])};`;
      const here = code.replace('/my-token', `http://127.0.0.1:${(page.address() as AddressInfo).port}/`);
      const printed = await runSource(process.execPath, 'page', `${names}${here}console.log(greeting);`);
      page.close();
      return printed;
    },
  };

  for (const [index, { language, code }] of snippets.entries()) {
    it(`snippet ${index + 1} (${language}) greets Ada`, async () => {
      expect(await runs[language]?.(code)).toContain('hello, Ada!');
    });
  }
});

describe('calls', () => {
  it('renew a token that the server no longer takes, once', async () => {
    const asked: string[] = [];
    const stale = sdk.jellyfaas({
      url: platform.url,
      token: () => (asked.push('token'), asked.length === 1 ? 'stale' : platform.owner.token()),
    });
    const { dns } = await client.lookup('greeter');
    expect(await stale.invoke(new URL(dns), { query: { name: 'Ada' } })).toEqual({ greeting: 'hello, Ada!' });
    expect(asked).toHaveLength(2);

    const hopeless = sdk.jellyfaas({ url: platform.url, token: () => 'stale' });
    expect(await errorOf(hopeless.invoke(new URL(dns)))).toMatchObject({
      status: 403,
      errorId: 'auth.invalid_token',
    });
  });

  it("do not repeat a function's own 403", async () => {
    const paths: string[] = [];
    const counting = sdk.jellyfaas({
      ...platform,
      fetch: (url, init) => (paths.push(new URL(url).pathname), fetch(url, init)),
    });
    expect((await errorOf(counting.invoke('greeter', { query: { name: 'Ada', status: 403 } }))).status).toBe(
      403,
    );
    expect(paths).toEqual([
      '/auth-service/v1/lookup',
      '/auth-service/v1/validate',
      expect.stringMatching(/^\/greeter-/),
    ]);
  });

  it('share one token between callers at once', async () => {
    const paths: string[] = [];
    const counting = sdk.jellyfaas({
      ...platform,
      fetch: (url, init) => (paths.push(new URL(url).pathname), fetch(url, init)),
    });
    await Promise.all(
      Array.from({ length: 10 }, () => counting.invoke('greeter', { query: { name: 'Ada' } })),
    );
    expect(paths.filter((path) => path.includes('validate'))).toHaveLength(1);
  });

  it('never follow a redirect with the token', async () => {
    const arrived: unknown[] = [];
    const elsewhere = createServer((req, res) => {
      arrived.push(req.headers);
      res.end();
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const refused = await errorOf(client.invoke('greeter', { query: { name: 'Ada', location } }));
    elsewhere.close();
    expect([refused.status, arrived]).toEqual([302, []]);
  });

  it('go to the newest version also when the one that was looked up is deleted', async () => {
    const name = 'passing';
    const files = greeterFiles(name);
    await platform.owner.deploy(name, files);
    expect(await client.invoke(name, { query: { name: 'Ada' } })).toEqual({ greeting: 'hello, Ada!' });
    await platform.owner.deploy(name, files);
    await fetch(`${platform.url}/api/v1/functions/${name}?version=1`, {
      method: 'DELETE',
      headers: { 'x-jf-apikey': platform.apiKey },
    });
    expect(await client.invoke(name, { query: { name: 'Ada' } })).toEqual({ greeting: 'hello, Ada!' });
  });

  it('with a wrong key, a missing server and a wrong body fail with an error of their own', async () => {
    const wrong = sdk.jellyfaas({ url: platform.url, apiKey: 'sk_000000000000000000000000000' });
    expect((await errorOf(wrong.validate())).status).toBe(401);
    const nowhere = sdk.jellyfaas({ url: 'http://127.0.0.1:9', apiKey: 'sk_x' });
    expect(await errorOf(nowhere.validate())).toMatchObject({ status: 0, errorId: 'sdk.unreachable' });
    const steps = await new sdk.Client(new sdk.Config(platform.apiKey, platform)).lookupFunction('greeter');
    expect(() => steps.setFunctionJsonBody({})).toThrow(/NONE/);
    expect(() => steps.setFunctionQueryParams({})).toThrow(/"name"/);
  });
});

describe('questions', () => {
  it('that are cancelled end the work of the model', async () => {
    const before = platform.model.requests.length;
    for await (const event of client.ask('hang, please', { stream: true })) {
      expect(event.type).toBe('text');
      break;
    }
    expect(await platform.model.requests[before]?.ended).toBe('client-left');

    const leaving = new AbortController();
    const asked = client.ask('hang, please', { signal: leaving.signal });
    const refused = expect(asked).rejects.toHaveProperty('name', 'AbortError');
    await expect.poll(() => platform.model.requests.length).toBe(before + 2);
    leaving.abort();
    await refused;
    expect(await platform.model.requests[before + 1]?.ended).toBe('client-left');
  });

  it('carry the turns before them', async () => {
    await client.ask('And now?', {
      history: [
        { role: 'user', content: 'First turn' },
        { role: 'assistant', content: 'First answer' },
      ],
    });
    expect(platform.model.requests.at(-1)?.text).toMatch(/First turn.*First answer.*And now\?/s);
  });

  it('about functions that do not exist fail alike, streamed or not', async () => {
    const functions = ['no-such-function'];
    const whole = await errorOf(client.ask('Greet Ada.', { functions }));
    const streamed = await errorOf(client.ask('Greet Ada.', { functions, stream: true }).next());
    expect([whole.status, whole.errorId]).toEqual([404, 'function.not_found']);
    expect([streamed.status, streamed.errorId]).toEqual([404, 'function.not_found']);
  });
});

describe('jellyfaas types', () => {
  const check = async (source: string): Promise<string> => {
    const written = await command.run(['types', '-o', 'functions.d.ts', 'greeter', 'sum-up', 'reverse']);
    expect(written.code, written.err).toBe(0);
    writeFileSync(join(scratch, 'functions.d.ts'), readFileSync(join(command.home, 'functions.d.ts')));
    writeFileSync(join(scratch, 'use.ts'), source);
    const options = { strict: true, noEmit: true, module: 'NodeNext', target: 'ES2022', types: [] };
    writeFileSync(
      join(scratch, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...options, lib: ['ES2022', 'DOM'] },
        files: ['functions.d.ts', 'use.ts'],
      }),
    );
    return runProgram(bin('tsc'), ['-p', scratch]).catch((error: Error) => error.message);
  };
  const use = (lines: string): string =>
    `import { jellyfaas } from '@jellyfaas/sdk';\nconst client = jellyfaas({ url: '', apiKey: '' });\n${lines}`;

  it('types calls of the functions, and leaves others free', async () => {
    const faults = await check(
      use(`
const greeting: string = (await client.invoke('greeter', { query: { name: 'Ada' } })).greeting;
const sum: number = (await client.invoke('sum-up', { json: { numbers: [1] } })).sum;
const bytes: Uint8Array = await client.invoke('reverse', { file: new Blob([]) });
const other: unknown = await client.invoke('other', { json: greeting + sum + bytes.length });
export { other };`),
    );
    expect(faults).toBe('');
  });

  for (const [fault, call] of Object.entries({
    'a missing query': `client.invoke('greeter')`,
    'a missing parameter': `client.invoke('greeter', { query: {} })`,
    'an unknown parameter': `client.invoke('greeter', { query: { name: 'Ada', nme: '' } })`,
    'a body of another type': `client.invoke('sum-up', { json: { numbers: ['one'] } })`,
    'a body where none is taken': `client.invoke('greeter', { query: { name: 'Ada' }, json: {} })`,
    'an answer read wrongly': `(await client.invoke('greeter', { query: { name: 'Ada' } })).greting`,
  })) {
    it(`refuses ${fault}`, async () => {
      expect(await check(use(`export const answer = await ${call};`))).toMatch(/use\.ts.*error TS/);
    });
  }

  it('replaces its own file only', async () => {
    writeFileSync(join(command.home, 'mine.ts'), 'export {};');
    expect((await command.run(['types', '-o', 'mine.ts', 'greeter'])).code).toBe(1);
    expect((await command.run(['types', '-o', 'own.ts', 'greeter'])).code).toBe(0);
    expect((await command.run(['types', '-o', 'own.ts'])).code).toBe(0);
    expect(readFileSync(join(command.home, 'own.ts'), 'utf8')).toContain('"sum-up"');
  });
});

describe('jellyfaas ask', () => {
  it('answers on stdout and shows steps on stderr', async () => {
    const { code, out, err } = await command.run(['ask', 'Greet Ada.', '--function', 'greeter', '--trace']);
    expect([code, out]).toEqual([0, 'It says hello, Ada!\n']);
    expect(err).toMatch(/→ greeter \{"name":"Ada"\}\n← 200 .*hello, Ada!/s);
  });

  it('streams the same, takes the question from stdin, and gives JSON to machines', async () => {
    expect((await command.run(['ask', '-', '--stream'], { input: 'Two and two?' })).out).toBe(
      'Two and two is four.\n',
    );
    expect(await command.json(['ask', 'Greet Ada.', '--library', '--trace'])).toMatchObject({
      answer: expect.any(String),
      finish: 'complete',
      model: 'scripted',
      trace: expect.any(Array),
    });
  });

  it('ends the question with Ctrl-C', async () => {
    const before = platform.model.requests.length;
    const asking = command.start(['ask', 'hang, please', '--stream']);
    if (asking.stdout === null) throw new Error('no pipe');
    await once(asking.stdout, 'data');
    asking.kill('SIGINT');
    expect(await platform.model.requests[before]?.ended).toBe('client-left');
  });

  it('refuses a function that does not exist', async () => {
    const { code, err } = await command.run([
      'ask',
      'Greet Ada.',
      '--function',
      'no-such-function',
      '--json',
    ]);
    expect([code, err]).toEqual([1, expect.stringContaining('function.not_found')]);
  });
});

describe('jellyfaas model', () => {
  it('lists, chooses and takes the choice back', async () => {
    const { models } = await command.json<{ models: { platform: string; model: string }[] }>([
      'model',
      'list',
    ]);
    expect(models).toEqual([expect.objectContaining({ model: 'scripted', retention: 'none' })]);
    const platformName = models[0]?.platform ?? '';
    expect(await command.json(['model', 'use', platformName])).toEqual({ platform: platformName });
    expect((await command.run(['model', 'list'])).out).toMatch(/scripted.*yes/);
    expect(await command.json(['model', 'use', '--default'])).toEqual({});
    expect((await command.run(['model', 'use'])).code).toBe(2);
  });
});
