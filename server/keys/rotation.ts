import type { Holder } from '../accounts/principal.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import { createSerial } from '../kernel/serial.ts';
import type { KeyRing } from './key-ring.ts';
import type { Receipts } from './receipts.ts';
import { abandonNextRootKey, nextRootKey, type RootKey, type RootKeySource } from './root-key.ts';

/** Other keys for everything, one rotation at a time, while the installation runs. All of them can be tried again. */
export interface KeyRotation {
  /** The root key, and the keys of the installation's own stores. Throws `keys.root_*`. */
  ofInstallation(): Promise<InstallationRotated>;
  /**
   * The account's key, and the keys of its files, each of which is encrypted anew. Who uses one of them meanwhile waits, or
   * tries again.
   */
  ofAccount(holder: Holder): Promise<AccountRotated>;
}

export interface InstallationRotated {
  readonly rootGeneration: number;
  readonly wraps: number;
  readonly stores: number;
  /** The generation that was made with them; null without backups. */
  readonly backup: number | null;
  readonly receipt: string;
}

export interface AccountRotated {
  readonly wraps: number;
  readonly databases: number;
  readonly conversations: boolean;
  /** Of assistants, one each. */
  readonly knowledge: number;
  /** Files of functions: code, what it was compiled from, pending uploads. */
  readonly code: number;
  readonly receipt: string;
}

export interface KeyRotationOptions {
  readonly keyRing: Pick<KeyRing, 'rotateAccount' | 'rotateRoot'>;
  readonly root: RootKey;
  readonly source: RootKeySource;
  readonly stores: readonly { rotateKey(): Promise<void> }[];
  readonly databases: { rotateAll(holder: Holder): Promise<number> };
  readonly conversations: { rotateKey(accountId: Holder['accountId']): Promise<boolean> };
  readonly knowledge: RotatableFiles;
  readonly code: RotatableFiles;
  /** Absent where none are made. */
  readonly backups:
    | {
        /** Nobody makes a backup meanwhile: it would find files that are being exchanged. */
        whileNone<T>(work: () => Promise<T>): Promise<T>;
        make(actor: null): Promise<{ readonly generation: number }>;
      }
    | undefined;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly events: Pick<EventLog, 'emit'>;
}

/** Of accounts, under keys of the key ring. */
interface RotatableFiles {
  /** How many were encrypted anew. */
  rotateKeys(accountId: Holder['accountId']): Promise<number>;
}

export function createKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { keyRing, root, source, stores, databases, conversations, knowledge, code, backups, clock, events } =
    options;
  const serial = createSerial();
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    serial(() => (backups === undefined ? work() : backups.whileNone(work)));
  const sign = (event: string, claims: Readonly<Record<string, string | number>>): Promise<string> =>
    options.receipts.sign({ event, ...claims, at: new Date(clock.now()).toISOString() });

  async function rotateRoot(): Promise<number> {
    const next = await nextRootKey(source, root);
    try {
      return await keyRing.rotateRoot(next);
    } finally {
      await abandonNextRootKey(source);
    }
  }

  return {
    async ofInstallation() {
      const wraps = await alone(async () => {
        const count = await rotateRoot();
        for (const store of stores) await store.rotateKey();
        return count;
      });
      const made = await backups?.make(null);
      const counts = { rootGeneration: root.generation, wraps, stores: stores.length };
      events.emit('keys.rotated', { scope: 'installation', count: wraps });
      return { ...counts, backup: made?.generation ?? null, receipt: await sign('keys.rotated', counts) };
    },
    async ofAccount(holder) {
      const { accountId } = holder;
      const done = await alone(async () => ({
        wraps: await keyRing.rotateAccount(accountId),
        databases: await databases.rotateAll(holder),
        conversations: await conversations.rotateKey(accountId),
        knowledge: await knowledge.rotateKeys(accountId),
        code: await code.rotateKeys(accountId),
      }));
      events.emit('keys.rotated', { scope: 'account', count: done.wraps });
      const { wraps } = done;
      return { ...done, receipt: await sign('keys.rotated', { account: accountId, wraps }) };
    },
  };
}
