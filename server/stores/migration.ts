import { sql } from 'kysely';
import type { Kysely, Transaction } from 'kysely';
import { PlatformError } from '../kernel/errors.ts';

/**
 * One step forward of a store's schema. Steps are never changed once released (the recorded schemas under
 * `migrations/` turn red) and never undone: the way back is the backup.
 */
export interface Migration {
  /** `NNN-what-it-does`; NNN is its place in the store's list, from 001. */
  readonly name: string;
  up(tx: Transaction<unknown>): Promise<void>;
}

interface MigrationRow {
  version: number;
  name: string;
}

/** Brings `db` to the last of `migrations`, each in one transaction with its row. Returns how many ran. */
export async function migrate(
  store: string,
  db: Kysely<unknown>,
  migrations: readonly Migration[],
): Promise<number> {
  await sql`create table if not exists migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict`.execute(db);
  const { rows: applied } = await sql<MigrationRow>`
    select version, name from migration order by version`.execute(db);
  checkHistory(store, applied, migrations);
  for (const [index, migration] of migrations.entries()) {
    if (index < applied.length) continue;
    await db.transaction().execute(async (tx) => {
      await migration.up(tx);
      await sql`insert into migration (version, name)
        values (${index + 1}, ${migration.name})`.execute(tx);
    });
  }
  return migrations.length - applied.length;
}

function checkHistory(
  store: string,
  applied: readonly MigrationRow[],
  migrations: readonly Migration[],
): void {
  if (applied.length > migrations.length) {
    throw new PlatformError({
      kind: 'failed_precondition',
      code: 'stores.too_new',
      owner: 'platform',
      message:
        `The store "${store}" was written by a newer release (schema ${applied.length}, this one knows ` +
        `${migrations.length}). Start that release again; schemas only go forward.`,
    });
  }
  const changed = applied.find((row, index) => migrations[index]?.name !== row.name);
  if (changed !== undefined) {
    throw new PlatformError({
      kind: 'failed_precondition',
      code: 'stores.foreign_schema',
      owner: 'platform',
      message:
        `The store "${store}" has migration ${changed.name}, which this release does not know at that ` +
        'place. The file belongs to another store or another product; check the data directory.',
    });
  }
}
