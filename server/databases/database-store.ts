import type { AccountId, DatabaseId } from '../kernel/ids.ts';
import type { DatabaseKind } from './databases.ts';

/** What lies readable is whose it is and which kind; the rest opens under the account key alone. */
export interface StoredDatabase {
  readonly id: DatabaseId;
  readonly accountId: AccountId;
  readonly kind: DatabaseKind;
  /** Keyed hash of the name under the account key: 32 bytes. */
  readonly nameHash: Uint8Array;
  /** Name, settings and time of creation, sealed under the account key. */
  readonly description: Uint8Array;
  /** The file's key under account key and key ring together. */
  readonly wrappedKey: Uint8Array;
}

/** Durable when a promise resolves. */
export interface DatabaseStore {
  /** Throws `databases.name_taken` when the account has one of this kind and name. */
  insert(database: StoredDatabase): Promise<void>;
  list(accountId: AccountId, kind: DatabaseKind): Promise<StoredDatabase[]>;
  find(accountId: AccountId, kind: DatabaseKind, nameHash: Uint8Array): Promise<StoredDatabase | undefined>;
  /** Leaves no byte of the former one in file or log. */
  setWrappedKey(id: DatabaseId, wrappedKey: Uint8Array): Promise<void>;
  /** Of all accounts, for tidying up after a crash. */
  ids(): Promise<DatabaseId[]>;
  /** Leaves no byte of the row in file or log. No error if it is gone already. */
  remove(id: DatabaseId): Promise<void>;
}
