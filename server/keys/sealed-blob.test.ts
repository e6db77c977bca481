import { randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFile, sealToFile } from './sealed-blob.ts';

const MIB = 1024 * 1024;
const key = randomBytes(32);
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'blob-'));
  path = join(dir, 'blob');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a sealed blob', () => {
  test.each([0, 1, 65536, MIB - 1, MIB, MIB + 1, 3 * MIB])('gives back %i bytes', async (length) => {
    const bytes = randomBytes(length);
    await sealToFile(path, key, 'code/ver_1', bytes);
    expect(Buffer.compare(await openFile(path, key, 'code/ver_1'), bytes)).toBe(0);
  });

  test('is private, encrypted and leaves no other file', async () => {
    const marker = randomBytes(16).toString('hex');
    await sealToFile(path, key, 'code/ver_1', Buffer.from(marker.repeat(1000)));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path).includes(marker)).toBe(false);
    expect(readdirSync(dir)).toEqual(['blob']);
  });

  test('replaces an older one whole', async () => {
    await sealToFile(path, key, 'a', randomBytes(3 * MIB));
    await sealToFile(path, key, 'a', Buffer.from('new'));
    expect(Buffer.from(await openFile(path, key, 'a')).toString()).toBe('new');
  });

  test('does not open under another key or as other content', async () => {
    await sealToFile(path, key, 'code/ver_1', Buffer.from('code'));
    await expect(openFile(path, randomBytes(32), 'code/ver_1')).rejects.toMatchObject({
      code: 'keys.blob_corrupt',
    });
    await expect(openFile(path, key, 'code/ver_2')).rejects.toMatchObject({ code: 'keys.blob_corrupt' });
  });

  test('does not open with one bit flipped anywhere', async () => {
    await sealToFile(path, key, 'a', Buffer.from('small'));
    const sealed = readFileSync(path);
    for (let at = 0; at < sealed.length; at++) {
      const flipped = Buffer.from(sealed);
      flipped[at] = sealed.readUInt8(at) ^ 1;
      writeFileSync(path, flipped);
      await expect(openFile(path, key, 'a'), `byte ${at}`).rejects.toMatchObject({
        code: 'keys.blob_corrupt',
      });
    }
  });

  test('does not open truncated, at a chunk boundary either', async () => {
    await sealToFile(path, key, 'a', randomBytes(2 * MIB));
    const whole = readFileSync(path);
    for (const length of [0, 3, 36, 51, 52, 36 + MIB + 16, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      await expect(openFile(path, key, 'a'), `${length}`).rejects.toMatchObject({
        code: 'keys.blob_corrupt',
      });
    }
  });

  test('does not open with chunks exchanged', async () => {
    await sealToFile(path, key, 'a', randomBytes(3 * MIB));
    const sealed = readFileSync(path);
    const chunk = MIB + 16;
    const at = (index: number): Buffer => sealed.subarray(36 + index * chunk, 36 + (index + 1) * chunk);
    writeFileSync(path, Buffer.concat([sealed.subarray(0, 36), at(1), at(0), at(2)]));
    await expect(openFile(path, key, 'a')).rejects.toMatchObject({ code: 'keys.blob_corrupt' });
  });
});
