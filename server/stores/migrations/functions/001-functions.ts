import { sql } from 'kysely';
import type { Migration } from '../../migration.ts';

/** Functions, their versions and their builds. A deployment's id follows from its version: no table of its own. */
export const functionsMigration: Migration = {
  name: '001-functions',
  async up(tx) {
    await sql`create table function (
      id text primary key,
      account_id text not null,
      shortname text not null unique,
      published integer not null check (published in (0, 1)),
      -- The highest version that was ever live: a deleted version's number is never given again.
      last_version integer not null check (last_version >= 0),
      created_at integer not null,
      updated_at integer not null
    ) strict`.execute(tx);
    await sql`create index function_account on function (account_id)`.execute(tx);
    await sql`create table version (
      function_id text not null references function (id) on delete cascade,
      version integer not null check (version > 0),
      xid text not null unique check (length(xid) = 20),
      released_at integer not null,
      layer text,
      runtime_detail text not null,
      digest text not null check (length(digest) = 64),
      spec text not null,
      readme text not null,
      changelog text not null,
      primary key (function_id, version)
    ) strict`.execute(tx);
    await sql`create table build (
      id text primary key,
      account_id text not null,
      function_id text not null references function (id) on delete cascade,
      version integer not null check (version > 0),
      xid text not null check (length(xid) = 20),
      name text not null,
      state text not null check (state in ('PENDING', 'DEPLOYED', 'FAILED')),
      attempts integer not null check (attempts >= 0),
      created_at integer not null,
      error_details text not null
    ) strict`.execute(tx);
    await sql`create index build_function on build (function_id)`.execute(tx);
    await sql`create index build_account on build (account_id)`.execute(tx);
    await sql`create unique index build_one_pending on build (function_id) where state = 'PENDING'`.execute(
      tx,
    );
  },
};
