import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { systemClock } from '../kernel/clock.ts';
import type { AccountId } from '../kernel/ids.ts';
import { PlatformError } from '../kernel/errors.ts';
import { type CachedKey, KeyCache } from './key-cache.ts';
import { deriveKey, unwrapKey, wrapKey } from './key-wrap.ts';
import type { RootKey } from './root-key.ts';
import { createSerial } from '../kernel/serial.ts';

/** Under what a resource key is wrapped: the root, or the key-encryption key of an account. */
export type KeyParent = 'root' | AccountId;

export interface StoredWrap {
  readonly resource: string;
  readonly parent: KeyParent;
  /** The root that opens the wrap; null under an account, whose own key-encryption key names it. */
  readonly rootGeneration: number | null;
  readonly wrap: Uint8Array;
}

/**
 * What is left of a destroyed key: that it was, and when. It keeps what a backup brings back from coming alive, and tells
 * nobody without the key ring which resource it was.
 */
export interface Tombstone {
  /** Keyed hash of the resource: 32 bytes. */
  readonly hash: Uint8Array;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Makes the tombstone of a resource. */
export type Bury = (resource: string) => Tombstone;

/** Holds wrapped keys apart from everything that they open. Durable when a promise resolves. */
export interface KeyStore {
  find(resource: string): Promise<StoredWrap | undefined>;
  /** All or none. */
  insert(wraps: readonly StoredWrap[]): Promise<void>;
  /**
   * Removes wraps (those that are there), all or none, so that no byte of them is left in file or log, and keeps a
   * tombstone of each resource.
   */
  remove(resources: readonly string[], bury: Bury): Promise<void>;
  /** The same, in one transaction, for an account's key-encryption key and all wraps under it. */
  removeAccount(accountId: AccountId, bury: Bury): Promise<void>;
  /** Whether there is a tombstone of this hash. */
  isBuried(hash: Uint8Array): Promise<boolean>;
}

/**
 * Random keys for everything that lies on disk. Destroying a key destroys all copies of what it opens, backups
 * included; that is what deletion means here. Resource names are paths like `calls/2026-11-23`, no content.
 */
export interface KeyRing {
  /**
   * The resource's 32-byte key, made now if there is none. The copy is the caller's. Rejects with `keys.account_erased` under
   * an account whose own key was destroyed: whatever still works for it makes nothing new.
   */
  obtain(resource: string, parent: KeyParent): Promise<Uint8Array>;
  /** Keys for resources that have none, made in one step, which takes little longer than for one. */
  create(resources: readonly string[], parent: KeyParent): Promise<Uint8Array[]>;
  /** The resource's key, or undefined if there is none (any more). */
  find(resource: string): Promise<Uint8Array | undefined>;
  /** The same for many at one moment: of keys that are destroyed together, all or none are found. */
  findAll(resources: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Returns once the key can no longer be recovered, from its backup neither. No error if it is gone already: what has no
   * key gets its tombstone, too. Throws when a listener does; then the key is gone here, and destroying it again finishes it.
   */
  destroy(resource: string): Promise<void>;
  /** The same for many in one step: all are gone, or after a crash none. */
  destroyAll(resources: readonly string[]): Promise<void>;
  /** Destroys the account's key-encryption key, and with it every key under it. */
  destroyAccount(accountId: AccountId): Promise<void>;
  /** What the resource's tombstone is called, if it has one. */
  tombstoneHash(resource: string): Promise<Uint8Array>;
  /** Is waited for after each destruction: copies of the key store forget what it has forgotten. */
  onDestroyed(listener: () => Promise<void>): void;
}

/** Of the key of tombstones, which has to last as long as they do. */
const TOMBSTONE_KEY = 'signing/tombstones';
const RESOURCE_FORM = /^[0-9A-Za-z_.-]+(\/[0-9A-Za-z_.-]+)*$/;
const RESOURCE_LENGTH_MAX = 200;
const CACHED_KEYS_MAX = 4096;

export interface KeyRingOptions {
  readonly root: RootKey;
  readonly store: KeyStore;
  readonly clock?: Pick<Clock, 'now'>;
}

export function createKeyRing({ clock = systemClock, ...options }: KeyRingOptions): KeyRing {
  const { store } = options;
  const cache = new KeyCache(CACHED_KEYS_MAX);
  const { load, create, loadOrCreate } = createWraps(options, cache);
  // One at a time: a look-up that overlaps a destruction must not bring the key back into the cache.
  const serial = createSerial();
  const listeners: (() => Promise<void>)[] = [];

  async function tellOfDestruction(): Promise<void> {
    for (const listener of listeners) await listener();
  }

  async function hashes(): Promise<(resource: string) => Uint8Array> {
    // Bytes would be made into a key for each hash, which takes three times as long as the hash.
    const key = createSecretKey(await loadOrCreate(TOMBSTONE_KEY, 'root'));
    return (resource) => createHmac('sha256', key).update(resource).digest();
  }

  async function bury(): Promise<Bury> {
    const at = clock.now();
    const hash = await hashes();
    return (resource) => ({ hash: hash(resource), at });
  }

  async function refuseErased(parent: KeyParent): Promise<void> {
    if (parent === 'root') return;
    const resource = accountResource(parent);
    if ((await load(resource)) !== undefined) return;
    if (await store.isBuried((await hashes())(resource))) throw accountErased();
  }

  async function findAll(resources: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    for (const resource of resources) checkResource(resource);
    return await serial(async () => {
      const found: (Uint8Array | undefined)[] = [];
      for (const resource of resources) {
        const key = (await load(resource))?.key;
        found.push(key && Uint8Array.from(key));
      }
      return found;
    });
  }

  async function destroyAll(resources: readonly string[]): Promise<void> {
    for (const resource of resources) checkResource(resource);
    await serial(async () => {
      for (const resource of resources) cache.forget(resource);
      await store.remove(resources, await bury());
    });
    await tellOfDestruction();
  }

  return {
    async obtain(resource, parent) {
      checkResource(resource);
      return await serial(async () => {
        await refuseErased(parent);
        return await loadOrCreate(resource, parent);
      });
    },
    async create(resources, parent) {
      for (const resource of resources) checkResource(resource);
      return await serial(async () => {
        await refuseErased(parent);
        return await create(resources, parent);
      });
    },
    find: async (resource) => (await findAll([resource]))[0],
    findAll,
    destroy: async (resource) => await destroyAll([resource]),
    destroyAll,
    async destroyAccount(accountId) {
      await serial(async () => {
        cache.forgetUnder(accountId);
        cache.forget(accountResource(accountId));
        await store.removeAccount(accountId, await bury());
      });
      await tellOfDestruction();
    },
    async tombstoneHash(resource) {
      return (await serial(hashes))(resource);
    },
    onDestroyed: (listener) => void listeners.push(listener),
  };
}

interface Wraps {
  readonly load: (resource: string) => Promise<CachedKey | undefined>;
  /** The keys are the caller's. */
  readonly create: (resources: readonly string[], parent: KeyParent) => Promise<Uint8Array[]>;
  readonly loadOrCreate: (resource: string, parent: KeyParent) => Promise<Uint8Array>;
}

/** Keys in and out of their wraps. */
function createWraps({ root, store }: Pick<KeyRingOptions, 'root' | 'store'>, cache: KeyCache): Wraps {
  const rootWrappingKey = deriveKey(root.bytes.reveal(), 'wrap');

  async function wrappingKeyOf(parent: KeyParent): Promise<Uint8Array | undefined> {
    return parent === 'root' ? rootWrappingKey : (await load(accountResource(parent)))?.key;
  }

  async function load(resource: string): Promise<CachedKey | undefined> {
    const cached = cache.get(resource);
    if (cached !== undefined) return cached;
    const stored = await store.find(resource);
    if (stored === undefined) return undefined;
    const wrappingKey = await wrappingKeyOf(stored.parent);
    const key = wrappingKey && unwrapKey(wrappingKey, stored.wrap, contextOf(stored));
    if (key === undefined) throw unreadable(resource);
    return cache.remember(resource, { parent: stored.parent, key });
  }

  async function create(resources: readonly string[], parent: KeyParent): Promise<Uint8Array[]> {
    if (parent !== 'root') await loadOrCreate(accountResource(parent), 'root');
    const wrappingKey = await wrappingKeyOf(parent);
    if (wrappingKey === undefined) throw unreadable(`${parent}`);
    const rootGeneration = parent === 'root' ? root.generation : null;
    const made = resources.map((resource) => ({ resource, key: new Uint8Array(randomBytes(32)) }));
    await store.insert(
      made.map(({ resource, key }) => {
        const context = contextOf({ resource, parent, rootGeneration });
        return { resource, parent, rootGeneration, wrap: wrapKey(wrappingKey, key, context) };
      }),
    );
    for (const { resource, key } of made) cache.remember(resource, { parent, key: Uint8Array.from(key) });
    return made.map(({ key }) => key);
  }

  async function loadOrCreate(resource: string, parent: KeyParent): Promise<Uint8Array> {
    const entry = await load(resource);
    if (entry === undefined) return (await create([resource], parent))[0] as Uint8Array;
    if (entry.parent !== parent) throw unreadable(resource);
    return Uint8Array.from(entry.key);
  }

  return { load, create, loadOrCreate };
}

/** The name under which the key-encryption key of an account is kept. */
export function accountResource(accountId: AccountId): string {
  return `account-keys/${accountId}`;
}

/** What a wrap is bound to: moved to another resource, parent or root it does not open. */
function contextOf({ resource, parent, rootGeneration }: Omit<StoredWrap, 'wrap'>): string {
  return ['key-wrap', resource, parent, rootGeneration ?? '-'].join('\n');
}

function checkResource(resource: string): void {
  if (resource.length > RESOURCE_LENGTH_MAX || !RESOURCE_FORM.test(resource)) {
    throw new PlatformError({
      kind: 'internal',
      code: 'keys.bad_resource',
      message: 'A resource name must be a short path of letters, digits, "_", "." and "-".',
    });
  }
}

function accountErased(): PlatformError {
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'keys.account_erased',
    message: 'The account was erased meanwhile. Nothing is kept for it any more.',
  });
}

function unreadable(resource: string): PlatformError {
  return new PlatformError({
    kind: 'internal',
    code: 'keys.unreadable',
    message: `The key of ${resource} does not open. The key store was damaged or changed; restore its backup.`,
  });
}
