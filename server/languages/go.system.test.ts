import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textFile, type SourceTree } from '../kernel/source-tree.ts';
import { createGoLanguage } from './go.ts';
import { BuildFailure, type BuiltFunction } from './language.ts';
import type { PreparableLanguage } from './shared-base.ts';
import { buildRequest, openTestToolbox, startWorker, templateSource, type TestToolbox } from './testing.ts';

let toolbox: TestToolbox;
let go: PreparableLanguage;
let template: SourceTree;

beforeAll(async () => {
  toolbox = await openTestToolbox();
  go = createGoLanguage(toolbox);
  template = await templateSource('go122');
  await go.prepare();
});
afterAll(() => toolbox.close());

function withFiles(files: Readonly<Record<string, string>>): SourceTree {
  return new Map([
    ...template,
    ...Object.entries(files).map(([path, text]) => [path, textFile(text)] as const),
  ]);
}

function handler(imports: readonly string[], body: string, more = ''): SourceTree {
  const all = ['net/http', 'github.com/GoogleCloudPlatform/functions-framework-go/functions', ...imports];
  return withFiles({
    'function.go': `package greeter
import (
${all.map((path) => `\t"${path}"`).join('\n')}
)
${more}
func init() { functions.HTTP("Example", serve) }
func serve(w http.ResponseWriter, r *http.Request) {
${body}
}
`,
  });
}

async function build(source: SourceTree): Promise<{ built: BuiltFunction; lines: string[] }> {
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  return { built: await go.build(buildRequest('go122', source, { onProgress })), lines };
}

async function failure(source: SourceTree): Promise<string> {
  const error: unknown = await build(source).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BuildFailure);
  return (error as BuildFailure).message;
}

async function ready(built: BuiltFunction) {
  const worker = await startWorker(toolbox, go, { runtime: 'go122', built });
  expect(await worker.claim(built, 'Example')).toEqual({ t: 'ready' });
  return worker;
}

function digest(built: BuiltFunction): string {
  const binary = built.code.get('function');
  expect(binary?.executable).toBe(true);
  return createHash('sha256')
    .update(binary?.bytes ?? '')
    .digest('hex');
}

describe('building', () => {
  test('the template builds twice to the same bytes, the second time without installing', async () => {
    const first = await build(template);
    const second = await build(template);
    expect([...first.built.code.keys()]).toEqual(['function']);
    expect(digest(second.built)).toBe(digest(first.built));
    expect(second.lines).toContain('Dependencies are unchanged.');
    expect(first.built.runtimeDetail).toMatch(/^Go 1\.\d+/);
  });

  test('a compile error names the file as in the upload, and nothing of the host', async () => {
    const message = await failure(withFiles({ 'function.go': 'package greeter\n\nvar x int = "text"\n' }));
    expect(message).toContain('./function.go:3:13: cannot use "text"');
    expect(message).not.toMatch(/\/work|\/usr|\/opt/);
  });

  test('a module without the framework gets the one of the platform', async () => {
    const source = withFiles({ 'go.mod': 'module example.com/greeter\n\ngo 1.22\n', 'go.sum': '' });
    expect((await build(source)).built.code.has('function')).toBe(true);
  });

  test('a module inside the upload is built as code, with dependencies of its own', async () => {
    const source = withFiles({
      'go.mod': `module example.com/greeter

go 1.22

require example.com/names v0.0.0

replace example.com/names => ./names
`,
      'go.sum': '',
      'names/go.mod': 'module example.com/names\n\ngo 1.22\n',
      'names/names.go':
        'package names\n\nimport "github.com/google/uuid"\n\nfunc New() string { return uuid.NewString() }\n',
      'other.go': 'package greeter\n\nimport "example.com/names"\n\nvar instance = names.New()\n',
    });
    expect((await build(source)).built.code.has('function')).toBe(true);
  });

  test('a package that no module provides fails in the words of the tool', async () => {
    const source = handler(['example.invalid/nothing'], '_ = nothing.Here');
    expect(await failure(source)).toContain('example.invalid/nothing');
  });

  test('a go.sum that disagrees with the registry stops the build', async () => {
    const sum = Buffer.from(template.get('go.sum')?.bytes ?? []).toString('utf8');
    expect(await failure(withFiles({ 'go.sum': sum.replaceAll(/h1:..../g, 'h1:AAAA') }))).toContain(
      'checksum mismatch',
    );
  });

  test('no directive of the source runs anything or reads outside of the upload', async () => {
    const generated = handler([], '', '//go:generate sh -c "exit 1"');
    expect((await build(generated)).built.code.size).toBe(1);
    const embedding = handler(['embed'], '', '//go:embed /etc/passwd\nvar files embed.FS');
    expect(await failure(embedding)).toContain('pattern /etc/passwd: invalid pattern');
    expect(await failure(withFiles({ 'function.go': 'package greeter\nimport "C"\n' }))).toContain(
      'build constraints exclude all Go files',
    );
  });
});

describe('running', () => {
  test('the template answers over the claimed socket', async () => {
    const { built } = await build(template);
    const worker = await ready(built);
    const answer = await worker.get('/any/path?name=foo%22');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ greeting: 'hello, foo"!' });
    expect((await worker.get('/')).status).toBe(400);
    await worker.process.kill();
  });

  test('a wrong entrypoint is answered with the names that are registered', async () => {
    const { built } = await build(template);
    const worker = await startWorker(toolbox, go, { runtime: 'go122', built });
    const answer = await worker.claim(built, 'Exmaple');
    expect(answer).toEqual({
      t: 'failed',
      message: 'no function is registered as "Exmaple"; registered: Example',
    });
    await worker.process.kill();
  });

  test('an initialiser of user code cannot take the socket away', async () => {
    const { built } = await build(
      handler(['os'], 'w.Write([]byte("mine"))', 'var _ = os.Remove("/run/fn/http.sock")'),
    );
    const worker = await ready(built);
    expect((await worker.get('/')).body).toBe('mine');
    await worker.process.kill();
  });

  test('status, headers and 32 MiB of body pass through', async () => {
    const source = handler(
      ['io'],
      'w.Header().Set("X-Own", "1")\nw.WriteHeader(418)\n_, _ = io.Copy(w, r.Body)',
    );
    const { built } = await build(source);
    const worker = await ready(built);
    const body = 'x'.repeat(32 * 2 ** 20);
    const answer = await worker.send('POST', '/', body, 'text/plain');
    expect(answer.status).toBe(418);
    expect(answer.headers['x-own']).toBe('1');
    expect(answer.body === body).toBe(true);
    await worker.process.kill();
  });

  test('a panic is a 500 of the framework, and the worker serves on', async () => {
    const { built } = await build(handler([], 'if r.URL.Path == "/panic" { panic("secret") }'));
    const worker = await ready(built);
    const answer = await worker.get('/panic');
    expect(answer.status).toBe(500);
    expect(answer.headers['x-google-status']).toBe('crash');
    expect(answer.body).not.toContain('secret');
    expect((await worker.get('/')).status).toBe(200);
    await worker.process.kill();
  });

  test('what a function flushes arrives before it ends', async () => {
    const source = handler([], 'w.Write([]byte("first"))\nw.(http.Flusher).Flush()\n<-r.Context().Done()');
    const { built } = await build(source);
    const worker = await startWorker(toolbox, go, { runtime: 'go122', built });
    expect(await worker.claim(built, 'Example')).toEqual({ t: 'ready' });
    expect(await worker.firstChunk('/')).toBe('first');
    await worker.process.kill();
  });

  test('the network is reached through the egress proxy, and only when the claim permits it', async () => {
    const host = createServer((_req, res) => void res.end('from outside')).listen(0, '127.0.0.1');
    await once(host, 'listening');
    const address = `127.0.0.1:${(host.address() as AddressInfo).port}`;
    // The proxy is named here, because Go leads no loopback address through one by itself.
    const source = handler(
      ['io', 'net/url', 'os'],
      `proxy := func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:3128") }
	answer, err := (&http.Client{Transport: &http.Transport{Proxy: proxy}}).Get("http://${address}/")
	if err != nil {
		w.WriteHeader(502)
		return
	}
	w.Header().Set("X-Proxy", os.Getenv("HTTPS_PROXY"))
	_, _ = io.Copy(w, answer.Body)`,
    );
    const { built } = await build(source);
    const egress = { kind: 'trusted', hosts: [address] } as const;
    const open = await startWorker(toolbox, go, { runtime: 'go122', built, egress });
    expect(await open.claim(built, 'Example', true)).toEqual({ t: 'ready' });
    const answer = await open.get('/');
    expect(answer.body).toBe('from outside');
    expect(answer.headers['x-proxy']).toBe('http://127.0.0.1:3128');
    await open.process.kill();

    const closed = await ready(built);
    expect((await closed.get('/')).status).toBe(502);
    await closed.process.kill();
    host.close();
  });
});
