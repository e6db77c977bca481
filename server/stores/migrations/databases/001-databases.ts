import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Which databases accounts have. No column is readable that could hold a word of theirs. */
export const databasesMigration: Migration = {
  name: '001-databases',
  async up(tx) {
    await sql`create table database (
      -- Purpose: find and open the databases of an account.
      -- Retention: until the database is dropped or the account erased.
      id text primary key check (${isId('id', 'db')}),
      account_id text not null check (${isId('account_id', 'acct')}),
      kind text not null check (kind in ('vector', 'sql')),
      -- Keyed hash of the name, under a key that the service does not have.
      name_hash blob not null check (length(name_hash) = 32),
      -- Name, settings and creation time, sealed under the account key.
      description blob not null check (length(description) between 29 and 8192),
      -- The file's key, wrapped under account key and key ring together: nonce, 32 bytes, tag.
      wrapped_key blob not null check (length(wrapped_key) = 60),
      unique (account_id, kind, name_hash)
    ) strict`.execute(tx);
  },
};
