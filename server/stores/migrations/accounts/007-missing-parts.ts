import { sql } from 'kysely';
import type { Migration } from '../../migration.ts';

export const missingParts: Migration = {
  name: '007-missing-parts',
  async up(tx) {
    // Purpose: say that a copy was given without what could not be read. Retention: as the request.
    await sql`alter table rights_request add column missing integer not null default 0 check (missing >= 0)`.execute(
      tx,
    );
  },
};
