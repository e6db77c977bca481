CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE TABLE wrapped_key (
      -- Purpose: find the key of a stored thing. Retention: as long as the thing; destroyed before it.
      resource text primary key check (octet_length(resource) between 1 and 200),
      parent text not null check (parent = 'root' or (octet_length(parent) = 25 and substr(parent, 1, 5) = 'acct_' and substr(parent, 6) not glob '*[^0-9A-Za-z]*')),
      root_generation integer check ((parent = 'root') = (root_generation is not null)),
      -- Purpose: open what the key protects. Retention: the same.
      wrap blob not null check (length(wrap) = 60)
    ) strict, without rowid;

CREATE INDEX wrapped_key_parent on wrapped_key (parent);
