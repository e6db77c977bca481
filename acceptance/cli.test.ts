import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fromBufferPromise } from 'yauzl';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';
import { type Command, newCommand } from './command.ts';

/** From `create` to `delete`, every word against the real platform as somebody types it; tests go on from one another. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const command: Command = newCommand();
let probe: Deployed;

beforeAll(async () => {
  await command.run(['secret', '--url', url], { input: apiKey });
  probe = await owner.deploy('cliprobe', fixtureFiles('probe', { shortname: 'cliprobe' }));
});

afterAll(() => command.remove());

/** A folder below the command's home with these files. */
function write(folder: string, files: Record<string, string | Uint8Array>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(command.home, folder, path);
    mkdirSync(join(full, '..'), { recursive: true });
    writeFileSync(full, content);
  }
}

async function namesIn(archive: Buffer): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of (await fromBufferPromise(archive)).eachEntry()) names.push(entry.fileName);
  return names;
}

describe('create', () => {
  for (const [word, runtime] of [
    ['node', 'nodejs24'],
    ['nodejs', 'nodejs24'],
    ['javascript', 'nodejs24'],
    ['nodejs20', 'nodejs20'],
    ['nodejs22', 'nodejs22'],
    ['python', 'python312'],
    ['go', 'go122'],
    ['golang', 'go122'],
    ['java', 'java21'],
  ] as const) {
    it(`-l ${word} makes a ${runtime} function with spec, readme and changelog`, async () => {
      const shortname = `made-${word}`;
      const made = await command.json(['create', '-n', shortname, '-l', word, '-d', 'made']);
      expect(made).toEqual({ path: join(command.home, 'made', shortname), shortname, runtime });
      const files = readdirSync(join(command.home, 'made', shortname));
      expect(files).toEqual(expect.arrayContaining(['jellyspec.json', 'README.md', 'CHANGELOG.md']));
      const spec = JSON.parse(
        readFileSync(join(command.home, 'made', shortname, 'jellyspec.json'), 'utf8'),
      ) as Record<string, unknown>;
      expect(spec).toMatchObject({ name: shortname, shortname, runtime });
    });
  }

  it('never writes over a folder unless it is told to', async () => {
    write('made/made-node', { 'mine.txt': 'mine' });
    const again = ['create', '-n', 'made-node', '-l', 'node', '-d', 'made'];
    const refused = await command.run(again);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('-a')]);
    expect((await command.run([...again, '-a'])).code).toBe(0);
    expect(readFileSync(join(command.home, 'made/made-node/mine.txt'), 'utf8')).toBe('mine');
  });
});

describe('zip and deploy', () => {
  beforeAll(() => command.run(['create', '-n', 'cligreeter', '-l', 'node']));

  it('zip leaves out dependencies and what .jellyfaasignore names, and replaces a zip only with -o', async () => {
    write('cligreeter', {
      'node_modules/x/index.js': '',
      '.git/HEAD': '',
      'notes/secret.txt': 'not for the server',
      'lib/util.js': '// kept',
      '.jellyfaasignore': 'notes/\n',
    });
    const { file, files } = await command.json<{ file: string; files: string[] }>([
      'zip',
      '-s',
      'cligreeter',
    ]);
    expect(file).toBe('cligreeter.zip');
    const names = await namesIn(readFileSync(join(command.home, file)));
    expect(names).toEqual(files.map((path) => `cligreeter/${path}`));
    expect(names).toEqual(expect.arrayContaining(['cligreeter/jellyspec.json', 'cligreeter/lib/util.js']));
    expect(names.join()).not.toMatch(/node_modules|\.git|notes/);
    expect((await command.run(['zip', '-s', 'cligreeter'])).code).toBe(1);
    const { code, out } = await command.run(['zip', '-s', 'cligreeter', '-o']);
    expect([code, out]).toEqual([0, expect.stringContaining('jellyfaas deploy -z cligreeter.zip')]);
  });

  it('deploy -z -w shows the build as it goes and ends with the URL and a line that works', async () => {
    const { code, out, err } = await command.run(['deploy', '-z', 'cligreeter.zip', '-w']);
    expect([code, err]).toEqual([0, expect.stringMatching(/Deploying cligreeter version 1 on Node.* 24\./)]);
    for (const step of ['… building', '… starting', '… deployed']) expect(err).toContain(step);
    expect(out).toContain('Deployed cligreeter version 1.');
    expect(out).toContain(`Size s: ${url}/cligreeter-`);
    const tryIt = /^Try it: jellyfaas (.*)$/m.exec(out)?.[1]?.split(' ') ?? [];
    expect(await command.run(tryIt)).toMatchObject({ code: 0, out: '{"greeting":"hello, foo!"}' });
  });

  it('zip -d -w deploys the next version without leaving a file', async () => {
    const folder = join(command.home, 'cligreeter');
    const before = readdirSync(command.home);
    const result = await command.json(['zip', '-s', folder, '-d', '-w']);
    expect(result).toMatchObject({
      function_id: 'cligreeter',
      new: false,
      currentVersion: 1,
      deployingVersion: 2,
      status: 'DEPLOYED',
      deployedDetails: [{ size: 's', urlLocation: expect.stringContaining('-2-s') }],
    });
    expect(readdirSync(command.home)).toEqual(before);
  });

  it('deploy without waiting says so and how to follow', async () => {
    write('clilater', fixtureFiles('probe', { shortname: 'clilater' }));
    const { code, out } = await command.run(['zip', '-s', 'clilater', '-d']);
    expect([code, out]).toEqual([0, expect.stringContaining('jellyfaas builds list')]);
  });

  it('a file that is no zip is refused in the words of the server', async () => {
    write('.', { 'text.zip': 'no zip at all' });
    const { code, err } = await command.run(['deploy', '-z', 'text.zip', '-w']);
    expect([code, err]).toEqual([1, expect.stringContaining('jellyfaas zip')]);
  });

  it('a bad build exits 1 with the tool’s own message, is listed with it, and can be cleaned once', async () => {
    const files = fixtureFiles('probe', { shortname: 'clibroken' });
    write('clibroken', { ...files, 'index.js': 'const broken = ;' });
    const { code, err } = await command.run(['zip', '-s', 'clibroken', '-d', '-w']);
    expect([code, err]).toEqual([1, expect.stringContaining('SyntaxError')]);
    const buildId = /builds clean -b (\S+?)"/.exec(err)?.[1] ?? '';

    const { badBuilds } = await command.json<{ badBuilds: Record<string, string>[] }>(['builds', 'list']);
    expect(badBuilds).toContainEqual(
      expect.objectContaining({ buildId, errorDetails: expect.stringContaining('SyntaxError') }),
    );
    expect((await command.run(['builds', 'list'])).out).toContain('SyntaxError');
    expect(await command.json(['builds', 'clean', '-b', buildId])).toEqual({
      buildId,
      functions: ['clibroken'],
    });
    expect((await command.run(['builds', 'clean', '-b', buildId])).code).toBe(1);
  });
});

describe('library', () => {
  it('lists functions, shows one, and shows its readme', async () => {
    const { libraryItem } = await command.json<{ libraryItem: { functionId: string }[] }>(['library']);
    expect(libraryItem.map(({ functionId }) => functionId)).toContain('cligreeter');
    expect((await command.run(['library'])).out).toMatch(/^cligreeter +\d+ +private/m);

    const details = await command.json(['library', '-d', 'cligreeter']);
    expect(details).toMatchObject({ functionId: 'cligreeter', published: false });
    const shown = (await command.run(['library', '-d', 'cligreeter'])).out;
    expect(shown).toMatch(/\(latest\).*Node.* 24\./);
    expect(shown).toContain(`size s: ${url}/cligreeter-`);

    expect((await command.run(['library', '-d', 'cligreeter', '-r'])).out).toContain('# Greeter');
    expect(await command.json(['library', '-d', 'cligreeter', '-r'])).toMatchObject({
      readme: expect.stringContaining('# Greeter'),
    });
  });

  it('tells whether a name exists', async () => {
    expect(await command.json(['exists', '-n', 'cligreeter'])).toEqual({
      functionName: 'cligreeter',
      exists: true,
    });
    expect(await command.run(['exists', '-n', 'never been'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('does not exist'),
    });
  });

  it('publishes and withdraws', async () => {
    expect(await command.json(['publish', 'cligreeter'])).toMatchObject({ published: true });
    expect((await command.run(['withdraw', '-i', 'cligreeter'])).out).toContain('private');
    expect(await command.json(['library', '-d', 'cligreeter'])).toMatchObject({ published: false });
  });

  it('lists the runtimes of the server with what serves them', async () => {
    const { runtimes } = await command.json<{ runtimes: { id: string }[] }>(['runtimes']);
    expect(runtimes.map(({ id }) => id)).toEqual(expect.arrayContaining(['nodejs24', 'python312', 'java21']));
  });
});

describe('invoke', () => {
  it('calls with a query and prints the body alone to standard output', async () => {
    const ran = await command.run(['invoke', 'cligreeter', '--query', 'name=Zoë & co']);
    expect([ran.code, ran.out, ran.err]).toEqual([0, '{"greeting":"hello, Zoë & co!"}', '200 OK\n']);
  });

  it('calls the version that is named', async () => {
    const words = ['invoke', 'cligreeter', '--query', 'name=a', '--version'];
    expect((await command.run([...words, '1'])).code).toBe(0);
    const { code, err } = await command.run([...words, '99']);
    expect([code, err.trim()]).toEqual([1, expect.stringMatching(/\w{3}/)]);
  });

  it('sends JSON, a file and standard input as they are, and binary comes back byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
    write('.', { 'input.bin': bytes });
    const raw = ['invoke', 'cliprobe', '--query', 'do=raw'];
    expect(Buffer.compare((await command.run([...raw, '--file', 'input.bin'])).bytes, bytes)).toBe(0);
    expect(Buffer.compare((await command.run([...raw, '--data', '-'], { input: bytes })).bytes, bytes)).toBe(
      0,
    );
    const { out } = await command.run([
      'invoke',
      'cliprobe',
      '--query',
      'do=echo',
      '--json',
      '{"a": 1}',
      '--header',
      'X-Mine: yes',
      '--method',
      'PUT',
    ]);
    const seen = JSON.parse(out) as { method: string; headers: Record<string, string>; body: string };
    expect(seen).toMatchObject({
      method: 'PUT',
      headers: { 'x-mine': 'yes', 'content-type': 'application/json' },
      body: btoa('{"a": 1}'),
    });
  });

  for (const status of [404, 500]) {
    it(`exits 1 when the function answers ${status}, with its body still printed`, async () => {
      const query = ['--query', 'do=status', '--query', `code=${status}`, '--query', 'text=mine'];
      const { code, out, err } = await command.run(['invoke', 'cliprobe', ...query]);
      expect([code, out, err]).toEqual([1, 'mine', expect.stringContaining(String(status))]);
    });
  }

  it('of an unknown function says what to do', async () => {
    const { code, out, err } = await command.run(['invoke', 'nothinghere']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('Check the name');
  });
});

describe('watching', () => {
  it('calls lists what is kept of a call, and nothing of its content', async () => {
    await command.run(['invoke', 'cligreeter', '--query', 'name=unforgettable']);
    let calls: Record<string, unknown>[] = [];
    // Records are written a tenth of a second behind the call.
    while (calls.length === 0) ({ calls } = await command.json(['calls', '--function', 'cligreeter']));
    expect(calls[0]).toMatchObject({
      shortname: 'cligreeter',
      originIp: '127.0.0.1',
      ok: expect.any(Boolean),
    });
    const { code, out } = await command.run(['calls', '--days', '2', '--function', 'cligreeter']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d{4}-\d\d-\d\d +cligreeter/m)]);
    expect(JSON.stringify(calls) + out).not.toContain('unforgettable');
  });

  it('logs shows what a call prints meanwhile, as text and as JSON', async () => {
    for (const [flags, expected] of [
      [[], 'printed live'],
      [['--json'], '{"stream":"stdout","text":"printed live"}'],
    ] as const) {
      const tail = command.start(['logs', 'cliprobe', ...flags]);
      if (tail.stdout === null || tail.stderr === null) throw new Error('no pipes');
      const lines: string[] = [];
      const seen = new Promise<void>((found) => {
        createInterface({ input: tail.stdout as NodeJS.ReadableStream }).on('line', (line) => {
          lines.push(line);
          if (line === expected) found();
        });
      });
      await once(tail.stderr, 'data');
      await owner.call(probe, '?do=log&text=printed%20live');
      await seen;
      const ended = once(tail, 'close');
      tail.kill('SIGINT');
      await ended;
      expect(lines.filter((line) => !line.includes('printed live'))).toEqual([]);
    }
  });
});

describe('delete', () => {
  it('deletes one version, then the function, and both stop answering', async () => {
    expect(await command.json(['delete', 'cligreeter', '--version', '1', '-y'])).toMatchObject({
      deleted: true,
    });
    expect((await command.run(['invoke', 'cligreeter', '--version', '1', '--query', 'name=x'])).code).toBe(1);
    expect((await command.run(['invoke', 'cligreeter', '--query', 'name=x'])).code).toBe(0);
    expect((await command.run(['delete', 'cligreeter'])).out).toContain('with all its versions');
    expect((await command.run(['invoke', 'cligreeter', '--query', 'name=x'])).code).toBe(1);
    expect(existsSync(join(command.home, 'cligreeter'))).toBe(true);
  });
});

it('no output held the key that is logged in, or a stack trace', () => {
  expect(command.printed()).not.toContain(apiKey);
  expect(command.printed()).not.toMatch(/^\s+at .*\.(ts|js|mjs):\d+/m);
});
