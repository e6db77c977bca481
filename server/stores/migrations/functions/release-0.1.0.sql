CREATE TABLE build (
      -- Purpose: tell the uploader how his build went, and resume it. Retention: until the version is deleted,
      -- a bad build is cleaned, or ten newer ones of the function are bad.
      id text primary key check (octet_length(id) = 24 and substr(id, 1, 4) = 'bld_' and substr(id, 5) not glob '*[^0-9A-Za-z]*'),
      account_id text not null check (octet_length(account_id) = 25 and substr(account_id, 1, 5) = 'acct_' and substr(account_id, 6) not glob '*[^0-9A-Za-z]*'),
      function_id text not null references function (id) on delete cascade,
      version integer not null check (version > 0),
      xid text not null check (octet_length(xid) = 20),
      name text not null check (octet_length(name) between 1 and 400),
      state text not null check (state in ('PENDING', 'DEPLOYED', 'FAILED')),
      attempts integer not null check (attempts >= 0),
      created_at integer not null check (created_at >= 0),
      -- Purpose: show the build tool's own words; never anything of a call. Retention: the same.
      error_details text not null check (octet_length(error_details) <= 8192)
    ) strict;

CREATE TABLE function (
      -- Purpose: know whose function it is and how it is called. Retention: until the function is deleted.
      id text primary key check (octet_length(id) = 23 and substr(id, 1, 3) = 'fn_' and substr(id, 4) not glob '*[^0-9A-Za-z]*'),
      account_id text not null check (octet_length(account_id) = 25 and substr(account_id, 1, 5) = 'acct_' and substr(account_id, 6) not glob '*[^0-9A-Za-z]*'),
      shortname text not null unique check (octet_length(shortname) between 1 and 40),
      published integer not null check (published in (0, 1)),
      -- Purpose: never give a deleted version's number again. Retention: the same.
      last_version integer not null check (last_version >= 0),
      -- Purpose: show when the function was made and changed. Retention: the same.
      created_at integer not null check (created_at >= 0),
      updated_at integer not null check (updated_at >= 0)
    ) strict;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE TABLE version (
      -- Purpose: tell versions and their deployments apart. Retention: until the version is deleted.
      function_id text not null references function (id) on delete cascade,
      version integer not null check (version > 0),
      xid text not null unique check (octet_length(xid) = 20),
      released_at integer not null check (released_at >= 0),
      -- Purpose: start it, and say what was built and with what. Retention: the same.
      layer text check (octet_length(layer) = 64),
      runtime_detail text not null,
      digest text not null check (octet_length(digest) = 64),
      -- Purpose: describe the function in the library, as its author uploaded it. Retention: the same.
      spec text not null check (json_valid(spec)),
      readme text not null,
      changelog text not null,
      primary key (function_id, version)
    ) strict;

CREATE INDEX build_account on build (account_id);

CREATE INDEX build_function on build (function_id);

CREATE UNIQUE INDEX build_one_pending on build (function_id)
      where state = 'PENDING';

CREATE INDEX function_account on function (account_id);
