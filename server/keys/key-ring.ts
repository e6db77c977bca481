import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { systemClock } from '../kernel/clock.ts';
import type { AccountId } from '../kernel/ids.ts';
import { PlatformError } from '../kernel/errors.ts';
import { type CachedKey, KeyCache } from './key-cache.ts';
import { deriveKey, unwrapKey, wrapKey } from './key-wrap.ts';
import type { NextRootKey, RootKey } from './root-key.ts';
import { createSerial, type Serial } from '../kernel/serial.ts';
import { Secret } from '../kernel/secret.ts';

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
  /** All wraps under one parent. */
  under(parent: KeyParent): Promise<StoredWrap[]>;
  /** Other wraps for the same resources, all or none; no byte of the old ones is left in file or log. */
  rewrap(wraps: readonly StoredWrap[]): Promise<void>;
  /** The same for all wraps under the root, with a file that the next root key opens. After `commit` it counts. */
  replaceRoot(next: NextRootKey, wraps: readonly StoredWrap[]): Promise<void>;
}

/** Of a file that is to be encrypted anew. */
export interface KeyChange {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 32 bytes. */
  readonly nextKey: Uint8Array;
  /** From here on the file's key is `nextKey`, after a crash, too. */
  readonly commit: () => Promise<void>;
  /** Which of them it is, asked of the place where it is kept: a failed `commit` may have happened. */
  readonly keyInForce: () => Promise<Uint8Array>;
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
  /** A new key-encryption key for the account. All keys stay as they are; how many were wrapped anew. */
  rotateAccount(accountId: AccountId): Promise<number>;
  /** Names of all that has a key under the account. */
  resourcesOf(accountId: AccountId): Promise<string[]>;
  /** Another key for the resource, with which a file is encrypted anew; undefined where there is none. */
  replacementOf(resource: string): Promise<KeyChange | undefined>;
  /** Another root key from here on. All keys stay as they are; how many were wrapped anew. */
  rotateRoot(next: NextRootKey): Promise<number>;
  /** What the resource's tombstone is called, if it has one. */
  tombstoneHash(resource: string): Promise<Uint8Array>;
  /** Is waited for after each destruction and rotation: copies of the key store forget what it has forgotten. */
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
  const { load, create, loadOrCreate, replace } = createWraps(options, cache);
  const { hashes, bury } = createTombstones(loadOrCreate, clock);
  // One at a time: a look-up that overlaps a destruction must not bring the key back into the cache.
  const serial = createSerial();
  const findAll: KeyRing['findAll'] = async (resources) => {
    for (const resource of resources) checkResource(resource);
    return await serial(() => copies(load, resources));
  };
  const listeners: (() => Promise<void>)[] = [];

  async function tellOfDestruction(): Promise<void> {
    for (const listener of listeners) await listener();
  }

  async function refuseErased(parent: KeyParent): Promise<void> {
    if (parent === 'root') return;
    const resource = accountResource(parent);
    if ((await load(resource)) !== undefined) return;
    if (await store.isBuried((await hashes())(resource))) throw accountErased();
  }

  async function destroyAll(resources: readonly string[]): Promise<void> {
    for (const resource of resources) checkResource(resource);
    await serial(async () => {
      for (const resource of resources) cache.forget(resource);
      await store.remove(resources, await bury());
    });
    await tellOfDestruction();
  }

  const find = async (resource: string): Promise<Uint8Array | undefined> => (await findAll([resource]))[0];

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
    find,
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
    ...createRotations({ ...options, cache, serial, find, replace, tell: tellOfDestruction }),
    async resourcesOf(accountId) {
      return (await store.under(accountId)).map(({ resource }) => resource);
    },
    async tombstoneHash(resource) {
      return (await serial(hashes))(resource);
    },
    onDestroyed: (listener) => void listeners.push(listener),
  };
}

interface Tombstones {
  readonly hashes: () => Promise<(resource: string) => Uint8Array>;
  readonly bury: () => Promise<Bury>;
}

/** What the dead are called. */
function createTombstones(loadOrCreate: Wraps['loadOrCreate'], clock: Pick<Clock, 'now'>): Tombstones {
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

  return { hashes, bury };
}

async function copies(
  load: Wraps['load'],
  resources: readonly string[],
): Promise<(Uint8Array | undefined)[]> {
  const found: (Uint8Array | undefined)[] = [];
  for (const resource of resources) {
    const key = (await load(resource))?.key;
    found.push(key && Uint8Array.from(key));
  }
  return found;
}

interface Wraps {
  readonly load: (resource: string) => Promise<CachedKey | undefined>;
  /** The keys are the caller's. */
  readonly create: (resources: readonly string[], parent: KeyParent) => Promise<Uint8Array[]>;
  readonly loadOrCreate: (resource: string, parent: KeyParent) => Promise<Uint8Array>;
  /** Gives a resource that has a key another one. */
  readonly replace: (resource: string, key: Uint8Array) => Promise<void>;
}

/** Keys in and out of their wraps. */
function createWraps({ root, store }: Pick<KeyRingOptions, 'root' | 'store'>, cache: KeyCache): Wraps {
  async function wrappingKeyOf(parent: KeyParent): Promise<Uint8Array | undefined> {
    return parent === 'root' ? rootWrappingKeyOf(root.bytes) : (await load(accountResource(parent)))?.key;
  }

  async function load(resource: string): Promise<CachedKey | undefined> {
    const cached = cache.get(resource);
    if (cached !== undefined) return cached;
    const stored = await store.find(resource);
    if (stored === undefined) return undefined;
    const wrappingKey = await wrappingKeyOf(stored.parent);
    if (wrappingKey === undefined) throw unreadable(resource);
    return cache.remember(resource, { parent: stored.parent, key: opened(wrappingKey, stored) });
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

  async function replace(resource: string, key: Uint8Array): Promise<void> {
    const stored = await store.find(resource);
    const wrappingKey = stored && (await wrappingKeyOf(stored.parent));
    if (stored === undefined || wrappingKey === undefined) throw unreadable(resource);
    await store.rewrap([{ ...stored, wrap: wrapKey(wrappingKey, key, contextOf(stored)) }]);
  }

  return { load, create, loadOrCreate, replace };
}

function rootWrappingKeyOf(bytes: Secret<Uint8Array>): Uint8Array {
  return deriveKey(bytes.reveal(), 'wrap');
}

interface RotationsOptions extends Pick<KeyRingOptions, 'root' | 'store'> {
  readonly cache: KeyCache;
  readonly serial: Serial;
  readonly find: KeyRing['find'];
  readonly replace: Wraps['replace'];
  readonly tell: () => Promise<void>;
}

/** Other keys in the place of those in force. */
function createRotations({
  cache,
  serial,
  find,
  replace,
  tell,
  ...stored
}: RotationsOptions): Pick<KeyRing, 'replacementOf' | 'rotateAccount' | 'rotateRoot'> {
  async function toldAfter<T>(work: () => Promise<T>): Promise<T> {
    const value = await serial(work);
    await tell();
    return value;
  }

  return {
    async replacementOf(resource) {
      const key = await find(resource);
      if (key === undefined) return undefined;
      const nextKey = new Uint8Array(randomBytes(32));
      return {
        key,
        nextKey,
        commit: () =>
          toldAfter(async () => {
            cache.forget(resource);
            await replace(resource, nextKey);
          }),
        keyInForce: async () => (await find(resource)) ?? key,
      };
    },
    rotateAccount: (accountId) =>
      toldAfter(async () => {
        cache.forget(accountResource(accountId));
        return await rotateAccount(stored, accountId);
      }),
    rotateRoot: (next) => toldAfter(() => rotateRoot(stored, next)),
  };
}

type Rotated = Pick<KeyRingOptions, 'root' | 'store'>;

async function rotateAccount({ root, store }: Rotated, accountId: AccountId): Promise<number> {
  const kekWrap = await store.find(accountResource(accountId));
  if (kekWrap === undefined) return 0;
  const rootWrappingKey = rootWrappingKeyOf(root.bytes);
  const kek = opened(rootWrappingKey, kekWrap);
  const nextKek = new Uint8Array(randomBytes(32));
  const wraps = (await store.under(accountId)).map((stored) => wrapAnew(stored, kek, nextKek));
  const wrap = wrapKey(rootWrappingKey, nextKek, contextOf(kekWrap));
  await store.rewrap([...wraps, { ...kekWrap, wrap }]);
  for (const key of [kek, nextKek]) key.fill(0);
  return wraps.length;
}

async function rotateRoot({ root, store }: Rotated, next: NextRootKey): Promise<number> {
  const rootGeneration = root.generation + 1;
  const [old, fresh] = [rootWrappingKeyOf(root.bytes), rootWrappingKeyOf(new Secret(next.bytes))];
  const wraps = (await store.under('root')).map((stored) => wrapAnew(stored, old, fresh, { rootGeneration }));
  try {
    await store.replaceRoot(next, wraps);
  } finally {
    if (Buffer.from(next.bytes).equals(next.inForce())) {
      root.generation = rootGeneration;
      root.bytes = new Secret(next.bytes);
    }
  }
  return wraps.length;
}

/** The same key under another wrapping key. */
function wrapAnew(
  stored: StoredWrap,
  old: Uint8Array,
  fresh: Uint8Array,
  changed: Partial<Pick<StoredWrap, 'rootGeneration'>> = {},
): StoredWrap {
  const key = opened(old, stored);
  const next = { ...stored, ...changed };
  const wrap = wrapKey(fresh, key, contextOf(next));
  key.fill(0);
  return { ...next, wrap };
}

function opened(wrappingKey: Uint8Array, stored: StoredWrap): Uint8Array {
  const key = unwrapKey(wrappingKey, stored.wrap, contextOf(stored));
  if (key === undefined) throw unreadable(stored.resource);
  return key;
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
