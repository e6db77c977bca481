import { createHmac } from 'node:crypto';
import { deriveKey, unwrapKey, wrapKey } from '../keys/key-wrap.ts';
import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import { isAcceptableKey } from './api-key.ts';
import type { StoredApiKey } from './account-store.ts';
import type { KeyPrincipal, Role } from './principal.ts';

export interface LiveKey extends StoredApiKey {
  readonly principal: KeyPrincipal;
}

/**
 * Every API key that is good at this moment, in memory: this process is the only writer of the store, so what
 * is removed here is revoked from the next instruction on. About 0.5 KiB a key.
 */
export class LiveKeys {
  readonly #pepper: Uint8Array;
  readonly #byHmac = new Map<string, LiveKey>();
  readonly #byId = new Map<ApiKeyId, LiveKey>();

  constructor(pepper: Uint8Array) {
    this.#pepper = pepper;
  }

  hmacOf(apiKey: string): Uint8Array {
    return createHmac('sha256', this.#pepper).update(apiKey).digest();
  }

  add(stored: StoredApiKey, role: Role): void {
    const principal = Object.freeze({ accountId: stored.accountId, keyId: stored.id, role });
    const key = { ...stored, principal };
    this.#byHmac.set(indexOf(stored.hmac), key);
    this.#byId.set(stored.id, key);
  }

  remove(key: LiveKey): void {
    this.#byHmac.delete(indexOf(key.hmac));
    this.#byId.delete(key.id);
  }

  /** The key that `presented` is. Looking up an HMAC needs no constant time: nobody can choose its bytes. */
  authenticate(presented: string): LiveKey | undefined {
    return isAcceptableKey(presented) ? this.#byHmac.get(indexOf(this.hmacOf(presented))) : undefined;
  }

  get(keyId: ApiKeyId): LiveKey | undefined {
    return this.#byId.get(keyId);
  }

  ofAccount(accountId: AccountId): LiveKey[] {
    return [...this.#byId.values()].filter((key) => key.accountId === accountId);
  }
}

function indexOf(hmac: Uint8Array): string {
  return Buffer.from(hmac).toString('latin1');
}

/** Seals an account's key so that only this API key opens it: not the service, not the root key. */
export function wrapAccountKey(
  apiKey: string,
  accountKey: Uint8Array,
  owner: { accountId: AccountId; id: ApiKeyId },
): Uint8Array {
  return wrapKey(accountWrappingKey(apiKey), accountKey, contextOf(owner));
}

/** Undefined when the stored wrap was damaged or moved. */
export function unwrapAccountKey(apiKey: string, key: StoredApiKey): Uint8Array | undefined {
  return unwrapKey(accountWrappingKey(apiKey), key.wrappedAccountKey, contextOf(key));
}

function accountWrappingKey(apiKey: string): Uint8Array {
  return deriveKey(Buffer.from(apiKey, 'utf8'), 'account-key');
}

function contextOf({ accountId, id }: { accountId: AccountId; id: ApiKeyId }): string {
  return `account-key\n${accountId}\n${id}`;
}
