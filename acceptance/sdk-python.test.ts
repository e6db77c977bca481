import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CallingPlatform, startCallingPlatform } from './calling-platform.ts';

/** The Python client's own tests, against the real platform and a scripted model. */
const folder = fileURLToPath(new URL('../clients/python', import.meta.url));
const source = readFileSync(`${folder}/tests/test_client.py`, 'utf8');
const tests = [...source.matchAll(/def (test_\w+)/g)].map(([, name]) => name ?? '');

let platform: CallingPlatform;

beforeAll(async () => {
  platform = await startCallingPlatform(inject('platform').dataDir);
});

afterAll(() => platform.stop());

async function runPython(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  // -B: leaves no compiled files in the sources.
  const child = spawn('/usr/bin/python3', ['-B', ...words], {
    cwd: folder,
    env: { JELLYFAAS_URL: platform.url, JELLYFAAS_API_KEY: platform.apiKey, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: `${String(out)}${String(err)}` };
}

describe('the Python client', () => {
  for (const name of tests) {
    it(name.replace('test_', '').replaceAll('_', ' '), async () => {
      const { code, output } = await runPython(['-m', 'unittest', `tests.test_client.ClientTest.${name}`]);
      expect(code, output).toBe(0);
    });
  }

  it('asks a server on this machine itself, whatever proxy the environment names', async () => {
    const test = 'tests.test_client.ClientTest.test_invoke_decodes_json_and_bytes';
    const { code, output } = await runPython(['-m', 'unittest', test], {
      http_proxy: 'http://nothing.invalid:1',
    });
    expect(code, output).toBe(0);
  });

  it('ends the work of the model when its iterator is closed', async () => {
    const before = platform.model.requests.length;
    await runPython(['-m', 'unittest', 'tests.test_client.ClientTest.test_ask_stream_can_be_left']);
    expect(await platform.model.requests[before]?.ended).toBe('client-left');
  });
});
