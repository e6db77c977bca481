import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from './program.ts';
import { createTerminal } from './terminal.ts';

const KEY = 'sk_0123456789abcdefghijklmnopq';

let home: string;
let servers: { close(): void }[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'jellyfaas-cli-'));
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.close();
  rmSync(home, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function cli(
  words: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Promise<Ran> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const texts = Promise.all([buffer(stdout), buffer(stderr)]);
  const code = await run(words, {
    terminal: createTerminal({ stdin, stdout, stderr }),
    env,
    home,
    cwd: home,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { code, out: out.toString(), err: err.toString() };
}

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Somebody's server, as far as one test needs it; answers by "METHOD path". */
async function serve(
  routes: Record<string, (response: ServerResponse) => void>,
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const line = `${request.method} ${request.url}`;
      seen.push({ line, headers: request.headers, body });
      const route = routes[line];
      if (route === undefined)
        json({ errorId: 'functions.not_found', errorMessage: 'Not there.' }, 404)(response);
      else route(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ close: () => (server.closeAllConnections(), server.close()) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function json(value: unknown, status = 200) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
}

function events(...list: unknown[]) {
  return (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(list.map((event) => `: note\ndata: ${JSON.stringify(event)}\n\n`).join(''));
  };
}

const VALID = {
  'GET /auth-service/v1/validate': json({ token: 'the-token', expiry: '2026-01-01T00:00:00Z' }),
};

describe('wrong usage', () => {
  const cases: string[][] = [
    [],
    ['no-such-command'],
    ['deploy'],
    ['library', '--no-such-flag'],
    ['exists'],
    ['invoke'],
    ['invoke', 'greeter', '--json', '{nope'],
    ['invoke', 'greeter', '--json', '{}', '--data', 'x'],
    ['invoke', 'greeter', '--query', 'name'],
    ['invoke', 'greeter', '--header', 'a b: c'],
    ['base64'],
    ['base64', '-d', '$$$'],
    ['spec', '-j', 'nope'],
    ['create', '-n', 'x', '-l', 'node'],
    ['create', '-n', 'greeter', '-l', 'cobol'],
    ['token', '--url', 'not a url'],
    ['token', '--url', 'ftp://example.com'],
    ['library', '-r'],
    ['publish'],
    ['secret'],
  ];
  for (const words of cases) {
    it(`"${words.join(' ')}" exits 2 and says why`, async () => {
      const ran = await cli(words, { env: { JELLYFAAS_API_KEY: KEY } });
      expect(ran.code).toBe(2);
      expect(ran.err).not.toBe('');
      expect(ran.out).toBe('');
    });
  }

  it('does not include asking for help or the version', async () => {
    expect((await cli(['--help'])).code).toBe(0);
    expect((await cli(['builds', '--help'])).code).toBe(0);
    expect(await cli(['--version'])).toEqual(await cli(['version']));
    expect((await cli(['version', '--json'])).out).toContain('"version"');
  });
});

describe('a failure says what to do', () => {
  it('when no key is known', async () => {
    const { code, err } = await cli(['library']);
    expect(code).toBe(1);
    expect(err).toContain('jellyfaas login');
  });

  it('when no server answers', async () => {
    const { url } = await serve({});
    for (const server of servers.splice(0)) server.close();
    const { code, err } = await cli(['library', '--url', url], { env: { JELLYFAAS_API_KEY: KEY } });
    expect(code).toBe(1);
    expect(err).toContain('npm start');
  });

  it('when the key is not accepted, and never shows the key', async () => {
    const { url } = await serve({
      'GET /auth-service/v1/validate': json({ errorId: 'a.b', errorMessage: 'no' }, 401),
    });
    const { code, err, out } = await cli(['token', '--url', url], { env: { JELLYFAAS_API_KEY: KEY } });
    expect(code).toBe(1);
    expect(err).toContain(`jellyfaas login --url ${url}`);
    expect(out + err).not.toContain(KEY);
  });

  it('in the words of the server, with --json as JSON', async () => {
    const problem = { code: 'x.y', detail: 'Wrong.', errors: [{ pointer: '/a', message: 'bad' }] };
    const { url } = await serve({ 'GET /api/v1/me': json(problem, 400) });
    const env = { JELLYFAAS_API_KEY: KEY, JELLYFAAS_URL: url };
    expect((await cli(['whoami'], { env })).err).toBe('Error: Wrong.\n  /a: bad\n');
    const machine = JSON.parse((await cli(['whoami', '--json'], { env })).err) as unknown;
    expect(machine).toEqual({ error: { code: 'x.y', message: 'Wrong.\n  /a: bad' } });
  });

  it('when the answer is not from such a server', async () => {
    const html = (response: ServerResponse) => response.end('<html>');
    const { url } = await serve({ 'GET /api/v1/me': html });
    const { err } = await cli(['whoami', '--url', url], { env: { JELLYFAAS_API_KEY: KEY } });
    expect(err).toContain('Is --url a JellyFaaS server?');
  });
});

describe('login', () => {
  it('saves a checked key for its server, readable by the user only', async () => {
    const { url, seen } = await serve(VALID);
    const { code, out, err } = await cli(['login', '--url', `${url}/`], { input: `${KEY}\n` });
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toContain(KEY);
    expect(seen[0]?.headers['x-jf-apikey']).toBe(KEY);
    const path = join(home, '.jellyfaas');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(`env: jellyfaas\napikey: ${KEY}\nurl: ${url}\n`);
    expect((await cli(['token'])).out).toContain('the-token');
    expect(readdirSync(home)).toEqual(['.jellyfaas']);
  });

  it('saves nothing when the key is refused', async () => {
    const { url } = await serve({ 'GET /auth-service/v1/validate': json({}, 401) });
    expect((await cli(['login', '--url', url, '--key', KEY])).code).toBe(1);
    expect(readdirSync(home)).toEqual([]);
  });

  it('tightens the rights of a key file that the public command line wrote', async () => {
    const { url } = await serve(VALID);
    const path = join(home, '.jellyfaas');
    writeFileSync(path, 'apikey: old-key-of-the-public-cli\nenv: jellyfaas\n', { mode: 0o644 });
    expect((await cli(['login', '--url', url], { input: KEY })).code).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toContain(KEY);
  });

  it('never sends a saved key to another server than its own', async () => {
    const mine = await serve(VALID);
    const other = await serve(VALID);
    await cli(['login', '--url', mine.url], { input: KEY });
    expect((await cli(['token', '--url', other.url])).code).toBe(1);
    expect((await cli(['token'], { env: { JELLYFAAS_URL: other.url } })).code).toBe(1);
    expect(other.seen).toEqual([]);
  });
});

describe('invoke', () => {
  const lookup = (url: string, requestType = 'GET') => ({
    'GET /auth-service/v1/lookup?id=greeter': json({ dns: `${url}/f-1`, requirements: { requestType } }),
  });

  async function serveFunction(answer: (response: ServerResponse) => void, line: string) {
    const routes: Record<string, (response: ServerResponse) => void> = { ...VALID, [line]: answer };
    const server = await serve(routes);
    Object.assign(routes, lookup(server.url, line.split(' ', 1)[0]));
    return { ...server, env: { JELLYFAAS_URL: server.url, JELLYFAAS_API_KEY: KEY } };
  }

  it('calls with token and query and streams the body out untouched', async () => {
    const bytes = Buffer.from([0, 255, 27, 10]);
    const { seen, env } = await serveFunction((response) => response.end(bytes), 'GET /f-1?name=a+b&x=1%3D2');
    const ran = await cli(['invoke', 'greeter', '--query', 'name=a b', '--query', 'x=1=2'], { env });
    expect([ran.code, ran.err]).toEqual([0, '200 OK\n']);
    expect(Buffer.from(ran.out, 'utf8')).toEqual(Buffer.from(bytes.toString('utf8')));
    expect(seen.at(-1)?.headers['jfwt']).toBe('the-token');
    expect(seen.at(-1)?.headers['x-jf-apikey']).toBeUndefined();
  });

  it('sends JSON, files and stdin as they are', async () => {
    const { seen, env } = await serveFunction((response) => response.end('{}'), 'POST /f-1');
    writeFileSync(join(home, 'input.bin'), Buffer.from([1, 2, 3]));
    await cli(['invoke', 'greeter', '--json', '{"a": 1}', '--header', 'X-Test: yes'], { env });
    await cli(['invoke', 'greeter', '--file', 'input.bin'], { env });
    await cli(['invoke', 'greeter', '--data', '-'], { env, input: 'plain' });
    const calls = seen.filter(({ line }) => line === 'POST /f-1');
    expect(
      calls.map(({ headers, body }) => [headers['content-type'], headers['x-test'], body.toString('latin1')]),
    ).toEqual([
      ['application/json', 'yes', '{"a": 1}'],
      ['application/octet-stream', undefined, '\u0001\u0002\u0003'],
      ['application/octet-stream', undefined, 'plain'],
    ]);
  });

  it('exits 1 for a status of 400 and above, with the body still printed', async () => {
    const { env } = await serveFunction(
      (response) => response.writeHead(418).end('short and stout'),
      'GET /f-1',
    );
    const ran = await cli(['invoke', 'greeter'], { env });
    expect(ran.code).toBe(1);
    expect(ran.out).toBe('short and stout');
    expect(ran.err).toContain('418');
  });
});

describe('deploy', () => {
  const RESULT = {
    function: 'greeter',
    function_id: 'greeter',
    new: true,
    runtimeDetail: 'Node 24.1.0',
    deployedDetails: [{ size: 's', opid: 'b1', urlLocation: 'http://x.example/greeter-1' }],
  };
  const requirements = {
    queryParams: [{ name: 'name', required: true, exampleData: "name=it's" }],
    inputType: 'NONE',
  };
  const DETAILS = { functionId: 'greeter', versions: [{ latest: true, requirements }] };

  async function deployAgainst(
    routes: Record<string, (response: ServerResponse) => void>,
    ...flags: string[]
  ) {
    const server = await serve({ 'POST /core-service/v1/upload': json(RESULT), ...routes });
    writeFileSync(join(home, 'greeter.zip'), 'PK-bytes');
    const env = { JELLYFAAS_URL: server.url, JELLYFAAS_API_KEY: KEY };
    return { ...server, ran: await cli(['deploy', '-z', 'greeter.zip', ...flags], { env }) };
  }

  it('shows the build live and ends with the URL and a line to try', async () => {
    const { ran, seen } = await deployAgainst(
      {
        'GET /api/v1/builds/b1/events': events(
          { type: 'status', status: 'BUILDING' },
          { type: 'line', text: 'added 1 package\u001b[2J' },
          { type: 'status', status: 'DEPLOYED' },
        ),
        'GET /core-service/v1/upload/b1/greeter': json({ status: 'DEPLOYED' }),
        'GET /core-service/v1/library/greeter': json(DETAILS),
      },
      '-w',
    );
    expect(ran.code).toBe(0);
    expect(ran.err).toBe(
      'Deploying greeter version 1 on Node 24.1.0.\n… building\n  added 1 package[2J\n… deployed\n',
    );
    expect(ran.out).toContain('http://x.example/greeter-1');
    expect(ran.out).toContain(`jellyfaas invoke greeter --query 'name=it'\\''s'`);
    const upload = seen[0]?.body.toString() ?? '';
    expect(upload).toContain('name="file"; filename="greeter.zip"');
    expect(upload).toContain('PK-bytes');
  });

  it('follows on when the stream ends early', async () => {
    let polls = 0;
    const { ran } = await deployAgainst(
      {
        'GET /api/v1/builds/b1/events': events({ type: 'status', status: 'BUILDING' }),
        'GET /core-service/v1/upload/b1/greeter': (response) =>
          json({ status: ++polls === 1 ? 'BUILDING' : 'DEPLOYED' })(response),
        'GET /core-service/v1/library/greeter': json(DETAILS),
      },
      '-w',
      '--json',
    );
    expect(ran.err).toBe('');
    expect(JSON.parse(ran.out)).toMatchObject({ function_id: 'greeter', status: 'DEPLOYED' });
  });

  it('exits 1 with the tool’s message for a bad build', async () => {
    const failed = events({ type: 'failed', errorDetails: 'npm ERR! 404' });
    const { ran } = await deployAgainst({ 'GET /api/v1/builds/b1/events': failed }, '-w');
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('npm ERR! 404');
    expect(ran.err).toContain('jellyfaas builds clean -b b1');
  });

  it('does not wait where nobody watches', async () => {
    const { ran, seen } = await deployAgainst({});
    expect(ran.code).toBe(0);
    expect(seen.length).toBe(1);
  });

  it('exits 1 for a file that is not there', async () => {
    const ran = await cli(['deploy', '-z', 'none.zip'], { env: { JELLYFAAS_API_KEY: KEY } });
    expect([ran.code, ran.err.includes('jellyfaas zip')]).toEqual([1, true]);
  });
});

it('what a server sends cannot steer the terminal', async () => {
  const evil = {
    functionId: 'evil\u001b]0;x\u0007',
    versions: 1,
    published: true,
    owner: '\u202eme',
    description: 'a\nb',
  };
  const { url } = await serve({
    'GET /core-service/v1/library': json({ libraryItem: [evil], badBuilds: [] }),
  });
  const env = { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: KEY };
  const { out } = await cli(['library'], { env });
  expect(out).toContain('evil]0;x');
  expect(out.split('\n').length).toBe(3);
  expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202e/u);
  const machine = (await cli(['library', '--json'], { env })).out;
  expect(JSON.parse(machine)).toMatchObject({ libraryItem: [evil] });
});

it('logs print live lines to the streams they came from', async () => {
  const lines = [
    { stream: 'stdout', text: 'hello', version: 1 },
    { stream: 'stderr', text: 'oops', version: 1 },
  ];
  const { url } = await serve({ 'GET /api/v1/functions/greeter/console': events(...lines) });
  const ran = await cli(['logs', 'greeter'], { env: { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: KEY } });
  expect(ran.out).toBe('hello\n');
  expect(ran.err).toContain('oops\n');
});

it('calls pass days, day and function on and show the record', async () => {
  const call = {
    day: '2026-11-23',
    shortname: 'greeter',
    functionId: 'fn_1',
    version: 2,
    originIp: '::1',
    durationMs: 7,
    ok: true,
  };
  const { url } = await serve({
    'GET /api/v1/calls?days=2&day=2026-11-23&function=greeter': json({ calls: [call], truncated: false }),
  });
  const words = ['calls', '--days', '2', '--day', '2026-11-23', '--function', 'greeter'];
  const ran = await cli(words, { env: { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: KEY } });
  expect(ran.out.split('\n')[1]?.split(/\s+/)).toEqual(['2026-11-23', 'greeter', '2', '::1', '7', 'ok']);
});
