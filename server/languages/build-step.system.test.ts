import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Scratch } from '../sandbox/jail.ts';
import type { BuildStep } from './build-step.ts';
import { BuildFailure } from './language.ts';
import { openTestToolbox, type TestToolbox } from './testing.ts';

let toolbox: TestToolbox;
let scratch: Scratch;

beforeAll(async () => {
  toolbox = await openTestToolbox();
  scratch = await toolbox.jail.scratch(256);
});

afterAll(() => toolbox.close());

function step(script: string, overrides: Partial<BuildStep> = {}): Promise<void> {
  return toolbox.runStep({
    name: 'tool',
    argv: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/bin:/bin' },
    binds: [],
    scratch,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...overrides,
  });
}

test('lines of both streams are shown while the tool runs', async () => {
  const lines: string[] = [];
  await step('echo out; echo err >&2', { onProgress: (line) => lines.push(line) });
  expect(lines.toSorted()).toEqual(['err', 'out']);
});

test('a tool that fails, fails the build with its own last words', async () => {
  const attempt = step('echo too bad; exit 3');
  await expect(attempt).rejects.toThrow(BuildFailure);
  await expect(attempt).rejects.toThrow('tool failed with code 3:\ntoo bad');
});

test('a tool that never ends is stopped at its deadline', async () => {
  const attempt = step('sleep 1000', { timeoutMs: 300 });
  await expect(attempt).rejects.toThrow('took longer than');
});

test('a tool that needs too much memory is stopped, and the message says so', async () => {
  const attempt = step('head -c 300M /dev/zero | tail', { memoryMib: 64 });
  await expect(attempt).rejects.toThrow('needed more than 64 MiB');
});

test('a build that is called off ends with the reason, and its tool with it', async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('called off'));
  await expect(step('echo up; sleep 1000', { signal: controller.signal, onProgress })).rejects.toThrow(
    'called off',
  );
});

test('without hosts there is no network and no way to the proxy', async () => {
  await step('test ! -e /run/fn/egress.sock && ! tail -n +3 /proc/net/dev | grep -qv "^ *lo:"');
});
