CREATE TABLE database (
      -- Purpose: find and open the databases of an account.
      -- Retention: until the database is dropped or the account erased.
      id text primary key check (octet_length(id) = 23 and substr(id, 1, 3) = 'db_' and substr(id, 4) not glob '*[^0-9A-Za-z]*'),
      account_id text not null check (octet_length(account_id) = 25 and substr(account_id, 1, 5) = 'acct_' and substr(account_id, 6) not glob '*[^0-9A-Za-z]*'),
      kind text not null check (kind in ('vector', 'sql')),
      -- Keyed hash of the name, under a key that the service does not have.
      name_hash blob not null check (length(name_hash) = 32),
      -- Name, settings and creation time, sealed under the account key.
      description blob not null check (length(description) between 29 and 8192),
      -- The file's key, wrapped under account key and key ring together: nonce, 32 bytes, tag.
      wrapped_key blob not null check (length(wrapped_key) = 60),
      unique (account_id, kind, name_hash)
    ) strict;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;
