import type { Kysely, Selectable } from 'kysely';
import type {
  AccessEvent,
  Actor,
  BackupStore,
  LoggedAccess,
  RestoreId,
  RestoreRequest,
} from '../backups/backup-store.ts';
import type { EventLog } from '../kernel/events.ts';
import type { ApiKeyId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Inventory } from '../profile/inventory.ts';
import { createInventory } from './inventory.ts';
import { backupInventory } from './inventory-rules.ts';
import { backups } from './migrations/backups/001-backups.ts';
import { openRingStore, type RotatableStore } from './ring-store.ts';
import type { Generated } from 'kysely';

export const backupMigrations = [backups];

interface BackupTables {
  generation: {
    number: Generated<number>;
    at: number;
    manifest: Uint8Array | null;
    removed_at: number | null;
  };
  restore_request: {
    id: RestoreId;
    generation: number;
    reason: string;
    requested_by: ApiKeyId;
    requested_at: number;
    approved_by: ApiKeyId | null;
    approved_at: number | null;
    executed_at: number | null;
    receipt: string | null;
  };
  access: {
    number: number;
    at: number;
    event: AccessEvent;
    actor: Actor;
    generation: number | null;
    outcome: string;
    reason: string | null;
    hash: Uint8Array;
  };
}

export interface BackupStoreOptions {
  /** `<dataDir>/backups/backups.db`. */
  readonly path: string;
  readonly keyRing: Pick<KeyRing, 'obtain' | 'replacementOf'>;
  readonly events?: Pick<EventLog, 'emit'>;
}

export async function openBackupStore({
  path,
  keyRing,
  events,
}: BackupStoreOptions): Promise<
  BackupStore & RotatableStore & { readonly inventory: Inventory; close(): Promise<void> }
> {
  const store = await openRingStore<BackupTables>({
    name: 'backups',
    path,
    keyRing,
    migrations: backupMigrations,
    ...(events && { events }),
  });
  const { db } = store;
  return {
    ...generationsIn(db),
    ...requestsIn(db),
    ...accessesIn(db),
    inventory: createInventory(db, { store: 'backups', rules: backupInventory }),
    rotateKey: () => store.rotateKey(),
    close: async () => await store.close(),
  };
}

type Generations = Pick<BackupStore, 'begin' | 'finish' | 'removed' | 'generations' | 'adopt'>;

function generationsIn(db: Kysely<BackupTables>): Generations {
  return {
    async begin(at) {
      const row = { at, manifest: null, removed_at: null };
      const { insertId } = await db.insertInto('generation').values(row).executeTakeFirstOrThrow();
      return Number(insertId);
    },
    async finish(number, manifest) {
      await db.updateTable('generation').set({ manifest }).where('number', '=', number).execute();
    },
    async removed(number, at) {
      await db.updateTable('generation').set({ removed_at: at }).where('number', '=', number).execute();
    },
    async generations() {
      const rows = await db
        .selectFrom('generation')
        .select(['number', 'at', 'manifest'])
        .where('manifest', 'is not', null)
        .where('removed_at', 'is', null)
        .orderBy('number')
        .$narrowType<{ manifest: Uint8Array }>()
        .execute();
      return rows;
    },
    async adopt({ number, at, manifest }) {
      await db
        .insertInto('generation')
        .values({ number, at, manifest, removed_at: null })
        .onConflict((conflict) =>
          conflict.column('number').doUpdateSet({ at, manifest }).where('generation.removed_at', 'is', null),
        )
        .execute();
    },
  };
}

type Requests = Pick<BackupStore, 'request' | 'requests' | 'findRequest' | 'approve' | 'executed'>;

function requestsIn(db: Kysely<BackupTables>): Requests {
  return {
    async request({ id, generation, reason, requestedBy, requestedAt }) {
      await db
        .insertInto('restore_request')
        .values({
          id,
          generation,
          reason,
          requested_by: requestedBy,
          requested_at: requestedAt,
          approved_by: null,
          approved_at: null,
          executed_at: null,
          receipt: null,
        })
        .execute();
    },
    async requests() {
      const rows = await db
        .selectFrom('restore_request')
        .selectAll()
        .orderBy('requested_at', 'desc')
        .orderBy('id')
        .execute();
      return rows.map(toRequest);
    },
    async findRequest(id) {
      const row = await db.selectFrom('restore_request').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toRequest(row);
    },
    async approve(id, by, at) {
      await db
        .updateTable('restore_request')
        .set({ approved_by: by, approved_at: at })
        .where('id', '=', id)
        .where('approved_by', 'is', null)
        .execute();
    },
    async executed(id, receipt, at) {
      await db
        .updateTable('restore_request')
        .set({ executed_at: at, receipt })
        .where('id', '=', id)
        .execute();
    },
  };
}

function accessesIn(db: Kysely<BackupTables>): Pick<BackupStore, 'log' | 'accesses'> {
  return {
    log: (access, hash) =>
      db.transaction().execute(async (tx) => {
        const last = await tx
          .selectFrom('access')
          .select(['number', 'hash'])
          .orderBy('number', 'desc')
          .limit(1)
          .executeTakeFirst();
        const entry = { ...access, number: (last?.number ?? 0) + 1 };
        await tx
          .insertInto('access')
          .values({ ...entry, hash: hash(entry, last?.hash) })
          .execute();
      }),
    accesses: async (): Promise<LoggedAccess[]> =>
      await db.selectFrom('access').selectAll().orderBy('number').execute(),
  };
}

function toRequest(row: Selectable<BackupTables['restore_request']>): RestoreRequest {
  return {
    id: row.id,
    generation: row.generation,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
    executedAt: row.executed_at,
    receipt: row.receipt,
  };
}
