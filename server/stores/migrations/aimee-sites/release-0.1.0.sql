CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE TABLE site (
      -- Purpose: find the customer of a site. Retention: until the site is deleted or the account erased.
      id text primary key check (octet_length(id) = 25 and substr(id, 1, 5) = 'site_' and substr(id, 6) not glob '*[^0-9A-Za-z]*'),
      account_id text not null check (octet_length(account_id) = 25 and substr(account_id, 1, 5) = 'acct_' and substr(account_id, 6) not glob '*[^0-9A-Za-z]*')
    ) strict;
