import { createHmac, randomBytes } from 'node:crypto';
import type { Holder } from '../accounts/principal.ts';
import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { deriveKey, unwrapKey, wrapKey } from '../keys/key-wrap.ts';
import type { StoredDatabase } from './database-store.ts';
import type { Database, DatabaseKind } from './databases.ts';
import { databaseErrors } from './errors.ts';

/**
 * What opens a database and what names it. The file's key is wrapped under a key derived from two secrets: one of the
 * key ring, which the service holds and can destroy at once, and the account key, which it does not have. Neither opens
 * anything alone.
 */
export interface Lock {
  /** The key that opens the file; the caller wipes it. */
  readonly key: Uint8Array;
  readonly wrappedKey: Uint8Array;
}

/** The name in the key ring of the service's half. */
export function lockResource(id: DatabaseId): string {
  return `databases/${id}`;
}

/** Makes a random key and wraps it; the service's half comes into being with it. */
export async function makeLock(keyRing: KeyRing, holder: Holder, id: DatabaseId): Promise<Lock> {
  const half = await keyRing.obtain(lockResource(id), holder.accountId);
  const key = new Uint8Array(randomBytes(32));
  return { key, wrappedKey: wrapKey(wrappingKey(holder, half), key, context('key', holder.accountId, id)) };
}

/** The file's key; `database.not_found` when the service's half is gone, which is what a dropped database is. */
export async function openLock(keyRing: KeyRing, holder: Holder, row: StoredDatabase): Promise<Uint8Array> {
  const half = await keyRing.find(lockResource(row.id));
  if (half === undefined) throw databaseErrors.notFound();
  const key = unwrapKey(wrappingKey(holder, half), row.wrappedKey, context('key', row.accountId, row.id));
  if (key === undefined) throw databaseErrors.unreadable();
  return Uint8Array.from(key);
}

/** Another key in the place of the one that opens the file now. */
export async function rewrapLock(
  keyRing: KeyRing,
  holder: Holder,
  { id, key }: { readonly id: DatabaseId; readonly key: Uint8Array },
): Promise<Uint8Array> {
  const half = await keyRing.find(lockResource(id));
  if (half === undefined) throw databaseErrors.notFound();
  return wrapKey(wrappingKey(holder, half), key, context('key', holder.accountId, id));
}

/** Finds a name without telling it. */
export function hashName({ accountKey }: Holder, kind: DatabaseKind, name: string): Uint8Array {
  return createHmac('sha256', deriveKey(accountKey.reveal(), 'database-name'))
    .update(`${kind}\n${name}`)
    .digest();
}

type Description = Pick<Database, 'name' | 'settings' | 'createdAt'>;

export function sealDescription(holder: Holder, id: DatabaseId, description: Description): Uint8Array {
  const { name, settings, createdAt } = description;
  const text = Buffer.from(JSON.stringify({ name, settings, createdAt }), 'utf8');
  return wrapKey(descriptionKey(holder), text, context('description', holder.accountId, id));
}

export function openDescription(holder: Holder, { id, accountId, description }: StoredDatabase): Description {
  const text = unwrapKey(descriptionKey(holder), description, context('description', accountId, id));
  if (text === undefined) throw databaseErrors.unreadable();
  return JSON.parse(Buffer.from(text).toString('utf8')) as Description;
}

function descriptionKey({ accountKey }: Holder): Uint8Array {
  return deriveKey(accountKey.reveal(), 'database-description');
}

function wrappingKey({ accountKey }: Holder, half: Uint8Array): Uint8Array {
  return deriveKey(Buffer.concat([accountKey.reveal(), half]), 'database-key');
}

/** Moved to another database or account, nothing opens. */
function context(what: 'key' | 'description', accountId: AccountId, id: DatabaseId): string {
  return `database-${what}\n${accountId}\n${id}`;
}
