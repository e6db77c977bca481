import { join } from 'node:path';
import { openDataDirectory } from '../server/data-directory.ts';
import { type Blobs, codeBlob, createBlobs } from '../server/functions/blobs.ts';
import type { FunctionRow, FunctionStore, VersionRow } from '../server/functions/function-store.ts';
import { newId, newXid } from '../server/kernel/ids.ts';
import { createKeyRing, type KeyRing } from '../server/keys/key-ring.ts';
import { loadRootKey } from '../server/keys/root-key.ts';
import { openAccountStore } from '../server/stores/account-store.ts';
import { openFunctionStore } from '../server/stores/function-store.ts';
import { openKeyStore } from '../server/stores/key-store.ts';

/**
 * Adds `count` copies of the owner's deployed function while the server is stopped: each with rows, sealed code
 * and key of its own, through the server's own stores, as if it had been deployed.
 */
export async function cloneFunction(dataDir: string, shortname: string, count: number): Promise<void> {
  const data = openDataDirectory(dataDir);
  const root = await loadRootKey({ source: 'file', path: join(dataDir, 'keys', 'root.key') }, false);
  const keys = await openKeyStore({ path: data.keysDb, root });
  const keyRing = createKeyRing({ root, store: keys });
  const store = await openFunctionStore({ path: data.functionsDb, keyRing });
  try {
    const blobs = createBlobs({ dir: data.blobs, keyRing });
    const original = await readOriginal(
      { store, blobs },
      await firstAccount(data.accountsDb, keyRing),
      shortname,
    );
    for (let copy = 1; copy <= count; copy++) await addCopy({ store, blobs }, original, copy);
  } finally {
    await store.close();
    await keys.close();
    data.release();
  }
}

interface Stores {
  readonly store: FunctionStore;
  readonly blobs: Blobs;
}

interface Original {
  readonly fn: FunctionRow;
  readonly version: VersionRow;
  readonly code: Uint8Array;
}

async function firstAccount(path: string, keyRing: KeyRing): Promise<FunctionRow['ownerId']> {
  const accounts = await openAccountStore({ path, keyRing });
  const [owner] = await accounts.listAccounts();
  await accounts.close();
  if (owner === undefined) throw new Error('the data directory has no account');
  return owner.id;
}

async function readOriginal(
  { store, blobs }: Stores,
  ownerId: FunctionRow['ownerId'],
  shortname: string,
): Promise<Original> {
  const fn = await store.own(ownerId, shortname);
  const version = fn && (await store.version(fn.id));
  if (fn === undefined || version === undefined) throw new Error(`there is no function ${shortname}`);
  return { fn, version, code: await blobs.get(codeBlob(fn.id, version.version)) };
}

async function addCopy(
  { store, blobs }: Stores,
  { fn, version, code }: Original,
  copy: number,
): Promise<void> {
  const { ownerId } = fn;
  const shortname = `${fn.shortname}-${copy}`;
  const now = Date.now();
  const begun = await store.beginBuild(ownerId, {
    buildId: newId('bld'),
    functionId: newId('fn'),
    shortname,
    name: version.spec.name,
    xid: newXid(now),
    now,
    functionsPerAccountMax: Infinity,
    versionsPerFunctionMax: Infinity,
  });
  if (begun.outcome !== 'begun') throw new Error(`the copy ${shortname} was refused: ${begun.outcome}`);
  const { build } = begun;
  await blobs.put(codeBlob(build.functionId, build.version), ownerId, code);
  const spec = { ...version.spec, shortname };
  await store.goLive(ownerId, build.id, { ...version, ...build, spec });
}
