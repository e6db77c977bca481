import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { jellyfaas } from '../clients/sdk/src/index.ts';
import { encodeKeyConfigs, generateKeyPair, parseKeyConfigs } from '../clients/sdk/src/sealed/index.ts';
import { type Deployed, createClient, fixtureFiles } from '../testkit/index.ts';
import { startTap } from '../testkit/tcp-tap.ts';
import { greeterFiles } from './calling-platform.ts';
import { type Command, newCommand } from './command.ts';
import { startProxy } from './proxy-command.ts';

/** Clients that seal, against the real platform. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
const client = jellyfaas({ url, apiKey });
const root = fileURLToPath(new URL('..', import.meta.url));

let greeter: Deployed;
let probe: Deployed;
let command: Command;

beforeAll(async () => {
  greeter = await owner.deploy('sealgreeter', greeterFiles('sealgreeter'));
  probe = await owner.deploy('sealclient', fixtureFiles('probe', { shortname: 'sealclient' }));
  command = newCommand();
});
afterAll(() => command.remove());

const installationKey = async (): Promise<string> => {
  const published = await fetch(`${url}/.well-known/jellyfaas-receipts`);
  return ((await published.json()) as { keys: { x: string }[] }).keys[0]?.x ?? '';
};

describe('the SDK', () => {
  it('calls sealed as it calls plainly, and nothing of it is readable on the way', async () => {
    const tap = await startTap(url);
    const tapped = jellyfaas({ url: tap.url, apiKey });
    const at = new URL(`${tap.url}/${probe.deploymentId}/canary-path?do=echo&q=canary-query`);
    const call = {
      json: { text: 'canary-body' },
      headers: { 'x-note': 'canary-header' },
      sealed: true,
    };
    const answer = JSON.stringify(await tapped.invoke(at, call));
    expect(answer).toContain('canary-path');
    expect(answer).toContain('canary-query');
    expect(answer).toContain('canary-header');
    const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
    await tap.close();
    expect(seen).toContain(`POST /${probe.deploymentId} HTTP/1.1`);
    for (const form of ['canary', Buffer.from('canary-body').toString('base64'), 'x-from-function'])
      expect(seen).not.toContain(form);
  });

  it('takes the keys that the installation signed, and no others', async () => {
    const query = { name: 'Ada' };
    const pinned = jellyfaas({ url, apiKey, installationKey: await installationKey() });
    expect(await pinned.invoke('sealgreeter', { query, sealed: true })).toEqual({ greeting: 'hello, Ada!' });
    const other = jellyfaas({ url, apiKey, installationKey: 'A'.repeat(43) });
    const refused = { errorId: 'sdk.keys_not_signed' };
    await expect(other.invoke('sealgreeter', { query, sealed: true })).rejects.toMatchObject(refused);
  });

  it('seals once more when the sandbox with the key has ended', async () => {
    const at = new URL(`${probe.url}?do=count`);
    const first = (await client.invoke(at, { sealed: true })) as { calls: number };
    await expect(client.invoke(new URL(`${probe.url}?do=exit`), { sealed: true })).rejects.toMatchObject({
      status: 502,
    });
    expect(await client.invoke(at, { sealed: true })).toMatchObject({ calls: 1 });
    expect(first.calls).toBeGreaterThan(0);
  });

  it('seals once more when the sandbox that came after has a key of the same id', async () => {
    const statuses: number[] = [];
    let isFirst = true;
    const afterRestart = jellyfaas({
      url,
      apiKey,
      fetch: async (to, init) => {
        const response = await fetch(to, init);
        if (init.method === 'POST') statuses.push(response.status);
        if (!to.includes('/ohttp-keys/') || !isFirst) return response;
        isFirst = false;
        return new Response(await lostKeys(response), { headers: response.headers });
      },
    });
    const at = new URL(`${probe.url}?do=count`);
    const { calls } = (await client.invoke(at, { sealed: true })) as { calls: number };
    expect(await afterRestart.invoke(at, { sealed: true })).toMatchObject({ calls: calls + 1 });
    expect(statuses).toEqual([400, 200]);
  });

  it('goes to the newest version also when the one that was looked up is deleted', async () => {
    const call = () => client.invoke('sealpassing', { query: { name: 'Ada' }, sealed: true });
    await owner.deploy('sealpassing', greeterFiles('sealpassing'));
    expect(await call()).toEqual({ greeting: 'hello, Ada!' });
    await owner.deploy('sealpassing', greeterFiles('sealpassing'));
    await fetch(`${url}/api/v1/functions/sealpassing?version=1`, {
      method: 'DELETE',
      headers: { 'x-jf-apikey': apiKey },
    });
    expect(await call()).toEqual({ greeting: 'hello, Ada!' });
  });

  it('hides how long a short answer is', async () => {
    const lengths = new Set<number>();
    for (const text of ['yes', 'not at all']) {
      const tap = await startTap(url);
      const at = new URL(`${tap.url}/${probe.deploymentId}?do=status&code=200&text=${text}`);
      await jellyfaas({ url: tap.url, token: () => owner.token() }).invoke(at, { sealed: true });
      lengths.add(tap.received().length);
      await tap.close();
    }
    expect(lengths.size).toBe(1);
  });
});

/** What an earlier sandbox would have answered, whose key happened to have the same id. */
async function lostKeys(present: Response): Promise<Uint8Array<ArrayBuffer>> {
  const [config] = parseKeyConfigs(new Uint8Array(await present.arrayBuffer()));
  return encodeKeyConfigs([(await generateKeyPair(config?.keyId ?? -1)).config]);
}

describe('jellyfaas invoke --sealed', () => {
  it('calls as without it', async () => {
    const env = { JELLYFAAS_URL: url, JELLYFAAS_API_KEY: apiKey };
    const sealed = ['--sealed', '--installation-key', await installationKey()];
    const words = ['invoke', 'sealgreeter', '--query', 'name=Ada', ...sealed];
    expect(await command.run(words, { env })).toMatchObject({
      code: 0,
      out: '{"greeting":"hello, Ada!"}',
      err: '200 OK (sealed)\n',
    });
    const input = Buffer.alloc(70_000, 7);
    const raw = ['invoke', 'sealclient', '--query', 'do=raw', '--method', 'PUT', '--data', '-', ...sealed];
    expect(input.equals((await command.run(raw, { env, input })).bytes)).toBe(true);
  });
});

describe('jellyfaas proxy', () => {
  it('seals what a client without seals calls', async () => {
    const tap = await startTap(url);
    const proxy = await startProxy(command, tap.url, ['--installation-key', await installationKey()]);
    const old = jellyfaas({ url: proxy.url, apiKey });
    const { dns } = await old.lookup('sealgreeter');
    expect(dns).toBe(`${proxy.url}/${greeter.deploymentId}`);
    expect(await old.invoke('sealgreeter', { query: { name: 'canary' } })).toEqual({
      greeting: 'hello, canary!',
    });
    const failed = await old.call('sealgreeter', { query: { name: 'canary', status: 404 } });
    expect([failed.status, await failed.json()]).toEqual([404, { greeting: 'hello, canary!' }]);
    await expect(old.listVectors()).rejects.toMatchObject({ status: 404, errorId: 'proxy.not_passed' });
    const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
    expect(seen).toContain(`POST /${greeter.deploymentId} HTTP/1.1`);
    expect(seen).not.toContain('canary');
    await proxy.stop();
    await tap.close();
  });
});

describe('docs/sealed-calls.md', () => {
  const document = readFileSync(join(root, 'docs/sealed-calls.md'), 'utf8');
  const snippets = [...document.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .map(([, language = '', code = '']) => ({ language, code }))
    // What goes on with the client of another one asks models, and is run where there are some.
    .filter(({ language, code }) => language !== 'console' && !code.startsWith('const'));

  async function runProgram(program: string, words: readonly string[], input = ''): Promise<string> {
    const child = spawn(program, words, {
      env: {
        PATH: process.env['PATH'],
        PYTHONPATH: join(root, 'clients/python'),
        JELLYFAAS_URL: url,
        JELLYFAAS_API_KEY: apiKey,
      },
    });
    child.stdin.end(input);
    const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]);
    if (child.exitCode !== 0) throw new Error(`${program} exited ${child.exitCode}: ${String(err)}`);
    return String(out);
  }

  const runs: Record<string, (code: string) => Promise<string>> = {
    ts: async (code) => {
      const folder = mkdtempSync(join(tmpdir(), 'jellyfaas-snippet-'));
      const file = join(folder, 'snippet.mjs');
      const source = code.replace('@jellyfaas/sdk', join(root, 'clients/sdk/src/index.ts'));
      writeFileSync(file, stripTypeScriptTypes(source.replaceAll("'greeter'", "'sealgreeter'")));
      const printed = await runProgram(process.execPath, [file]);
      rmSync(folder, { recursive: true });
      return printed;
    },
    python: async (code) => {
      const proxy = await startProxy(command, url);
      const source = code.replace('http://127.0.0.1:8484', proxy.url).replace('"greeter"', '"sealgreeter"');
      const printed = await runProgram('/usr/bin/python3', ['-B', '-'], source);
      await proxy.stop();
      return printed;
    },
    sh: (code) => runProgram('/bin/sh', ['-eu'], code),
  };

  const EXPECTED: Record<string, () => Promise<string>> = {
    ts: async () => 'hello, Ada!\n{"greeting":"hello, Ada!"}',
    python: async () => 'hello, Ada!',
    sh: installationKey,
  };

  it.each(snippets)('its $language runs', async ({ language, code }) => {
    expect((await runs[language]?.(code))?.trim()).toBe(await EXPECTED[language]?.());
  });
});
