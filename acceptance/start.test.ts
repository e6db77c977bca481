import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const KEY = /shown this once: (sk_[0-9A-Za-z]{27})\n/g;
const LINK = /once: (http:\S+)\n/g;

/** The one command of the README, as an operator's service manager would run and end it. */
let dataDir: string;
let npm: ChildProcessByStdio<null, Readable, null>;
let output = '';
let url: string;
let key: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'jellyfaas-start-'));
  const env = {
    ...process.env,
    JELLYFAAS_PORT: '0',
    JELLYFAAS_DATA_DIR: dataDir,
    JELLYFAAS_PREPARE_RUNTIMES: 'false',
  };
  npm = spawn('npm', ['start'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  npm.stdout.on('data', (chunk) => (output += String(chunk)));
  while (!output.includes('Try:')) await once(npm.stdout, 'data');
  url = /listens on (http:\S+)/.exec(output)?.[1] ?? '';
  key = lastIn(KEY);
});
afterAll(() => {
  npm.kill('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

function lastIn(pattern: RegExp): string {
  return [...output.matchAll(pattern)].at(-1)?.[1] ?? '';
}

function ask(apiKey: string, path: string, body?: object): Promise<Response> {
  return fetch(`${url}/api/v1/${path}`, {
    headers: { 'x-jf-apikey': apiKey, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
}

describe('npm start', () => {
  it('prints address, key and a line to try', async () => {
    const validated = await fetch(`${url}/auth-service/v1/validate`, { headers: { 'x-jf-apikey': key } });
    expect(validated.status).toBe(200);
    expect(output).toContain('npx jellyfaas login');
  });

  it('shows the key of a new owner as soon as the only one has erased himself', async () => {
    const before = (await (await ask(key, 'me')).json()) as { id: string };
    expect((await ask(key, 'rights/erasure', { confirm: before.id })).status).toBe(200);
    expect((await ask(key, 'me')).status).toBe(401);

    while (lastIn(KEY) === key) await once(npm.stdout, 'data');
    const me: unknown = await (await ask(lastIn(KEY), 'me')).json();
    expect(me).toMatchObject({ role: 'owner', id: expect.not.stringContaining(before.id) });
    expect((await fetch(lastIn(LINK))).status).toBe(200);
  });

  it('ends with 0 on SIGTERM', async () => {
    const exited = once(npm, 'exit');
    npm.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
