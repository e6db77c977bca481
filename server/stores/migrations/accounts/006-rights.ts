import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** What people have decided about their own data: that it goes, that it rests, or that it is not used for a purpose. */
export const rights: Migration = {
  name: '006-rights',
  async up(tx) {
    await sql`create table erasure (
      -- Purpose: finish an erasure that was interrupted; outlives the account. Retention: until it is finished.
      account_id text primary key check (${isId('account_id', 'acct')})
    ) strict`.execute(tx);
    await sql`create table restriction (
      -- Purpose: keep what the account holds and not use it. Retention: until it is lifted or the account is erased.
      account_id text primary key references account (id) on delete cascade check (${isId('account_id', 'acct')}),
      since integer not null check (since >= 0)
    ) strict`.execute(tx);
    await sql`create table objection (
      -- Purpose: not use the account's data for this. Retention: until it is withdrawn or the account is erased.
      account_id text not null references account (id) on delete cascade check (${isId('account_id', 'acct')}),
      purpose text not null check (purpose in ('origin-ip', 'statistics')),
      primary key (account_id, purpose)
    ) strict, without rowid`.execute(tx);
  },
};
