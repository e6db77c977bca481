CREATE TABLE account (
      -- Purpose: tell accounts apart and say what they may do. Retention: until the account is erased.
      id text primary key check (octet_length(id) = 25 and substr(id, 1, 5) = 'acct_' and substr(id, 6) not glob '*[^0-9A-Za-z]*'),
      role text not null check (role in ('owner', 'member')),
      -- Purpose: name the person to himself and the owner. Retention: until the account is erased.
      name text not null check (octet_length(name) between 1 and 400),
      email text not null check (octet_length(email) between 3 and 1016),
      -- Purpose: show when the account was made and changed. Retention: until the account is erased.
      created_at integer not null check (created_at >= 0),
      updated_at integer not null check (updated_at >= created_at)
    ) strict;

CREATE TABLE api_key (
      -- Purpose: list and revoke keys. Retention: until the key is revoked or the account is erased.
      id text primary key check (octet_length(id) = 24 and substr(id, 1, 4) = 'key_' and substr(id, 5) not glob '*[^0-9A-Za-z]*'),
      account_id text not null references account (id) on delete cascade,
      created_at integer not null check (created_at >= 0),
      -- Purpose: recognise the key and end its tokens. Retention: the same.
      hmac blob not null unique check (length(hmac) = 32),
      epoch integer not null check (epoch > 0),
      -- Purpose: give the key's holder, and nobody else, the account key. Retention: the same.
      wrapped_account_key blob not null check (length(wrapped_account_key) = 60)
    ) strict;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE UNIQUE INDEX account_email on account (lower(email));

CREATE INDEX api_key_account on api_key (account_id);
