import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { BackupSettings } from './backup-settings.ts';
import type { BackupStore, StoredGeneration } from './backup-store.ts';
import { folderOf, generationsIn, readGeneration } from './generation.ts';
import { blobPath } from './still-copy.ts';
import { forgetTenant } from './synthetic-tenant.ts';
import type { BackupTarget } from './target.ts';

export interface RetireOptions {
  readonly target: BackupTarget;
  readonly store: BackupStore;
  readonly keyRing: Pick<KeyRing, 'destroyAll'>;
  readonly publicKey: Receipts['publicKey'];
  readonly settings: Pick<BackupSettings, 'keep' | 'maxAgeMs'>;
}

/**
 * Which generations have to go. Their number is bounded whatever any clock says, because each run adds one. By age go
 * those from too long ago, and those from as far ahead: one of two clocks was wrong then, and nobody knows for how long
 * they have lain there.
 */
export function expired(
  generations: readonly StoredGeneration[],
  { keep, maxAgeMs }: RetireOptions['settings'],
  now: number,
): StoredGeneration[] {
  const newest = generations.slice(-keep);
  return generations.filter(
    (generation) => !newest.includes(generation) || Math.abs(now - generation.at) > maxAgeMs,
  );
}

/** Removes what is expired, and what was left half made or half removed; returns the numbers of the expired. */
export async function retire(options: RetireOptions, now: number): Promise<number[]> {
  const { target, store, keyRing, settings } = options;
  await adoptUnknown(options);
  const gone = expired(await store.generations(), settings, now).map(({ number }) => number);
  for (const number of gone) {
    await removeFolder(target, number);
    await store.removed(number, now);
    await forgetTenant(number, keyRing);
  }
  const kept = new Set((await store.generations()).map(({ number }) => number));
  for (const number of await generationsIn(target)) {
    if (!kept.has(number) && !(await isForeign(options, number))) await removeFolder(target, number);
  }
  await removeUnused(options);
  return gone;
}

/** Takes over what lies complete in the target and is not on record: a crash came between, or the record was lost. */
export async function adoptUnknown({ target, store, publicKey }: RetireOptions): Promise<void> {
  const known = new Set((await store.generations()).map(({ number }) => number));
  for (const number of await generationsIn(target)) {
    if (known.has(number)) continue;
    const found = await readGeneration(target, publicKey, number).catch(() => undefined);
    if (found !== undefined) await store.adopt({ number, at: found.at, manifest: found.hash });
  }
}

/** Of another installation, or damaged: not ours to remove. */
async function isForeign({ target, publicKey }: RetireOptions, number: number): Promise<boolean> {
  if (!(await target.has(`${folderOf(number)}/manifest.jws`))) return false;
  return (await readGeneration(target, publicKey, number).catch(() => undefined)) === undefined;
}

/** The manifest first: a folder without it is none. */
async function removeFolder(target: BackupTarget, number: number): Promise<void> {
  await target.remove(`${folderOf(number)}/manifest.jws`);
  await target.remove(folderOf(number));
}

/** Ciphertext that no generation names any more. While one is not there or cannot be read, nobody knows which that is. */
async function removeUnused({ target, store, publicKey }: RetireOptions): Promise<void> {
  const used = new Set<string>();
  const known = (await store.generations()).map(({ number }) => number);
  for (const number of new Set([...known, ...(await generationsIn(target))])) {
    const generation = await readGeneration(target, publicKey, number).catch(() => undefined);
    if (generation === undefined) return;
    for (const { sha256 } of generation.files) used.add(sha256);
  }
  for (const name of await target.list('blobs')) if (!used.has(name)) await target.remove(blobPath(name));
}
