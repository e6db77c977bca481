import { LruMap } from '../kernel/lru-map.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { KeyParent } from './key-ring.ts';

export interface CachedKey {
  readonly parent: KeyParent;
  readonly key: Uint8Array;
}

/** Unwrapped keys, a bounded number of them; whatever leaves is wiped. */
export class KeyCache {
  readonly #keys: LruMap<string, CachedKey>;

  constructor(size: number) {
    this.#keys = new LruMap(size);
  }

  get(resource: string): CachedKey | undefined {
    return this.#keys.get(resource);
  }

  remember(resource: string, entry: CachedKey): CachedKey {
    this.#keys.set(resource, entry)?.key.fill(0);
    return entry;
  }

  forget(resource: string): void {
    this.#keys.take(resource)?.key.fill(0);
  }

  forgetUnder(accountId: AccountId): void {
    for (const [resource, { parent }] of this.#keys.entries()) {
      if (parent === accountId) this.forget(resource);
    }
  }
}
