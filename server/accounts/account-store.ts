import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Account } from './accounts.ts';
import type { Person } from './person.ts';

export interface StoredApiKey {
  readonly id: ApiKeyId;
  readonly accountId: AccountId;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Tokens of another epoch are dead: raising it ends them all at once and leaves the key. */
  readonly epoch: number;
  /** HMAC-SHA256 of the key under the installation's pepper; the key itself is stored nowhere. */
  readonly hmac: Uint8Array;
  /** The account key, which only the API key opens (decision D5). */
  readonly wrappedAccountKey: Uint8Array;
}

/** Durable when a promise resolves. */
export interface AccountStore {
  /** All or nothing. Throws `accounts.email_taken` (already_exists), whatever the case of ASCII letters. */
  insertAccount(account: Account, firstKey: StoredApiKey, identity?: Uint8Array): Promise<void>;
  findAccount(accountId: AccountId): Promise<Account | undefined>;
  /** Whatever the case of ASCII letters. */
  findAccountByEmail(email: string): Promise<Account | undefined>;
  /** `identity`: HMAC-SHA256 of issuer and subject under the installation's pepper. */
  findAccountByIdentity(identity: Uint8Array): Promise<Account | undefined>;
  /** False, and nothing changed, when the account has an identity or the identity an account. */
  insertIdentity(accountId: AccountId, identity: Uint8Array): Promise<boolean>;
  /**
   * Leaves no byte of the former name and address in file or log. Undefined for no account; throws
   * `accounts.email_taken` as `insertAccount`.
   */
  updatePerson(accountId: AccountId, person: Person, updatedAt: number): Promise<Account | undefined>;
  /** Removes the account with all that is stored of it here, and leaves no byte of it in file or log. */
  forgetAccount(accountId: AccountId): Promise<void>;
  /** In the order of their creation. */
  listAccounts(): Promise<Account[]>;
  /** Keys of all accounts. */
  listKeys(): Promise<StoredApiKey[]>;
  insertKey(key: StoredApiKey): Promise<void>;
  /** Leaves no byte of the key's row in file or log. */
  removeKey(keyId: ApiKeyId): Promise<void>;
}
