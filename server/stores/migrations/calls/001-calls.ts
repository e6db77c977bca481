import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** One day's calls. The columns are the whole call record; each has a CHECK so that none can hold content. */
export const calls: Migration = {
  name: '001-calls',
  async up(tx) {
    await sql`create table call (
      -- Purpose: show the caller his calls. Retention: the day's partition, earlier if the account is erased.
      account_id text not null check (${isId('account_id', 'acct')}),
      -- Purpose: count the calls of a function. Retention: the day's partition.
      function_id text not null check (${isId('function_id', 'fn')}),
      version integer not null check (version > 0),
      -- Purpose: let the account notice misuse of its keys. Retention: the day's partition.
      origin_ip text not null check (octet_length(origin_ip) between 2 and 45
        and octet_length(origin_ip) = length(origin_ip) and origin_ip not glob '*[^0-9a-f.:]*'),
      -- Purpose: statistics of time taken and success. Retention: the day's partition.
      duration_ms integer not null check (duration_ms >= 0),
      ok integer not null check (ok in (0, 1))
    ) strict`.execute(tx);
    await sql`create index call_account on call (account_id)`.execute(tx);
    await sql`create index call_function on call (function_id, version, duration_ms, ok)`.execute(tx);
  },
};
