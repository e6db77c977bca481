import { open, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eraseFile, overwrite } from '../keys/erase-file.ts';
import { deriveKey } from '../keys/key-wrap.ts';
import { createKeyRing, type KeyRing } from '../keys/key-ring.ts';
import type { RootKey } from '../keys/root-key.ts';
import { openFile, sealToFile } from '../keys/sealed-blob.ts';
import type { KeyRecord, OpenKeyStore } from '../stores/key-store.ts';
import { backupErrors } from './errors.ts';

/**
 * The backup of the key store: one sealed file, apart from the data, with all wraps and tombstones as they are now. It
 * is never added to and has no older generation: what is destroyed is in it no more.
 */
export interface KeyBackup {
  /** Durable when it resolves, with all that the store held when it was called. Throws `backups.keys_not_updated`. */
  rewrite(): Promise<void>;
}

export interface KeyBackupOptions {
  readonly directory: string;
  readonly root: RootKey;
  readonly store: Pick<OpenKeyStore, 'record'>;
}

const NAME = 'keys.jfk';
const AAD = 'key-backup';

export function createKeyBackup({ directory, root, store }: KeyBackupOptions): KeyBackup {
  const path = join(directory, NAME);
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function write(): Promise<void> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await eraseLeftovers(directory);
      const content = encode(await store.record());
      // The file that it replaces is overwritten, so that no free block of the disk has what was destroyed.
      const old = await open(path, 'r+').catch(() => undefined);
      try {
        await sealToFile(path, sealingKeyOf(root), AAD, content);
        if (old !== undefined) await overwrite(old);
      } finally {
        await old?.close();
      }
    } catch {
      throw backupErrors.keysNotUpdated();
    }
  }

  return {
    // Many that come while one runs share the next.
    rewrite() {
      next ??= running
        .catch(() => undefined)
        .then(async () => {
          next = undefined;
          await (running = write());
        });
      return next;
    },
  };
}

/** What the backup of the keys holds. Throws `backups.keys_unreadable`. */
export async function readKeyBackup(directory: string, root: RootKey): Promise<KeyRecord> {
  try {
    return decode(await openFile(join(directory, NAME), sealingKeyOf(root), AAD));
  } catch {
    throw backupErrors.keysUnreadable();
  }
}

/** The keys that the backup of the keys opens, to look at only. */
export function ringOf(record: KeyRecord, root: RootKey): Pick<KeyRing, 'find'> {
  const wraps = new Map(record.wraps.map((wrap) => [wrap.resource, wrap]));
  const refuse = (): Promise<never> => Promise.reject(backupErrors.keysUnreadable());
  const store = {
    find: async (resource: string) => wraps.get(resource),
    insert: refuse,
    remove: refuse,
    removeAccount: refuse,
    isBuried: refuse,
    under: refuse,
    rewrap: refuse,
    replaceRoot: refuse,
  };
  return createKeyRing({ root, store });
}

/**
 * Makes the key store at least as new as the record: the dead of both are dead, and keys that only the record has come
 * back. `ring` is that of the store.
 */
export async function mergeKeys(
  record: KeyRecord,
  {
    store,
    ring,
  }: { readonly store: OpenKeyStore; readonly ring: Pick<KeyRing, 'tombstoneHash' | 'destroyAll'> },
): Promise<void> {
  const before = await store.record();
  const known = new Set(before.wraps.map(({ resource }) => resource));
  const missing = record.wraps.filter(({ resource }) => !known.has(resource));
  // Above all the key of the tombstones, without which none can be told.
  await store.insert(missing);
  const ownDead = hashesOf(before);
  const theirDead = hashesOf(record);
  const theirs = new Set(record.wraps.map(({ resource }) => resource));
  const dead: string[] = [];
  for (const resource of new Set([...known, ...theirs])) {
    const hash = hex(await ring.tombstoneHash(resource));
    const diedThere = theirDead.has(hash) && !theirs.has(resource) && !ownDead.has(hash);
    if (diedThere || (ownDead.has(hash) && !known.has(resource))) dead.push(resource);
  }
  await store.bury(record.tombstones);
  if (dead.length > 0) await ring.destroyAll(dead);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function hashesOf({ tombstones }: KeyRecord): Set<string> {
  return new Set(tombstones.map(({ hash }) => hex(hash)));
}

function sealingKeyOf(root: RootKey): Uint8Array {
  return deriveKey(root.bytes.reveal(), 'key-backup');
}

/** What a crash left half written. */
async function eraseLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${NAME}.`)) continue;
    await eraseFile(join(directory, name));
  }
}

interface Encoded {
  readonly wraps: readonly (readonly [
    resource: string,
    parent: string,
    rootGeneration: number | null,
    wrap: string,
  ])[];
  readonly tombstones: readonly (readonly [hash: string, at: number])[];
}

function encode({ wraps, tombstones }: KeyRecord): Uint8Array {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const encoded: Encoded = {
    wraps: wraps.map(({ resource, parent, rootGeneration, wrap }) => [
      resource,
      parent,
      rootGeneration,
      base64(wrap),
    ]),
    tombstones: tombstones.map(({ hash, at }) => [base64(hash), at]),
  };
  return Buffer.from(JSON.stringify(encoded), 'utf8');
}

function decode(bytes: Uint8Array): KeyRecord {
  const { wraps, tombstones } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Encoded;
  return {
    wraps: wraps.map(([resource, parent, rootGeneration, wrap]) => ({
      resource,
      parent: parent as KeyRecord['wraps'][number]['parent'],
      rootGeneration,
      wrap: Buffer.from(wrap, 'base64'),
    })),
    tombstones: tombstones.map(([hash, at]) => ({ hash: Buffer.from(hash, 'base64'), at })),
  };
}
