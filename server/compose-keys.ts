import type { Config } from './config.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Clock } from './kernel/clock.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import { createKeyRing, type KeyRing } from './keys/key-ring.ts';
import { createReceipts, type Receipts } from './keys/receipts.ts';
import { abandonNextRootKey, loadRootKey, type RootKey } from './keys/root-key.ts';
import { type OpenKeyStore, openKeyStore } from './stores/key-store.ts';

export interface ComposedKeys {
  readonly root: RootKey;
  readonly keyStore: OpenKeyStore;
  readonly keyRing: KeyRing;
  readonly receipts: Receipts;
}

/** The root key, and the keys that it opens. */
export async function composeKeys({
  config,
  clock,
  events,
  data,
  lifecycle,
}: {
  readonly config: Config;
  readonly clock: Clock;
  readonly events: EventLog;
  readonly data: DataDirectory;
  readonly lifecycle: Lifecycle;
}): Promise<ComposedKeys> {
  await abandonNextRootKey(config.rootKey);
  const root = await loadRootKey(config.rootKey, data.isNew);
  const keyStore = await openKeyStore({ path: data.keysDb, root, events });
  lifecycle.onClose('key store', () => keyStore.close());
  const keyRing = createKeyRing({ root, store: keyStore, clock });
  return { root, keyStore, keyRing, receipts: await createReceipts(keyRing) };
}
