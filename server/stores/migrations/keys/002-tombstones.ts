import { sql } from 'kysely';
import type { Migration } from '../../migration.ts';

/** What was destroyed, so that a restored backup cannot bring it back. */
export const tombstones: Migration = {
  name: '002-tombstones',
  async up(tx) {
    await sql`create table tombstone (
      -- Keyed hash of the resource. Purpose: keep what is dead dead.
      -- Retention: until no backup can hold the resource any more.
      hash blob primary key check (length(hash) = 32),
      at integer not null check (at >= 0)
    ) strict, without rowid`.execute(tx);
  },
};
