import { sql } from 'kysely';
import type { Migration } from '../../migration.ts';

/** Keys of the hashes in a file, kept in it: hashes stay what they are when the file gets another key. */
export const hashKeys: Migration = {
  name: '002-hash-keys',
  async up(tx) {
    // Purpose: find words, texts and names again. Retention: until the database is dropped.
    await sql`alter table setting add column hash_keys blob check (octet_length(hash_keys) = 96)`.execute(tx);
  },
};
