import type { Holder } from '../accounts/principal.ts';
import type { AccountId, DatabaseId } from '../kernel/ids.ts';

export type { Holder };

/**
 * Vector or managed SQL databases of accounts: which there are, how they are named, and the one way to the key that
 * opens one. Nothing here opens without the account key, which only a live token or API key brings (decision D5).
 */
export interface Databases {
  /**
   * Makes the key and an empty directory, then runs `prepare`, which creates the file; if that fails nothing stays.
   * Rejects with `databases.name_taken`, `databases.bad_name`, `databases.too_many`.
   */
  create(
    holder: Holder,
    form: NewDatabase,
    prepare: (file: DatabaseFile) => Promise<void>,
  ): Promise<Database>;
  /** The holder's own of one kind, by name. */
  list(holder: Holder, kind: DatabaseKind): Promise<Database[]>;
  /** Rejects with `database.not_found`, alike for missing, foreign and dropped ones. */
  find(holder: Holder, kind: DatabaseKind, name: string): Promise<Database>;
  /** Where it lies and what opens it. Rejects with `database.not_found`. The key is the caller's to wipe. */
  open(holder: Holder, kind: DatabaseKind, name: string): Promise<Opened>;
  /**
   * Destroys the key, then closes handles (`onDropped`), then removes the directory. Resolves when nothing can be read
   * any more; from then on the name is free.
   */
  drop(holder: Holder, kind: DatabaseKind, name: string): Promise<Dropped>;
  /** Drops all that an account has of one kind, without its key. */
  erase(accountId: AccountId, kind: DatabaseKind): Promise<void>;
  /**
   * Encrypts each file of the account anew under another key; how many. Requests that come meanwhile wait, and what runs
   * ends with `database.not_found`.
   */
  rotateAll(holder: Holder): Promise<number>;
  /** Heard after the key is gone and before files are removed: whoever has the file open closes it now. */
  onDropped(listener: (id: DatabaseId) => Promise<void> | void): void;
  /** Heard when a file is to be exchanged: whoever has it open closes it, and leaves it alone until `resume`. */
  onRotating(listener: RotationListener): void;
}

export interface RotationListener {
  pause(id: DatabaseId): Promise<void>;
  resume(id: DatabaseId): void;
}

export type DatabaseKind = 'vector' | 'sql';

export interface NewDatabase {
  readonly kind: DatabaseKind;
  /** 1 to 64 of letters, digits, `_`, `.`, `-`, beginning with a letter or digit; the public clients call it a collection. */
  readonly name: string;
  /** What the kind wants to know of the database before it opens the file; sealed with the name. JSON, at most 4 KiB. */
  readonly settings: DatabaseSettings;
}

export type DatabaseSettings = Readonly<Record<string, string | number | boolean | null>>;

export interface Database {
  readonly id: DatabaseId;
  readonly kind: DatabaseKind;
  readonly name: string;
  readonly settings: DatabaseSettings;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** A directory of its own, mode 0700, and the 32 bytes that open the file in it. */
export interface DatabaseFile {
  readonly id: DatabaseId;
  readonly directory: string;
  readonly key: Uint8Array;
}

export interface Opened {
  readonly database: Database;
  readonly file: DatabaseFile;
}

export interface Dropped {
  readonly id: DatabaseId;
  readonly kind: DatabaseKind;
  /** Compact JWS by the installation: what was destroyed and when, by id. */
  readonly receipt: string;
}
