import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ModelSetting, type ProviderConfig, resolveModels } from './model-settings.ts';

const KEY = 'sk-canary-key-77aa';
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'model-settings-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function resolve(...settings: Partial<ModelSetting>[]): { models: ProviderConfig[]; faults: string[] } {
  const faults: string[] = [];
  const whole = settings.map((setting) => ({
    platform: 'lab',
    kind: 'openai-compatible' as const,
    model: 'm',
    ...setting,
  }));
  return { models: resolveModels(whole, (fault) => faults.push(fault)), faults };
}

describe('a model is the operator’s own', () => {
  test.each([
    'http://127.0.0.1:11434/v1',
    'http://[::1]:8000/v1',
    'http://localhost:8000/v1',
    'http://10.1.2.3/v1',
    'http://172.16.0.1/v1',
    'http://192.168.1.5:8080/v1',
    'http://169.254.1.1/v1',
    'http://[fd00::1]/v1',
    'http://[fe80::1]/v1',
    'http://[::ffff:10.0.0.1]/v1',
    // The URL parser turns other spellings of an address into the usual one.
    'http://0x7f000001/v1',
  ])('at %s', (baseUrl) => {
    const { models, faults } = resolve({ baseUrl });
    expect(models[0]).toMatchObject({ isOutside: false, retention: 'none' });
    expect(faults).toEqual([]);
  });

  test('where the operator says so, and outside where he says that', () => {
    expect(resolve({ baseUrl: 'http://ollama:11434/v1', outside: false })).toMatchObject({
      models: [{ isOutside: false }],
      faults: [],
    });
    expect(resolve({ baseUrl: 'https://127.0.0.1/v1', outside: true }).models[0]?.isOutside).toBe(true);
  });
});

test.each([
  'https://api.example.com/v1',
  'https://8.8.8.8/v1',
  'https://ollama/v1',
  'https://localhost.example.com/v1',
  'https://10.0.0.1.example.com/v1',
  'https://[::ffff:8.8.8.8]/v1',
  'https://[2001:4860:4860::8888]/v1',
])('a model at %s is outside', (baseUrl) => {
  expect(resolve({ baseUrl }).models[0]).toMatchObject({ isOutside: true, retention: 'provider' });
});

test('an outside model is reached over TLS only', () => {
  expect(resolve({ baseUrl: 'http://api.example.com/v1' }).faults).toEqual([
    expect.stringMatching(/platform lab: .*https/),
  ]);
});

test('the known APIs need no address', () => {
  const kinds = ['openai', 'anthropic', 'google'] as const;
  for (const kind of kinds) {
    const { models, faults } = resolve({ kind, key: KEY });
    expect(faults).toEqual([]);
    expect(models[0]).toMatchObject({ isOutside: true, baseUrl: expect.stringMatching(/^https:.*[^/]$/) });
  }
  expect(resolve({}).faults).toEqual([expect.stringContaining('baseUrl is needed')]);
});

test('a key comes from a file, without its line end, and is shown nowhere', () => {
  const keyFile = join(dir, 'key');
  writeFileSync(keyFile, `${KEY}\n`);
  const { models } = resolve({ baseUrl: 'https://api.example.com/v1', keyFile });
  expect(models[0]?.key?.reveal()).toBe(KEY);
  expect(JSON.stringify(models)).not.toContain(KEY);
});

test('faults name the platform and never a key', () => {
  const broken = join(dir, 'broken');
  writeFileSync(broken, `${KEY}\n${KEY}`);
  const baseUrl = 'https://api.example.com/v1';
  const { faults } = resolve(
    { baseUrl, key: KEY, keyFile: broken },
    { platform: 'two', baseUrl: `https://user:${KEY}@example.com/v1` },
    { platform: 'three', baseUrl: `https://example.com/v1?key=${KEY}` },
    { platform: 'four', kind: 'openai' },
    { platform: 'five', baseUrl, keyFile: join(dir, 'missing') },
    { platform: 'five', baseUrl },
    { platform: 'embedded', baseUrl },
  );
  const text = faults.join('\n');
  for (const said of [
    /lab: key and keyFile exclude/,
    /lab: the key holds characters/,
    /two: baseUrl must have no user/,
    /three: baseUrl must have no user/,
    /four: key or keyFile is needed/,
    /five: keyFile .* cannot be read/,
    /five: it is there twice/,
    /embedded: the name is kept/,
  ])
    expect(text).toMatch(said);
  expect(text).not.toContain(KEY);
});
