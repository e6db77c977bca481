import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Whose site it is that a visitor writes to; everything else lies in the customer's own file. */
export const aimeeSites: Migration = {
  name: '001-sites',
  async up(tx) {
    await sql`create table site (
      -- Purpose: find the customer of a site. Retention: until the site is deleted or the account erased.
      id text primary key check (${isId('id', 'site')}),
      account_id text not null check (${isId('account_id', 'acct')})
    ) strict`.execute(tx);
  },
};
