import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Generations, restores that were asked for, and the log of every access, which can only grow. */
export const backups: Migration = {
  name: '001-backups',
  async up(tx) {
    await sql`create table generation (
      -- Purpose: know what must be in the target. Retention: the installation's life; rows stay, so no number is used again.
      number integer primary key check (number > 0),
      at integer not null check (at >= 0),
      -- SHA-256 of its manifest; null while it is made, or when making it failed.
      manifest blob check (length(manifest) = 32),
      removed_at integer check (removed_at >= 0)
    ) strict`.execute(tx);
    await sql`create table restore_request (
      -- Purpose: let two people decide. Retention: the installation's life.
      id text primary key check (${isId('id', 'rst')}),
      generation integer not null references generation (number),
      reason text not null check (length(reason) between 5 and 500),
      requested_by text not null check (${isId('requested_by', 'key')}),
      requested_at integer not null check (requested_at >= 0),
      approved_by text check (${isId('approved_by', 'key')} and approved_by <> requested_by),
      approved_at integer check ((approved_at is null) = (approved_by is null)),
      executed_at integer check (executed_at >= 0),
      receipt text check ((receipt is null) = (executed_at is null))
    ) strict, without rowid`.execute(tx);
    await sql`create table access (
      -- Purpose: account for every access to backups. Retention: the installation's life.
      number integer primary key check (number > 0),
      at integer not null check (at >= 0),
      event text not null check (event in
        ('made', 'failed', 'listed', 'verified', 'removed', 'restore-requested', 'restore-approved', 'restored')),
      -- The account that asked; null for the schedule and the console.
      actor text check (${isId('actor', 'acct')}),
      generation integer,
      outcome text not null check (length(outcome) between 1 and 64),
      -- Of a restore, as the person gave it.
      reason text check (length(reason) <= 500),
      -- SHA-256 over the hash before and this row.
      hash blob not null check (length(hash) = 32)
    ) strict`.execute(tx);
    for (const change of ['update', 'delete']) {
      await sql`create trigger ${sql.raw(`access_no_${change}`)} before ${sql.raw(change)} on access
        begin select raise(abort, 'the log of accesses only grows'); end`.execute(tx);
    }
  },
};
