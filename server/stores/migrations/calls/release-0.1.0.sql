CREATE TABLE call (
      -- Purpose: show the caller his calls. Retention: the day's partition, earlier if the account is erased.
      account_id text not null check (octet_length(account_id) = 25 and substr(account_id, 1, 5) = 'acct_' and substr(account_id, 6) not glob '*[^0-9A-Za-z]*'),
      -- Purpose: count the calls of a function. Retention: the day's partition.
      function_id text not null check (octet_length(function_id) = 23 and substr(function_id, 1, 3) = 'fn_' and substr(function_id, 4) not glob '*[^0-9A-Za-z]*'),
      version integer not null check (version > 0),
      -- Purpose: let the account notice misuse of its keys. Retention: the day's partition.
      origin_ip text not null check (octet_length(origin_ip) between 2 and 45
        and octet_length(origin_ip) = length(origin_ip) and origin_ip not glob '*[^0-9a-f.:]*'),
      -- Purpose: statistics of time taken and success. Retention: the day's partition.
      duration_ms integer not null check (duration_ms >= 0),
      ok integer not null check (ok in (0, 1))
    ) strict;

CREATE TABLE migration (
    version integer primary key check (version > 0),
    name text not null
  ) strict;

CREATE INDEX call_account on call (account_id);

CREATE INDEX call_function on call (function_id, version, duration_ms, ok);
