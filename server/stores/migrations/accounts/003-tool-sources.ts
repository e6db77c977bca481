import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Outside MCP servers of accounts. Which they are and what opens them is sealed under the account key. */
export const toolSources: Migration = {
  name: '003-tool-sources',
  async up(tx) {
    await sql`create table tool_source (
      -- Purpose: find the sources of an account. Retention: until the source is removed or the account is erased.
      id text primary key check (${isId('id', 'src')}),
      account_id text not null references account (id) on delete cascade check (${isId('account_id', 'acct')}),
      -- Purpose: name, address, token and approved tools, for the holder of the account key. Retention: the same.
      sealed blob not null check (octet_length(sealed) between 29 and 65536)
    ) strict`.execute(tx);
    await sql`create index tool_source_account on tool_source (account_id)`.execute(tx);
  },
};
