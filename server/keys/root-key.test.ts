import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { loadRootKey } from './root-key.ts';
import type { RootKeySource } from './root-key.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'root-key-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function keyOf(source: RootKeySource, mayCreate = true): Promise<string> {
  return Buffer.from((await loadRootKey(source, mayCreate)).bytes.reveal()).toString('hex');
}

describe('a root key in a file', () => {
  const file = (): { source: 'file'; path: string } => ({
    source: 'file',
    path: join(dir, 'keys', 'root.key'),
  });

  test('is made once, for its owner only, and stays the same', async () => {
    const first = await keyOf(file());
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await keyOf(file(), false)).toBe(first);
    expect(statSync(file().path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(dir, 'keys'))).toEqual(['root.key']);
  });

  test('is not made anew when there is data that the lost one had sealed', async () => {
    await expect(keyOf(file(), false)).rejects.toMatchObject({ code: 'keys.root_key_missing' });
    expect(readdirSync(dir)).toEqual([]);
  });

  test.each([0o640, 0o604, 0o660])('is refused when others have rights (%o)', async (mode) => {
    await keyOf(file());
    chmodSync(file().path, mode);
    await expect(keyOf(file())).rejects.toMatchObject({ code: 'keys.root_key_unsafe' });
  });

  test('is refused through a symbolic link', async () => {
    await keyOf(file());
    const path = join(dir, 'link.key');
    symlinkSync(file().path, path);
    await expect(keyOf({ source: 'file', path })).rejects.toMatchObject({ code: 'keys.root_key_unsafe' });
  });

  test.runIf(process.geteuid?.() === 0)('is refused when another user owns it', async () => {
    await keyOf(file());
    chownSync(file().path, 65534, 65534);
    await expect(keyOf(file())).rejects.toMatchObject({ code: 'keys.root_key_unsafe' });
  });

  test('is refused when it is a directory', async () => {
    await expect(keyOf({ source: 'file', path: dir })).rejects.toMatchObject({
      code: 'keys.root_key_unsafe',
    });
  });

  test.each([0, 31, 33, 65536])('is refused with %i bytes', async (length) => {
    const path = join(dir, 'short.key');
    writeFileSync(path, Buffer.alloc(length), { mode: 0o600 });
    await expect(keyOf({ source: 'file', path })).rejects.toMatchObject({ code: 'keys.root_key_malformed' });
  });
});

describe('a root key from a passphrase', () => {
  const from = (passphrase: string): RootKeySource => ({
    source: 'passphrase',
    secret: new Secret(passphrase),
    saltPath: join(dir, 'root.salt'),
  });

  test('depends on passphrase and salt, and the passphrase is not on disk', async () => {
    const key = await keyOf(from('correct horse battery'));
    expect(await keyOf(from('correct horse battery'), false)).toBe(key);
    expect(await keyOf(from('correct horse batterz'))).not.toBe(key);
    expect(readFileSync(join(dir, 'root.salt')).byteLength).toBe(16);
    rmSync(join(dir, 'root.salt'));
    expect(await keyOf(from('correct horse battery'))).not.toBe(key);
  });

  test('refuses a short passphrase', async () => {
    await expect(keyOf(from('short'))).rejects.toMatchObject({ code: 'keys.root_passphrase_short' });
  });
});

describe('a root key from a command', () => {
  const printing = (text: string): RootKeySource => ({
    source: 'command',
    argv: [process.execPath, '-e', `process.stdout.write(${JSON.stringify(text)})`],
  });

  test('is read as hex or base64', async () => {
    const key = Buffer.alloc(32, 7);
    expect(await keyOf(printing(`${key.toString('hex')}\n`))).toBe(key.toString('hex'));
    expect(await keyOf(printing(key.toString('base64')))).toBe(key.toString('hex'));
  });

  test.each(['', 'abc', 'zz'.repeat(32), 'ab'.repeat(33), 'a'.repeat(5000)])(
    'refuses other output',
    async (text) => {
      await expect(keyOf(printing(text))).rejects.toMatchObject({ code: 'keys.root_command_failed' });
    },
  );

  test('never shows what a failing command printed', async () => {
    const source: RootKeySource = {
      source: 'command',
      argv: [
        process.execPath,
        '-e',
        'console.log("hidden-key"); console.error("hidden-key"); process.exit(1)',
      ],
    };
    const failure = await keyOf(source).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'keys.root_command_failed' });
    expect(inspect(failure)).not.toContain('hidden-key');
  });

  test('runs no shell', async () => {
    const source: RootKeySource = { source: 'command', argv: [`echo ${'ab'.repeat(32)}; true`] };
    await expect(keyOf(source)).rejects.toMatchObject({ code: 'keys.root_command_failed' });
  });
});
