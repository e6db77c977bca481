import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountId } from '../kernel/ids.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { CustomerStore } from './customer-store.ts';
import type { AimeeLimits } from './limits.ts';

type OpenedStore = CustomerStore & { close(): Promise<void> };

export interface CustomersOptions {
  /** `<dataDir>/aimee`: each customer has a directory of his own below it. */
  readonly directory: string;
  readonly keyRing: Pick<KeyRing, 'obtain'>;
  readonly openStore: (file: { readonly path: string; readonly key: Uint8Array }) => Promise<OpenedStore>;
  readonly scheduler: Scheduler;
  readonly limits: Pick<AimeeLimits, 'openCustomersMax' | 'customerIdleMs'>;
}

/** Customers' files: opened by the first use, a bounded number of them at once, closed when idle. */
export interface Customers {
  /** Makes the file if there is none. */
  use<T>(accountId: AccountId, work: (store: CustomerStore) => Promise<T>): Promise<T>;
  /** Undefined for an account that does not use AI.Mee. */
  find<T>(accountId: AccountId, work: (store: CustomerStore) => Promise<T>): Promise<T | undefined>;
  directoryOf(accountId: AccountId): string;
  /** Closes the file and removes it with all that lies beside it. */
  remove(accountId: AccountId): Promise<void>;
  close(): Promise<void>;
}

interface Handle {
  readonly store: Promise<OpenedStore>;
  users: number;
  idle?: Timer;
}

const keyResourceOf = (accountId: AccountId): string => `aimee/${accountId}/file`;

export function createCustomers(options: CustomersOptions): Customers {
  const { scheduler, limits } = options;
  /** The one used last comes last. */
  const handles = new Map<AccountId, Handle>();
  /** A file is not opened again before its last handle is closed. */
  const closing = new Map<AccountId, Promise<void>>();

  const directoryOf = (accountId: AccountId): string => join(options.directory, accountId);
  const pathOf = (accountId: AccountId): string => join(directoryOf(accountId), 'aimee.db');

  async function open(accountId: AccountId): Promise<OpenedStore> {
    await closing.get(accountId);
    return await openFile(options, accountId, pathOf(accountId));
  }

  function close(accountId: AccountId, handle: Handle): void {
    handle.idle?.close();
    handles.delete(accountId);
    const closed = handle.store
      .then(async (store) => await store.close())
      .catch(() => undefined)
      .finally(() => closing.delete(accountId));
    closing.set(accountId, closed);
  }

  function makeRoom(): void {
    for (const [accountId, handle] of handles) {
      if (handles.size < limits.openCustomersMax) return;
      if (handle.users === 0) close(accountId, handle);
    }
  }

  function enter(accountId: AccountId): Handle {
    const known = handles.get(accountId);
    if (known === undefined) makeRoom();
    const handle = known ?? { store: open(accountId), users: 0 };
    handle.idle?.close();
    handle.users++;
    handles.delete(accountId);
    handles.set(accountId, handle);
    return handle;
  }

  function leave(accountId: AccountId, handle: Handle): void {
    handle.users--;
    if (handle.users > 0 || handles.get(accountId) !== handle) return;
    handle.idle = scheduler.after(limits.customerIdleMs, () => close(accountId, handle));
  }

  async function use<T>(accountId: AccountId, work: (store: OpenedStore) => Promise<T>): Promise<T> {
    const handle = enter(accountId);
    try {
      const store = await handle.store.catch((thrown: unknown) => {
        // The next one tries again.
        if (handles.get(accountId) === handle) handles.delete(accountId);
        throw thrown;
      });
      return await work(store);
    } finally {
      leave(accountId, handle);
    }
  }

  return {
    use,
    async find(accountId, work) {
      if (!handles.has(accountId) && !existsSync(pathOf(accountId))) return undefined;
      return await use(accountId, work);
    },
    directoryOf,
    async remove(accountId) {
      for (const [other, handle] of handles) if (other === accountId) close(other, handle);
      await closing.get(accountId);
      await rm(directoryOf(accountId), { recursive: true, force: true });
    },
    async close() {
      for (const [accountId, handle] of handles) close(accountId, handle);
      await Promise.all(closing.values());
    },
  };
}

async function openFile(
  { keyRing, openStore }: Pick<CustomersOptions, 'keyRing' | 'openStore'>,
  accountId: AccountId,
  path: string,
): Promise<OpenedStore> {
  const key = await keyRing.obtain(keyResourceOf(accountId), accountId);
  try {
    return await openStore({ path, key });
  } finally {
    key.fill(0);
  }
}

/** Encrypts a customer's file anew under another key, while it is in use; false where there is none. */
export async function rotateCustomerKey(
  { customers, keyRing }: { readonly customers: Customers; readonly keyRing: Pick<KeyRing, 'replacementOf'> },
  accountId: AccountId,
): Promise<boolean> {
  const change = await keyRing.replacementOf(keyResourceOf(accountId));
  if (change === undefined) return false;
  await customers.use(accountId, (store) => store.rekey(change));
  return true;
}
