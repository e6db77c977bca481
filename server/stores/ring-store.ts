import type { KeyRing } from '../keys/key-ring.ts';
import { type EncryptedStore, type EncryptedStoreOptions, openEncrypted } from './sqlite.ts';

export interface RingStoreOptions extends Omit<EncryptedStoreOptions, 'key'> {
  readonly keyRing: Pick<KeyRing, 'obtain' | 'replacementOf'>;
}

/** A store whose key can be exchanged while it is in use. */
export interface RotatableStore {
  /** Encrypts the file anew under another key; queries wait. */
  rotateKey(): Promise<void>;
}

/** A store of the installation itself: the key ring has its key, under the root. */
export async function openRingStore<Tables>({
  keyRing,
  ...options
}: RingStoreOptions): Promise<EncryptedStore<Tables> & RotatableStore> {
  const resource = `stores/${options.name}`;
  const store = await openEncrypted<Tables>({ ...options, key: await keyRing.obtain(resource, 'root') });
  return {
    ...store,
    async rotateKey() {
      const change = await keyRing.replacementOf(resource);
      if (change !== undefined) await store.rekey(change);
    },
  };
}
