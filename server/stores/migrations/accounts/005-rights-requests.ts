import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';
import { progressColumns } from '../../progress-columns.ts';

export const rightsRequests: Migration = {
  name: '005-rights-requests',
  async up(tx) {
    await sql`create table rights_request (
      -- Purpose: answer requests under the rights of the GDPR in time. Retention: until the account is erased; the newest 200.
      id text primary key check (${isId('id', 'req')}),
      account_id text not null references account (id) on delete cascade,
      kind text not null check (kind in ('access', 'rectification', 'erasure', 'restriction', 'lifting', 'portability',
        'objection', 'withdrawal')),
      purpose text check (purpose in ('origin-ip', 'statistics')),
      by_operator integer not null check (by_operator in (0, 1)),
      ${progressColumns}
    ) strict`.execute(tx);
    await sql`create index rights_request_account on rights_request (account_id)`.execute(tx);
    await sql`create unique index rights_request_open
      on rights_request (account_id, kind, coalesce(purpose, ''), by_operator) where ended_on is null`.execute(
      tx,
    );
  },
};
