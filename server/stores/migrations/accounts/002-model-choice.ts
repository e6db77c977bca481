import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Which model platform an account chose. The CHECK leaves room for a configured name and for nothing else. */
export const modelChoice: Migration = {
  name: '002-model-choice',
  async up(tx) {
    await sql`create table account_model (
      -- Purpose: serve the account by the model that it chose, and know that it agreed to an outside provider.
      -- Retention: until the account takes the choice back or is erased.
      account_id text primary key references account (id) on delete cascade
        check (${isId('account_id', 'acct')}),
      platform text not null check (octet_length(platform) between 1 and 40
        and octet_length(platform) = length(platform) and platform not glob '*[^a-z0-9-]*')
    ) strict`.execute(tx);
  },
};
