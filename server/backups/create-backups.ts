import { join } from 'node:path';
import type { Principal } from '../accounts/principal.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound, PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import { createSerial } from '../kernel/serial.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { RootKey } from '../keys/root-key.ts';
import type { OpenKeyStore } from '../stores/key-store.ts';
import { accessHash, isIntact } from './access-log.ts';
import type { BackupSettings } from './backup-settings.ts';
import type { AccessEvent, Actor, BackupStore, RestoreId, RestoreRequest } from './backup-store.ts';
import type { Backups } from './backups.ts';
import { backupErrors } from './errors.ts';
import { folderOf } from './generation.ts';
import { createKeyBackup } from './key-backup.ts';
import { makeGeneration } from './make.ts';
import { adoptUnknown, retire } from './retire.ts';
import type { StoreChecker } from './store-checker.ts';
import { createSyntheticTenant } from './synthetic-tenant.ts';
import { createDirectoryTarget, sweepPartials } from './target.ts';
import { verifyGeneration } from './verify.ts';
import { newId } from '../kernel/ids.ts';

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

/** Between looks at the clock: a schedule in one long timer would be lost with each restart of the server. */
const LOOK_MS = 10 * 60_000;
/** What the schedule looks at by itself of each generation that it makes. */
const SHARE_CHECKED = 0.05;

/**
 * Begins with the backup of the keys, which from then on follows every destruction, and starts the schedule.
 */
export async function createBackups(options: BackupsOptions): Promise<Backups> {
  const { settings, dataDir, root, keyStore, keyRing, receipts, store, checker, clock, events } = options;
  const target = createDirectoryTarget(settings.target);
  const keys = createKeyBackup({ directory: settings.keysTarget, root, store: keyStore });
  keyRing.onDestroyed(() => keys.rewrite());
  await keys.rewrite();
  const tenant = createSyntheticTenant({ dataDir, keyRing });
  const serial = createSerial();
  const making = { dataDir, target, store, keys, receipts, tenant };
  const retiring = { target, store, keyRing, publicKey: receipts.publicKey, settings };
  const verifying = {
    target,
    keysTarget: settings.keysTarget,
    root,
    publicKey: receipts.publicKey,
    checker,
    scratchDir: join(dataDir, 'restore'),
  };

  await adoptUnknown(retiring);

  async function log(event: AccessEvent, actor: Actor, rest: Partial<Logged> = {}): Promise<void> {
    const access = { at: clock.now(), event, actor, generation: null, outcome: 'ok', reason: null, ...rest };
    await store.log(access, accessHash);
  }

  async function retireOld(actor: Actor): Promise<void> {
    const now = clock.now();
    const gone = await retire(retiring, now);
    await keyStore.forgetTombstones(now - 2 * settings.maxAgeMs);
    for (const generation of gone) await log('removed', actor, { generation });
    if (gone.length > 0) events.emit('backup.removed', { count: gone.length });
  }

  async function make(actor: Actor) {
    const from = clock.monotonicMs();
    try {
      await sweepPartials(settings.target);
      const made = await makeGeneration(making, clock.now());
      await log('made', actor, { generation: made.generation });
      events.emit('backup.made', { files: made.files, bytes: made.bytes, took: clock.monotonicMs() - from });
      return made;
    } catch (thrown) {
      const outcome = codeOf(thrown);
      events.emit('backup.failed', { code: outcome });
      await log('failed', actor, { outcome }).catch(() => undefined);
      throw thrown;
    } finally {
      // Age counts also while no new generation can be made.
      await retireOld(actor);
    }
  }

  async function verify(actor: Actor, number: number | undefined, share: number) {
    const generations = await store.generations();
    const generation =
      number === undefined ? generations.at(-1) : generations.find((one) => one.number === number);
    if (generation === undefined) throw notFound('generation');
    const chosen = (): boolean => share >= 1 || Math.random() < share;
    const found = await verifyGeneration(verifying, { generation, chosen });
    const outcome =
      found.findings[0] === undefined ? 'ok' : `${found.findings[0].code}-${found.findings.length}`;
    await log('verified', actor, { generation: generation.number, outcome });
    return found;
  }

  const schedule = startSchedule(options, async () => {
    await serial(async () => {
      await make(null);
      const { findings } = await verify(null, undefined, SHARE_CHECKED);
      if (findings[0] !== undefined) events.emit('backup.failed', { code: `verify-${findings[0].code}` });
    });
  });

  return {
    make: (actor) => serial(() => make(actor)),
    async list(actor) {
      const generations = await store.generations();
      await log('listed', actor);
      return await Promise.all(
        generations.map(async ({ number, at }) => ({
          generation: number,
          at,
          until: at + settings.maxAgeMs,
          isPresent: await target.has(`${folderOf(number)}/manifest.jws`),
        })),
      );
    },
    verify: (actor, { generation, share }) => serial(() => verify(actor, generation, share)),
    ...createRestores({ store, clock, log }),
    restores: () => store.requests(),
    async log() {
      const entries = await store.accesses();
      return { entries, isIntact: isIntact(entries) };
    },
    async lastCopyUntil() {
      const newest = (await store.generations()).at(-1);
      return newest === undefined ? clock.now() : newest.at + settings.maxAgeMs + LOOK_MS;
    },
    async close() {
      schedule.close();
      await serial(async () => undefined);
    },
  };
}

interface Logged {
  readonly generation: number;
  readonly outcome: string;
  readonly reason: string;
}

interface RestoresOptions extends Pick<BackupsOptions, 'store' | 'clock'> {
  readonly log: (event: AccessEvent, actor: Actor, rest: Partial<Logged>) => Promise<void>;
}

/** Two people and a reason: two API keys of the owner, which two people hold. */
function createRestores({
  store,
  clock,
  log,
}: RestoresOptions): Pick<Backups, 'requestRestore' | 'approveRestore'> {
  return {
    async requestRestore({ accountId, keyId }, { generation, reason }): Promise<RestoreRequest> {
      if (keyId === undefined) throw backupErrors.needsKey();
      const known = await store.generations();
      if (!known.some(({ number }) => number === generation)) throw notFound('generation');
      const request: RestoreRequest = {
        id: newId<RestoreId>('rst'),
        generation,
        reason,
        requestedBy: keyId,
        requestedAt: clock.now(),
        approvedBy: null,
        approvedAt: null,
        executedAt: null,
        receipt: null,
      };
      await store.request(request);
      await log('restore-requested', accountId, { generation, reason });
      return request;
    },
    async approveRestore({ accountId, keyId }: Principal, id) {
      if (keyId === undefined) throw backupErrors.needsKey();
      const request = await store.findRequest(id);
      if (request === undefined) throw notFound('restore');
      if (request.requestedBy === keyId) throw backupErrors.samePerson();
      const { generation, reason } = request;
      await log('restore-approved', accountId, { generation, reason });
      await store.approve(id, keyId, clock.now());
      return (await store.findRequest(id)) ?? request;
    },
  };
}

/** Runs when the newest generation is older than the interval, or from the future. A failure is told and tried again. */
function startSchedule(
  { settings, store, clock, scheduler }: BackupsOptions,
  run: () => Promise<void>,
): Timer {
  let timer: Timer | undefined;
  let isClosed = false;
  let lastRun = clock.monotonicMs() - settings.everyMs;

  async function look(): Promise<void> {
    const newest = (await store.generations()).at(-1);
    const isDue = newest === undefined || Math.abs(clock.now() - newest.at) >= settings.everyMs;
    // By the clock that cannot jump, too: one that stands still or goes back must not keep backups from being made.
    if (isDue || clock.monotonicMs() - lastRun >= settings.everyMs) {
      lastRun = clock.monotonicMs();
      await run();
    }
  }

  function next(delayMs: number): void {
    timer = scheduler.after(delayMs, () => {
      const again = (): void => (isClosed ? undefined : next(LOOK_MS));
      look().then(again, again);
    });
  }

  next(Math.min(LOOK_MS, settings.everyMs));
  return {
    close() {
      isClosed = true;
      timer?.close();
    },
  };
}

function codeOf(thrown: unknown): string {
  return thrown instanceof PlatformError ? thrown.code : 'internal';
}
