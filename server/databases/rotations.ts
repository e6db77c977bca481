import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Holder } from '../accounts/principal.ts';
import type { DatabaseId } from '../kernel/ids.ts';
import { createJoint } from '../kernel/joint.ts';
import type { KeyChange, KeyRing } from '../keys/key-ring.ts';
import { openLock, rewrapLock } from './database-locks.ts';
import type { DatabaseStore, StoredDatabase } from './database-store.ts';
import type { DatabaseKind, RotationListener } from './databases.ts';
import { databaseErrors } from './errors.ts';

/** How a file that nobody has open gets another key. */
export interface DatabaseFiles {
  rekey(path: string, change: KeyChange): Promise<void>;
  /** Whether a crash interrupted that. */
  isRekeying(path: string): boolean;
  /** Ends what was interrupted, with the key in force. */
  finish(path: string, key: Uint8Array): Promise<void>;
}

export interface RotationsOptions {
  readonly store: Pick<DatabaseStore, 'find' | 'setWrappedKey'>;
  readonly keyRing: KeyRing;
  readonly files: DatabaseFiles;
  /** Databases lie below it, each in a directory of its own. */
  readonly directory: string;
}

/** Databases that are being given another key. */
export interface Rotations {
  rotate(holder: Holder, row: StoredDatabase): Promise<void>;
  /** Whether there was one; after its end. */
  ended(id: DatabaseId): Promise<boolean>;
  /** Before the file is opened: ends what a crash interrupted. */
  settle(row: StoredDatabase, key: Uint8Array): Promise<void>;
  onRotating(listener: RotationListener): void;
}

/** What the engine of a kind calls its file. */
const FILE_OF: Readonly<Record<DatabaseKind, string>> = { vector: 'vectors.db', sql: 'data.db' };

export function createRotations({ store, keyRing, files, directory }: RotationsOptions): Rotations {
  const listeners: RotationListener[] = [];
  const running = createJoint<DatabaseId>();
  const pathOf = ({ id, kind }: StoredDatabase): string => join(directory, id, FILE_OF[kind]);

  async function rotate(holder: Holder, row: StoredDatabase): Promise<void> {
    const { id, kind, accountId, nameHash } = row;
    const key = await openLock(keyRing, holder, row);
    const nextKey = new Uint8Array(randomBytes(32));
    const commit = async (): Promise<void> =>
      await store.setWrappedKey(id, await rewrapLock(keyRing, holder, { id, key: nextKey }));
    async function keyInForce(): Promise<Uint8Array> {
      const now = await store.find(accountId, kind, nameHash);
      if (now === undefined) throw databaseErrors.notFound();
      return await openLock(keyRing, holder, now);
    }
    try {
      for (const listener of listeners) await listener.pause(id);
      await files.rekey(pathOf(row), { key, nextKey, commit, keyInForce });
    } finally {
      for (const listener of listeners) listener.resume(id);
      for (const one of [key, nextKey]) one.fill(0);
    }
  }

  return {
    async rotate(holder, row) {
      await running.ended(row.id);
      await running.run(row.id, () => rotate(holder, row));
    },
    ended: (id) => running.ended(id),
    async settle(row, key) {
      const path = pathOf(row);
      if (files.isRekeying(path)) await running.run(row.id, () => files.finish(path, key));
    },
    onRotating: (listener) => void listeners.push(listener),
  };
}
