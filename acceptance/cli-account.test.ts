import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Deployed, createClient, fixtureFiles, zip } from '../testkit/index.ts';
import { type Command, newCommand } from './command.ts';

/** Who somebody is for the command line, what it does without a server, and how it fails. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const command: Command = newCommand();
let probe: Deployed;

beforeAll(async () => {
  await command.run(['secret', '--url', url], { input: apiKey });
  probe = await owner.deploy('cliaccount', fixtureFiles('probe', { shortname: 'cliaccount' }));
});

afterAll(() => command.remove());

describe('logging in', () => {
  const someone = newCommand();
  afterAll(() => someone.remove());

  it('is asked for before anything else', async () => {
    const { code, out, err } = await someone.run(['library', '--url', url]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`jellyfaas login --url ${url}`);
  });

  it('with a wrong key says so, keeps nothing and does not repeat the key', async () => {
    const wrong = 'sk_wrongwrongwrongwrongwrong';
    const { code, out, err } = await someone.run(['login', '--url', url], { input: wrong });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('does not accept the API key');
    expect(err).not.toContain(wrong);
    expect(readdirSync(someone.home)).toEqual([]);
  });

  it('takes the key from standard input, never shows it, and keeps it for its user only', async () => {
    const { code, out, err } = await someone.run(['login', '--url', url], { input: `${apiKey}\n` });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(url);
    expect(out).not.toContain(apiKey);
    expect(statSync(join(someone.home, '.jellyfaas')).mode & 0o777).toBe(0o600);
  });

  it('makes the later commands work without a word about server or key', async () => {
    expect(await someone.json(['whoami'])).toMatchObject({ role: 'owner', email: expect.any(String) });
    const { token, expiry } = await someone.json<{ token: string; expiry: string }>(['token']);
    expect(Date.parse(expiry)).toBeGreaterThan(Date.now());
    const called = await fetch(`${url}/${probe.deploymentId}?do=count`, { headers: { jfwt: token } });
    expect(called.status).toBe(200);
  });

  it('is not needed where the environment carries server and key', async () => {
    const bare = newCommand();
    const { code, out } = await bare.run(['whoami'], {
      env: { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: apiKey },
    });
    expect([code, readdirSync(bare.home)]).toEqual([0, []]);
    expect(out).toContain('role: owner');
    bare.remove();
  });

  it('with secret remembers a key unchecked, and the next command says that it is refused', async () => {
    const wrong = 'sk_wrongwrongwrongwrongwrong';
    expect(
      (await someone.run(['secret', '--url', url, '--json'], { input: wrong })).out.replaceAll(/\s/g, ''),
    ).toBe(`{"url":"${url}","saved":true}`);
    const { code, err } = await someone.run(['library', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: expect.stringMatching(/^\w+\.\w+$/),
        message: expect.stringContaining('jellyfaas login'),
      },
    });
  });
});

describe('users and keys', () => {
  it('a created account gets its key shown once and can log in; only the owner creates accounts', async () => {
    const create = ['user', 'create', '-n', 'Command User', '-e', 'command@example.org'];
    const { password } = await command.json<{ password: string }>(create);
    const user = newCommand();
    expect((await user.run(['login', '--url', url], { input: password })).code).toBe(0);
    expect(await user.json(['whoami'])).toMatchObject({ role: 'member', name: 'Command User' });
    const { entities } = await command.json<{ entities: { email: string }[] }>(['user', 'list']);
    expect(entities.map(({ email }) => email)).toContain('command@example.org');
    expect((await command.run(['user', 'list'])).out).not.toContain(password);
    const refused = await user.run(['user', 'list']);
    expect([refused.code, refused.out, refused.err.trim()]).toEqual([
      1,
      '',
      expect.stringContaining('owner'),
    ]);
    expect((await user.run(['invoke', 'cliaccount', '--query', 'do=count'])).code).toBe(1);
    expect(user.printed()).not.toContain(password);
    user.remove();
  });

  it('a further key works until it is revoked', async () => {
    const { id, apiKey: further } = await command.json<{ id: string; apiKey: string }>(['keys', 'create']);
    const whoami = (): Promise<{ code: number | null }> =>
      command.run(['whoami', '--url', url], { env: { JELLYFAAS_API_KEY: further } });
    expect((await whoami()).code).toBe(0);
    const { apiKeys } = await command.json<{ apiKeys: { id: string }[] }>(['keys', 'list']);
    expect(apiKeys.map((key) => key.id)).toContain(id);
    expect((await command.run(['keys', 'list'])).out).toContain('this one');
    expect(await command.json(['keys', 'revoke', id])).toEqual({ id, revoked: true });
    expect((await whoami()).code).toBe(1);
    expect((await command.run(['keys', 'revoke', id])).code).toBe(1);
  });
});

describe('what needs no server', () => {
  const offline = { env: { JELLYFAAS_URL: 'http://127.0.0.1:1' } };

  it('spec makes a schema that a deploy accepts', async () => {
    const { code, out } = await command.run(['spec', '-r', '-f', '-j', '{"name":"foo","n":[1]}'], offline);
    expect(code).toBe(0);
    const schema: unknown = JSON.parse(out);
    expect(schema).toMatchObject({ type: 'object', required: ['name', 'n'] });
    const files = fixtureFiles('probe', {
      shortname: 'clischema',
      requirements: { requestType: 'POST', inputType: 'JSON', inputSchema: schema, outputType: 'NONE' },
    });
    expect((await owner.upload('clischema', await zip('clischema', files))).status).toBe(200);
  });

  it('base64 and version answer', async () => {
    expect(await command.run(['base64', '-e', 'grüße'], offline)).toMatchObject({
      code: 0,
      out: 'Z3LDvMOfZQ==\n',
    });
    expect(await command.json(['base64', '-d', 'Z3LDvMOfZQ=='])).toEqual({ result: 'grüße' });
    expect(await command.json(['version'])).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });

  it('runs on the older Node that a machine may have first in its PATH', async () => {
    const node = fileURLToPath(
      new URL(`../guest/runtimes/node_modules/node20-linux-${process.arch}/bin/node`, import.meta.url),
    );
    const { code, out } = await command.run(['version'], { node });
    expect([code, out]).toEqual([0, expect.stringContaining('JellyFaaS CLI v')]);
  });
});

describe('a failure', () => {
  it('of usage exits 2 and says how it is used', async () => {
    for (const words of [
      ['no-such-word'],
      ['deploy'],
      ['invoke'],
      ['library', '-r'],
      ['publish'],
      ['base64'],
    ]) {
      const { code, out, err } = await command.run(words);
      expect([words, code, out]).toEqual([words, 2, '']);
      expect(err.length).toBeGreaterThan(10);
    }
  });

  it('says what to do when no server answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((closed) => server.close(closed));
    const env = { JELLYFAAS_URL: `http://127.0.0.1:${port}`, JELLYFAAS_API_KEY: apiKey };
    const { code, out, err } = await command.run(['library'], { env });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`No server answers at http://127.0.0.1:${port}. Start it with "npm start"`);
  });

  it('over an unknown function says so for every command that names one', async () => {
    for (const words of [
      ['library', '-d', 'nothinghere'],
      ['publish', 'nothinghere'],
      ['withdraw', 'nothinghere'],
      ['delete', 'nothinghere', '-y'],
      ['logs', 'nothinghere'],
      ['calls', '--function', 'nothinghere'],
    ]) {
      const { code, out, err } = await command.run(words);
      expect([words, code, out]).toEqual([words, 1, '']);
      expect(err).toMatch(/not? /);
    }
  });

  it('never comes with a stack trace, and no output holds the key that is logged in', () => {
    expect(command.printed()).not.toContain(apiKey);
    expect(command.printed()).not.toMatch(/^\s+at .*\.(ts|js|mjs):\d+/m);
  });
});
