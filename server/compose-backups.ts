import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BackupSettings } from './backups/backup-settings.ts';
import type { RestoreId } from './backups/backup-store.ts';
import type { Backups } from './backups/backups.ts';
import { createBackups } from './backups/create-backups.ts';
import { type Restored, type RestoreOrder, finishRestore, restore } from './backups/restore.ts';
import { createStoreChecker } from './backups/store-checker.ts';
import type { Config } from './config.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { PlatformError } from './kernel/errors.ts';
import type { EventLog } from './kernel/events.ts';
import type { Lifecycle } from './kernel/lifecycle.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { Receipts } from './keys/receipts.ts';
import { loadRootKey, type RootKey } from './keys/root-key.ts';
import type { Inventory } from './profile/inventory.ts';
import type { Jail } from './sandbox/jail.ts';
import { openBackupStore } from './stores/backup-store.ts';
import type { RotatableStore } from './stores/ring-store.ts';
import type { OpenKeyStore } from './stores/key-store.ts';

export interface BackupComposition {
  readonly config: Config;
  readonly jail: Jail;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle;
  readonly root: RootKey;
  readonly keyStore: OpenKeyStore;
  readonly keyRing: KeyRing;
  readonly receipts: Receipts;
}

export interface ComposedBackups {
  readonly backups: Backups;
  readonly inventory: Inventory;
  /** Its key can be exchanged. */
  readonly store: RotatableStore;
}

/** Backups, if there is a target; undefined without one. Before a key is destroyed by anybody. */
export async function composeBackups(parts: BackupComposition): Promise<ComposedBackups | undefined> {
  const { config, clock, root, keyRing, lifecycle, jail, events } = parts;
  const { dataDir, backups: settings } = config;
  if (settings === undefined) return undefined;
  await finishRestore({ dataDir, settings, root, clock }, keyRing);
  const store = await openBackupStore({ path: join(dataDir, 'backups', 'backups.db'), keyRing, events });
  lifecycle.onClose('backup store', () => store.close());
  const backups = await createBackups({
    ...parts,
    settings,
    dataDir,
    store,
    checker: createStoreChecker(jail),
  });
  lifecycle.onClose('backups', () => backups.close());
  return { backups, inventory: store.inventory, store };
}

/** `--restore rst_…`, or where everything was lost `--restore 12 --restore-reason "…"`; and the flags besides. */
export function restoreOrderIn(argv: readonly string[]): { order: RestoreOrder | undefined; rest: string[] } {
  const at = argv.findIndex((argument) => argument === '--restore');
  if (at === -1) return { order: undefined, rest: [...argv] };
  const { values, tokens } = parseArgs({
    args: [...argv],
    options: { restore: { type: 'string' }, 'restore-reason': { type: 'string' } },
    strict: false,
    tokens: true,
  });
  const own = new Set(
    tokens.flatMap((token) =>
      token.kind === 'option' && token.name.startsWith('restore')
        ? [token.index, ...(token.inlineValue === false ? [token.index + 1] : [])]
        : [],
    ),
  );
  const rest = argv.filter((_, index) => !own.has(index));
  const what = String(values['restore'] ?? '');
  const reason = String(values['restore-reason'] ?? '');
  if (/^rst_[0-9A-Za-z]{20}$/.test(what)) return { order: { request: what as RestoreId }, rest };
  if (/^[1-9]\d*$/.test(what) && reason.length >= 5)
    return { order: { generation: Number(what), reason }, rest };
  throw badOrder(
    'Name an approved restore (--restore rst_…) or, where everything was lost, a generation with a reason ' +
      '(--restore 12 --restore-reason "the disk broke").',
  );
}

function badOrder(message: string): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: 'backups.bad_order', message });
}

/** Restores while no server runs on the data directory. */
export async function restoreOffline(config: Config, order: RestoreOrder): Promise<Restored> {
  const settings: BackupSettings | undefined = config.backups;
  if (settings === undefined)
    throw badOrder('There is nothing to restore from: set backupTarget and backupKeysTarget.');
  const data = openDataDirectory(config.dataDir);
  try {
    const root = await loadRootKey(config.rootKey, false);
    return await restore({ dataDir: config.dataDir, settings, root, clock: systemClock }, order);
  } finally {
    data.release();
  }
}
