CREATE TRIGGER access_no_delete before delete on access
        begin select raise(abort, 'the log of accesses only grows'); end;

CREATE TRIGGER access_no_update before update on access
        begin select raise(abort, 'the log of accesses only grows'); end;

CREATE TABLE access (
      -- Purpose: account for every access to backups. Retention: the installation's life.
      number integer primary key check (number > 0),
      at integer not null check (at >= 0),
      event text not null check (event in
        ('made', 'failed', 'listed', 'verified', 'removed', 'restore-requested', 'restore-approved', 'restored')),
      -- The account that asked; null for the schedule and the console.
      actor text check (octet_length(actor) = 25 and substr(actor, 1, 5) = 'acct_' and substr(actor, 6) not glob '*[^0-9A-Za-z]*'),
      generation integer,
      outcome text not null check (length(outcome) between 1 and 64),
      -- Of a restore, as the person gave it.
      reason text check (length(reason) <= 500),
      -- SHA-256 over the hash before and this row.
      hash blob not null check (length(hash) = 32)
    ) strict;

CREATE TABLE generation (
      -- Purpose: know what must be in the target. Retention: the installation's life; rows stay, so no number is used again.
      number integer primary key check (number > 0),
      at integer not null check (at >= 0),
      -- SHA-256 of its manifest; null while it is made, or when making it failed.
      manifest blob check (length(manifest) = 32),
      removed_at integer check (removed_at >= 0)
    ) strict;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE TABLE restore_request (
      -- Purpose: let two people decide. Retention: the installation's life.
      id text primary key check (octet_length(id) = 24 and substr(id, 1, 4) = 'rst_' and substr(id, 5) not glob '*[^0-9A-Za-z]*'),
      generation integer not null references generation (number),
      reason text not null check (length(reason) between 5 and 500),
      requested_by text not null check (octet_length(requested_by) = 24 and substr(requested_by, 1, 4) = 'key_' and substr(requested_by, 5) not glob '*[^0-9A-Za-z]*'),
      requested_at integer not null check (requested_at >= 0),
      approved_by text check (octet_length(approved_by) = 24 and substr(approved_by, 1, 4) = 'key_' and substr(approved_by, 5) not glob '*[^0-9A-Za-z]*' and approved_by <> requested_by),
      approved_at integer check ((approved_at is null) = (approved_by is null)),
      executed_at integer check (executed_at >= 0),
      receipt text check ((receipt is null) = (executed_at is null))
    ) strict, without rowid;
