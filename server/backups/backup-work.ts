import { join } from 'node:path';
import { notFound, PlatformError } from '../kernel/errors.ts';
import type { LogAccess } from './access-log.ts';
import type { Actor } from './backup-store.ts';
import type { Backups, MadeGeneration } from './backups.ts';
import type { BackupsOptions } from './create-backups.ts';
import type { KeyBackup } from './key-backup.ts';
import { makeGeneration } from './make.ts';
import { adoptUnknown, expired, retire } from './retire.ts';
import { blobPath } from './still-copy.ts';
import { createSyntheticTenant } from './synthetic-tenant.ts';
import type { BackupTarget } from './target.ts';
import { type Verification, verifyGeneration } from './verify.ts';

export interface BackupWork extends Pick<Backups, 'make' | 'verify'> {
  /** What the schedule does. */
  makeAndCheck(): Promise<void>;
  /** Removes what has become too old since. */
  expire(): Promise<void>;
  /** Generations that lie in the target, and of which there is no record. */
  takeOver(): Promise<void>;
}

export interface BackupWorkOptions extends BackupsOptions {
  readonly target: BackupTarget;
  readonly keys: KeyBackup;
  readonly log: LogAccess;
}

/** What the schedule looks at by itself of each generation that it makes. */
const SHARE_CHECKED = 0.05;

/** The work on generations, each piece of which wants the target for itself. */
export function createBackupWork(options: BackupWorkOptions): BackupWork {
  const { settings, receipts, keyStore, store, log, clock, events } = options;
  const tenant = createSyntheticTenant(options);
  const damaged = new Set<string>();
  const healing = healed(options.target, damaged);
  const retiring = { ...options, publicKey: receipts.publicKey };

  async function retireOld(actor: Actor): Promise<void> {
    const gone = await retire(retiring, clock.now());
    const [oldest] = await store.generations();
    // Of what died before it was made, and a while more because clocks are set.
    if (oldest !== undefined) await keyStore.forgetTombstones(oldest.at - settings.maxAgeMs);
    for (const generation of gone) await log('removed', actor, { generation });
    if (gone.length > 0) events.emit('backup.removed', { count: gone.length });
  }

  async function make(actor: Actor): Promise<MadeGeneration> {
    const from = clock.monotonicMs();
    try {
      await options.target.sweep();
      const made = await makeGeneration({ ...options, target: healing, tenant }, clock.now());
      await log('made', actor, { generation: made.generation });
      const { files, bytes } = made;
      events.emit('backup.made', { files, bytes, took: clock.monotonicMs() - from });
      return made;
    } catch (thrown) {
      const outcome = thrown instanceof PlatformError ? thrown.code : 'internal';
      events.emit('backup.failed', { code: outcome });
      await log('failed', actor, { outcome }).catch(() => undefined);
      throw thrown;
    } finally {
      // Age counts also while no new generation can be made.
      await retireOld(actor);
    }
  }

  const verify: Backups['verify'] = async (actor, { generation: number, share }): Promise<Verification> => {
    const generations = await store.generations();
    const generation =
      number === undefined ? generations.at(-1) : generations.find((one) => one.number === number);
    if (generation === undefined) throw notFound('generation');
    const found = await verifyGeneration(
      {
        ...options,
        keysTarget: settings.keysTarget,
        publicKey: receipts.publicKey,
        onDamaged: ({ sha256 }) => void damaged.add(blobPath(sha256)),
        scratchDir: join(options.dataDir, 'restore'),
      },
      { generation, chosen: () => share >= 1 || Math.random() < share },
    );
    const [first] = found.findings;
    const outcome = first === undefined ? 'ok' : `${first.code}-${found.findings.length}`;
    await log('verified', actor, { generation: generation.number, outcome });
    return found;
  };

  return {
    make,
    verify,
    async makeAndCheck() {
      await make(null);
      const [first] = (await verify(null, { share: SHARE_CHECKED })).findings;
      if (first !== undefined) events.emit('backup.failed', { code: `verify-${first.code}` });
    },
    async expire() {
      if (expired(await store.generations(), settings, clock.now()).length > 0) await retireOld(null);
    },
    takeOver: () => adoptUnknown(retiring),
  };
}

/** Files that were found damaged count as missing, so that the next generation that has them puts them anew. */
function healed(target: BackupTarget, damaged: Set<string>): BackupTarget {
  return {
    ...target,
    has: async (path) => !damaged.has(path) && (await target.has(path)),
    async put(path, bytes) {
      await target.put(path, bytes);
      damaged.delete(path);
    },
  };
}
