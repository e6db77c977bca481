import type { Clock } from '../kernel/clock.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { createSerial } from '../kernel/serial.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { RootKey } from '../keys/root-key.ts';
import type { OpenKeyStore } from '../stores/key-store.ts';
import { createAccessLog, isIntact } from './access-log.ts';
import type { BackupSettings } from './backup-settings.ts';
import type { BackupStore } from './backup-store.ts';
import type { Backups } from './backups.ts';
import { createBackupWork } from './backup-work.ts';
import { folderOf } from './generation.ts';
import { createKeyBackup } from './key-backup.ts';
import { createRestoreRequests } from './restore-requests.ts';
import { LOOK_MS, startSchedule } from './schedule.ts';
import type { StoreChecker } from './store-checker.ts';
import { openTarget } from './open-target.ts';

export interface BackupsOptions {
  readonly settings: BackupSettings;
  readonly dataDir: string;
  readonly root: RootKey;
  readonly keyStore: OpenKeyStore;
  readonly keyRing: KeyRing;
  readonly receipts: Receipts;
  readonly store: BackupStore;
  readonly checker: StoreChecker;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly events: Pick<EventLog, 'emit'>;
}

/** Begins with the backup of the keys, which from then on follows every destruction, and starts the schedule. */
export async function createBackups(options: BackupsOptions): Promise<Backups> {
  const { settings, root, keyStore, keyRing, store, clock } = options;
  const target = await openTarget(settings.target);
  const keys = createKeyBackup({ directory: settings.keysTarget, root, store: keyStore });
  keyRing.onDestroyed(() => keys.rewrite());
  await keys.rewrite();
  const log = createAccessLog(store, clock);
  const work = createBackupWork({ ...options, target, keys, log });
  await work.takeOver();
  // One at a time: a generation is not removed while another refers to its files.
  const serial = createSerial();
  const schedule = startSchedule(options, {
    run: () => serial(() => work.makeAndCheck()),
    expire: () => serial(() => work.expire()),
  });

  return {
    make: (actor) => serial(() => work.make(actor)),
    async list(actor) {
      const generations = await store.generations();
      await log('listed', actor);
      return await Promise.all(
        generations.map(async ({ number, at }) => ({
          generation: number,
          at,
          until: at + settings.maxAgeMs + LOOK_MS,
          isPresent: await target.has(`${folderOf(number)}/manifest.jws`),
        })),
      );
    },
    verify: (actor, question) => serial(() => work.verify(actor, question)),
    ...createRestoreRequests({ store, clock, log }),
    restores: () => store.requests(),
    async log() {
      const entries = await store.accesses();
      return { entries, isIntact: isIntact(entries) };
    },
    async lastCopyUntil() {
      const newest = (await store.generations()).at(-1);
      return newest === undefined ? clock.now() : newest.at + settings.maxAgeMs + LOOK_MS;
    },
    whileNone: serial,
    async close() {
      schedule.close();
      await serial(async () => undefined);
    },
  };
}
