import Database from 'better-sqlite3-multiple-ciphers';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../kernel/ids.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { KeyRing, KeyStore } from '../keys/key-ring.ts';
import { deriveKey } from '../keys/key-wrap.ts';
import type { RootKey } from '../keys/root-key.ts';
import { openKeyStore } from './key-store.ts';

const root: RootKey = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
const alice = newId<AccountId>('acct');
const bob = newId<AccountId>('acct');

let dir: string;
let path: string;
let store: KeyStore & { close(): Promise<void> };
let ring: KeyRing;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'keys-'));
  path = join(dir, 'keys', 'keys.db');
  await reopen();
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A ring that remembers nothing. */
async function reopen(): Promise<void> {
  store = await openKeyStore({ path, root });
  ring = createKeyRing({ root, store });
}

async function restart(): Promise<void> {
  await store.close();
  await reopen();
}

function rawConnection(file: string): Database {
  const raw = new Database(file);
  raw.pragma(`cipher='aegis'`);
  raw.pragma(`key='raw:${Buffer.from(deriveKey(root.bytes.reveal(), 'key-store')).toString('hex')}'`);
  return raw;
}

/** Everything in the key store that its key can decrypt, free pages included. */
function decryptedContent(): Buffer {
  const copy = join(dir, 'copy.db');
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const raw = rawConnection(copy) as Database & { serialize(): Buffer };
  const content = raw.serialize();
  raw.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
  return content;
}

describe('the key ring', () => {
  test('gives each resource its own key and the same one after a restart', async () => {
    const first = await ring.obtain('code/one', alice);
    expect(first).toHaveLength(32);
    expect(await ring.obtain('code/two', alice)).not.toEqual(first);
    expect(await ring.obtain('code/one', alice)).toEqual(first);
    await restart();
    expect(await ring.find('code/one')).toEqual(first);
    expect(await ring.obtain('code/one', alice)).toEqual(first);
  });

  test('makes one key when many ask at once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, async () => await ring.obtain('a', 'root')));
    for (const key of keys) expect(key).toEqual(keys[0]);
  });

  test('hands out copies: a caller who clears his changes nobody else', async () => {
    const mine = await ring.obtain('a', 'root');
    const before = Uint8Array.from(mine);
    mine.fill(0);
    expect(await ring.find('a')).toEqual(before);
  });

  test('finds nothing that was not obtained', async () => {
    expect(await ring.find('a')).toBeUndefined();
  });

  test('does not give a key under another parent', async () => {
    await ring.obtain('a', alice);
    await expect(ring.obtain('a', bob)).rejects.toMatchObject({ code: 'keys.unreadable' });
    await expect(ring.obtain('a', 'root')).rejects.toMatchObject({ code: 'keys.unreadable' });
  });

  test.each(['', '/a', 'a/', 'a//b', 'a b', 'a\nroot', 'ä', 'x'.repeat(65536)])(
    'refuses a resource name that is no path',
    async (name) => {
      await expect(ring.obtain(name, 'root')).rejects.toMatchObject({ code: 'keys.bad_resource' });
    },
  );

  test('does not open a wrap that was moved to another resource, parent or root', async () => {
    await ring.obtain('a', 'root');
    const stored = await store.find('a');
    if (stored === undefined) throw new Error('no wrap');
    await store.insert([{ ...stored, resource: 'b' }]);
    await store.insert([{ ...stored, resource: 'c', rootGeneration: 2 }]);
    await ring.obtain('d', alice);
    await store.insert([{ ...stored, resource: 'e', parent: alice, rootGeneration: null }]);
    for (const resource of ['b', 'c', 'e']) {
      await expect(ring.find(resource), resource).rejects.toMatchObject({ code: 'keys.unreadable' });
    }
  });

  test('does not open a wrap under another root', async () => {
    await ring.obtain('a', 'root');
    const other = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
    await expect(createKeyRing({ root: other, store }).find('a')).rejects.toMatchObject({
      code: 'keys.unreadable',
    });
    await expect(openKeyStore({ path, root: other })).rejects.toMatchObject({ code: 'stores.wrong_key' });
  });
});

describe('a destroyed key', () => {
  test('is gone from memory, from the store and from every page of the file', async () => {
    await ring.obtain('other', 'root');
    const key = await ring.obtain('a', 'root');
    const wrap = Buffer.from((await store.find('a'))?.wrap ?? []);
    expect(decryptedContent().includes(wrap)).toBe(true);
    await ring.destroy('a');
    expect(await ring.find('a')).toBeUndefined();
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect(decryptedContent().includes(wrap)).toBe(false);
    expect(decryptedContent().includes('other')).toBe(true);
    expect(await ring.obtain('a', 'root')).not.toEqual(key);
  });

  test('does not come back with a look-up that overlaps its destruction', async () => {
    await ring.obtain('a', 'root');
    await restart();
    const [, , after] = await Promise.all([ring.find('a'), ring.destroy('a'), ring.find('a')]);
    expect(after).toBeUndefined();
  });

  test('may be destroyed again', async () => {
    await ring.destroy('never-there');
  });

  test('takes all keys of its account along, and nobody else’s', async () => {
    const kept = await ring.obtain('code/bob', bob);
    const wraps = [];
    for (const resource of ['code/1', 'code/2']) {
      await ring.obtain(resource, alice);
      wraps.push(Buffer.from((await store.find(resource))?.wrap ?? []));
    }
    await ring.destroyAccount(alice);
    for (const resource of ['code/1', 'code/2']) expect(await ring.find(resource)).toBeUndefined();
    for (const wrap of wraps) expect(decryptedContent().includes(wrap)).toBe(false);
    await restart();
    expect(await ring.find('code/1')).toBeUndefined();
    expect(await ring.find('code/bob')).toEqual(kept);
  });

  test('of an account lets nothing new be made for it, after a restart neither', async () => {
    await ring.obtain('blobs/1', alice);
    await ring.destroyAccount(alice);
    await expect(ring.obtain('blobs/2', alice)).rejects.toMatchObject({ code: 'keys.account_erased' });
    await restart();
    await expect(ring.create(['blobs/3'], alice)).rejects.toMatchObject({ code: 'keys.account_erased' });
    expect(await ring.find('account-keys/' + alice)).toBeUndefined();
    expect(await ring.obtain('blobs/4', bob)).toHaveLength(32);
  });

  test('is not reported gone while a reader keeps the log', async () => {
    await ring.obtain('a', 'root');
    await ring.obtain('b', 'root');
    const reader = rawConnection(path);
    const reading = reader.prepare('select * from wrapped_key').iterate();
    reading.next();
    await expect(ring.destroy('a')).rejects.toMatchObject({ code: 'stores.checkpoint_busy' });
    reading.return?.();
    reader.close();
    await ring.destroy('a');
    expect(statSync(`${path}-wal`).size).toBe(0);
  });
});

test('the key store holds nothing but wraps: its columns refuse free text', async () => {
  const wrap = new Uint8Array(60);
  const row = { resource: 'a', parent: 'root' as const, rootGeneration: 1, wrap };
  await expect(store.insert([{ ...row, wrap: new Uint8Array(61) }])).rejects.toThrow('CHECK');
  await expect(store.insert([{ ...row, parent: 'acct_hello world, hello me' as AccountId }])).rejects.toThrow(
    'CHECK',
  );
  await expect(store.insert([{ ...row, rootGeneration: null }])).rejects.toThrow('CHECK');
});

test('keys made together are durable together, and destroyed together leave no byte', async () => {
  const resources = Array.from({ length: 2500 }, (_, at) => `aimee/${alice}/conv_${at}`);
  const keys = await ring.create(resources, alice);
  const other = await ring.obtain(`aimee/${alice}/other`, alice);
  await restart();
  const last = resources.at(-1) ?? '';
  expect(await ring.find(last)).toEqual(keys.at(-1));
  const before = decryptedContent();
  expect(before.includes(last)).toBe(true);
  await ring.destroyAll([...resources, 'not/there']);
  expect(await ring.find(last)).toBeUndefined();
  expect(await ring.find(`aimee/${alice}/other`)).toEqual(other);
  expect(decryptedContent().includes(`aimee/${alice}/conv_`)).toBe(false);
});

test('of keys that are made together none comes to be when one has been made before', async () => {
  const kept = await ring.obtain('a/1', 'root');
  await expect(ring.create(['a/0', 'a/1'], 'root')).rejects.toThrow('UNIQUE');
  expect(await ring.find('a/0')).toBeUndefined();
  expect(await ring.find('a/1')).toEqual(kept);
});
