import Database from 'better-sqlite3-multiple-ciphers';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FunctionStore, PendingBuild, VersionRow } from '../functions/function-store.ts';
import type { FunctionSpec } from '../functions/spec.ts';
import { newId, newXid } from '../kernel/ids.ts';
import type { AccountId } from '../kernel/ids.ts';
import { Secret } from '../kernel/secret.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { openFunctionStore } from './function-store.ts';
import { openKeyStore } from './key-store.ts';

const alice = newId<AccountId>('acct');
const bob = newId<AccountId>('acct');

let dir: string;
let path: string;
let keyRing: KeyRing;
let store: FunctionStore & { close(): Promise<void> };
let closeKeys: () => Promise<void>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'function-store-'));
  path = join(dir, 'functions.db');
  const root = { generation: 1, bytes: new Secret(new Uint8Array(randomBytes(32))) };
  const keyStore = await openKeyStore({ path: join(dir, 'keys', 'keys.db'), root });
  closeKeys = () => keyStore.close();
  keyRing = createKeyRing({ root, store: keyStore });
  store = await openFunctionStore({ path, keyRing });
});
afterEach(async () => {
  await store.close();
  await closeKeys();
  rmSync(dir, { recursive: true, force: true });
});

async function begin(accountId: AccountId, shortname: string, bounds: object = {}): Promise<PendingBuild> {
  const begun = await store.beginBuild(accountId, {
    buildId: newId('bld'),
    functionId: newId('fn'),
    shortname,
    name: shortname,
    xid: newXid(0),
    now: 0,
    functionsPerAccountMax: 10,
    versionsPerFunctionMax: 10,
    ...bounds,
  });
  if (begun.outcome !== 'begun') throw new Error(begun.outcome);
  return begun.build;
}

function versionOf(build: PendingBuild, change: Partial<VersionRow> = {}): VersionRow {
  return {
    version: build.version,
    xid: build.xid,
    releasedAt: 1,
    layer: null,
    spec: { name: build.shortname } as FunctionSpec,
    runtimeDetail: 'Node 22.23.3',
    readme: '',
    changelogText: '',
    digest: 'a'.repeat(64),
    ...change,
  };
}

async function live(accountId: AccountId, shortname: string): Promise<PendingBuild> {
  const build = await begin(accountId, shortname);
  await store.goLive(accountId, build.id, versionOf(build));
  return build;
}

describe('the function store', () => {
  test('gives back a version as it was written', async () => {
    const build = await begin(alice, 'greeter');
    const version = versionOf(build, { layer: 'b'.repeat(64) as VersionRow['layer'], readme: '# ü' });
    await store.goLive(alice, build.id, version);
    expect(await store.versions(build.functionId)).toEqual([version]);
    expect(await store.version(build.functionId)).toEqual(version);
    expect(await store.liveVersions()).toMatchObject([
      { fn: { id: build.functionId, ownerId: alice }, version: { version: 1, xid: build.xid } },
    ]);
  });

  test('lets no account touch the builds and functions of another', async () => {
    const first = await live(alice, 'greeter');
    const pending = await begin(alice, 'greeter');
    await store.abandonBuild(bob, pending.id);
    await store.failBuild(bob, pending.id, { errorDetails: 'no', keep: 10 });
    expect(await store.goLive(bob, pending.id, versionOf(pending))).toBeUndefined();
    expect(await store.build(bob, pending.id)).toBeUndefined();
    expect(await store.pendingBuild(bob, first.functionId)).toBeUndefined();
    expect(await store.own(bob, 'greeter')).toBeUndefined();
    expect(await store.findVisible(bob, 'greeter')).toBeUndefined();
    expect(await store.setPublished(bob, 'greeter', { published: true, now: 5 })).toBeUndefined();
    await store.removeVersion(bob, first.functionId, 1);
    await store.removeFunction(bob, first.functionId);
    expect((await store.build(alice, pending.id))?.state).toBe('PENDING');
    expect(await store.versions(first.functionId)).toHaveLength(1);

    await store.failBuild(alice, pending.id, { errorDetails: 'no', keep: 10 });
    expect(await store.badBuilds(bob)).toEqual([]);
    expect(await store.removeBadBuild(bob, pending.id)).toBeUndefined();
    expect(await store.badBuilds(alice)).toHaveLength(1);
  });

  test('takes a build live once, and never one that was abandoned', async () => {
    const build = await begin(alice, 'greeter');
    expect(await store.goLive(alice, build.id, versionOf(build))).toBeDefined();
    expect(await store.goLive(alice, build.id, versionOf(build))).toBeUndefined();
    const second = await begin(alice, 'greeter');
    await store.abandonBuild(alice, second.id);
    expect(await store.goLive(alice, second.id, versionOf(second))).toBeUndefined();
    expect(await store.versions(build.functionId)).toHaveLength(1);
  });

  test('holds an account to its number of functions and a function to its number of versions', async () => {
    await live(alice, 'greeter');
    await expect(begin(alice, 'another', { functionsPerAccountMax: 1 })).rejects.toThrow(
      'too_many_functions',
    );
    await expect(begin(alice, 'greeter', { versionsPerFunctionMax: 1 })).rejects.toThrow('too_many_versions');
    await begin(bob, 'another', { functionsPerAccountMax: 1 });
  });

  test('knows its pending builds after a restart and counts every resumption', async () => {
    const build = await begin(alice, 'greeter');
    await store.close();
    store = await openFunctionStore({ path, keyRing });
    expect(await store.resumePending()).toEqual([{ ...build, attempts: 1 }]);
    expect((await store.resumePending())[0]?.attempts).toBe(2);
  });

  test('keeps nothing of what was deleted, not even for the holder of its key', async () => {
    const marker = 'MARKER-7c1e52';
    const build = await begin(alice, 'greeter');
    await store.goLive(alice, build.id, versionOf(build, { readme: marker.repeat(2_000) }));
    const bad = await begin(alice, 'greeter');
    await store.failBuild(alice, bad.id, { errorDetails: marker, keep: 10 });
    expect((await decrypted()).includes(marker)).toBe(true);
    await store.removeFunction(alice, build.functionId);
    expect(statSync(`${path}-wal`).size).toBe(0);
    expect((await decrypted()).includes(marker)).toBe(false);
  });
});

/** The store's pages in the clear, free ones included. */
async function decrypted(): Promise<Buffer> {
  const copy = join(dir, 'copy.db');
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix);
  const raw = new Database(copy) as Database & { serialize(): Buffer };
  raw.pragma(`cipher='aegis'`);
  const key = (await keyRing.find('stores/functions')) ?? new Uint8Array();
  raw.pragma(`key='raw:${Buffer.from(key).toString('hex')}'`);
  const pages = raw.serialize();
  raw.close();
  return pages;
}
