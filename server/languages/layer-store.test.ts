import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AccountId, LayerId } from '../kernel/ids.ts';
import type { Scratch } from '../sandbox/jail.ts';
import { BuildFailure } from './language.ts';
import { openLayerStore, type LayerStore } from './layer-store.ts';

const ALICE = 'acct_aaaaaaaaaaaaaaaaaaaa' as AccountId;
const BOB = 'acct_bbbbbbbbbbbbbbbbbbbb' as AccountId;
const KEY = 'a'.repeat(64);

let top: string;
let tree: string;
let store: LayerStore;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'layer-store-'));
  tree = join(top, 'scratch/tree');
  await mkdir(tree, { recursive: true });
  store = await openLayerStore(join(top, 'layers'));
});

afterEach(() => rm(top, { recursive: true }));

/** Only the path of a scratch matters to the store. */
function scratch(): Scratch {
  return { path: join(top, 'scratch') } as Scratch;
}

function take(): Promise<LayerId> {
  return store.take({ scratch: scratch(), below: 'tree', mountedAt: '/node_modules' });
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(join(tree, path, '..'), { recursive: true });
  await writeFile(join(tree, path), content);
}

test('the same content has the same id, whenever and in whatever order it was written', async () => {
  await write('b/two.js', '2');
  await write('a.js', '1');
  const first = await take();
  await rm(tree, { recursive: true });
  await write('a.js', '1');
  await write('b/two.js', '2');
  await chmod(join(tree, 'a.js'), 0o600);
  expect(await take()).toBe(first);
});

test('content, name, executable bit and link target are all part of the id', async () => {
  await write('a.js', '1');
  const ids = [await take()];
  await chmod(join(tree, 'a.js'), 0o755);
  ids.push(await take());
  await writeFile(join(tree, 'a.js'), '2');
  ids.push(await take());
  await symlink('a.js', join(tree, 'link'));
  ids.push(await take());
  await rm(join(tree, 'link'));
  await symlink('./a.js', join(tree, 'link'));
  ids.push(await take());
  await mkdir(join(tree, 'empty'));
  ids.push(await take());
  expect(new Set(ids).size).toBe(ids.length);
});

test('a layer is readable by everyone and carries no set-user-id bit', async () => {
  await write('bin/tool', '#!/bin/sh');
  await chmod(join(tree, 'bin/tool'), 0o4711);
  await chmod(join(tree, 'bin'), 0o700);
  const id = await take();
  expect((await stat(join(store.path(id), 'bin'))).mode & 0o7777).toBe(0o755);
  expect((await stat(join(store.path(id), 'bin/tool'))).mode & 0o7777).toBe(0o755);
  expect(await store.verify(id)).toBe(true);
});

test.each([
  ['an absolute link', '/etc/passwd', 'link'],
  ['a link upwards', '../../etc/passwd', 'a/link'],
  ['a link to itself', 'link', 'link'],
])('%s is refused', async (_what, target, path) => {
  await write('a/file.js', '');
  await symlink(target, join(tree, path));
  await expect(take()).rejects.toThrow(BuildFailure);
});

test('a link that leaves the tree through another link is refused', async () => {
  await mkdir(join(tree, 'a/b/c'), { recursive: true });
  await symlink('../../..', join(tree, 'a/b/c/root'));
  await symlink('a/b/c/root/../etc', join(tree, 'escape'));
  await expect(take()).rejects.toThrow('escape: the link leads outside the dependencies');
});

test('links inside the tree and to the code are kept', async () => {
  await write('.bin/tool', '');
  await mkdir(join(tree, 'deep/er'), { recursive: true });
  await symlink('../../.bin/tool', join(tree, 'deep/er/tool'));
  await symlink('/app/lib', join(tree, 'lib'));
  expect(await store.verify(await take())).toBe(true);
});

test('a tree that was replaced by a link is refused', async () => {
  await rm(tree, { recursive: true });
  await symlink('/etc', tree);
  await expect(take()).rejects.toThrow(BuildFailure);
});

test('pipes and names that are not UTF-8 are refused', async () => {
  execFileSync('mkfifo', [join(tree, 'pipe')]);
  await expect(take()).rejects.toThrow('pipe: neither a file, a directory nor a link');
  await rm(join(tree, 'pipe'));
  await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0x61])]), '');
  await expect(take()).rejects.toThrow('not UTF-8');
});

test('a refused tree leaves nothing behind', async () => {
  await write('a.js', '1');
  await symlink('/etc/passwd', join(tree, 'link'));
  await expect(take()).rejects.toThrow(BuildFailure);
  expect((await readdir(join(top, 'layers'))).toSorted()).toEqual(['incoming', 'index']);
  expect(await readdir(join(top, 'layers/incoming'))).toEqual([]);
});

test('what a crash left half done is gone after the next start', async () => {
  await mkdir(join(top, 'layers/incoming/half'), { recursive: true });
  await openLayerStore(join(top, 'layers'));
  expect(await readdir(join(top, 'layers/incoming'))).toEqual([]);
});

test('a look-up serves the account that remembered it and no other', async () => {
  await write('a.js', '1');
  const id = await take();
  await store.remember(ALICE, KEY, id);
  expect(await store.findByInput(ALICE, KEY)).toBe(id);
  expect(await store.findByInput(BOB, KEY)).toBeUndefined();
  await store.forget(ALICE);
  expect(await store.findByInput(ALICE, KEY)).toBeUndefined();
});

test('an index entry that names no layer finds nothing', async () => {
  await store.remember(ALICE, KEY, '../../etc' as LayerId);
  expect(await store.findByInput(ALICE, KEY)).toBeUndefined();
  await store.remember(ALICE, KEY, 'b'.repeat(64) as LayerId);
  expect(await store.findByInput(ALICE, KEY)).toBeUndefined();
});

test('collecting keeps what versions, the base and builds of the last month need, and removes the rest', async () => {
  const ids: LayerId[] = [];
  for (const content of ['used', 'base', 'recent', 'old', 'unused']) {
    await write('a.js', content);
    ids.push(await take());
  }
  const [used, base, recent, old, unused] = ids as [LayerId, LayerId, LayerId, LayerId, LayerId];
  await store.remember('base', KEY, base);
  await store.remember(ALICE, KEY, recent);
  await store.remember(ALICE, 'old', old);
  const longAgo = new Date(Date.now() - 31 * 24 * 3_600_000);
  await utimes(join(top, 'layers', 'index', ALICE, 'old'), longAgo, longAgo);
  expect(await store.collect(new Set())).toBe(0);
  const restarted = await openLayerStore(join(top, 'layers'));
  expect(await restarted.collect(new Set([used]))).toBe(2);
  expect(await restarted.findByInput(ALICE, KEY)).toBe(recent);
  expect(await restarted.verify(used)).toBe(true);
  expect(await restarted.verify(base)).toBe(true);
  await expect(stat(restarted.path(unused))).rejects.toThrow('ENOENT');
});

test('a changed layer fails its verification', async () => {
  await write('a.js', '1');
  const id = await take();
  await writeFile(join(store.path(id), 'a.js'), '2');
  expect(await store.verify(id)).toBe(false);
});
