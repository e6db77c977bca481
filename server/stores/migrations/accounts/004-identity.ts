import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/** Which account the person has whom the identity provider signs in. The provider's own name for him is not stored. */
export const identity: Migration = {
  name: '004-identity',
  async up(tx) {
    await sql`create table identity (
      -- Purpose: find the account of a person who signs in. Retention: until the account is erased.
      account_id text primary key references account (id) on delete cascade
        check (${isId('account_id', 'acct')}),
      subject_hmac blob not null unique check (octet_length(subject_hmac) = 32)
    ) strict`.execute(tx);
  },
};
