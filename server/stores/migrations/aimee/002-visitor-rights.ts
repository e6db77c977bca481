import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';
import { progressColumns } from '../../progress-columns.ts';

/** What visitors asked under their rights, by their conversation, and what follows from it. */
export const visitorRights: Migration = {
  name: '002-visitor-rights',
  async up(tx) {
    // Purpose: keep it and not use it, or not analyse it. Retention: as the conversation.
    for (const column of ['restricted', 'objected'])
      await sql`alter table conversation add column ${sql.raw(column)} integer not null default 0
        check (${sql.raw(column)} in (0, 1))`.execute(tx);
    await sql`create table note (
      -- Purpose: what the visitor says is right, beside what was said. Retention: as the conversation.
      conversation_id text not null references conversation (id) on delete cascade,
      entry integer not null check (entry > 0),
      number integer not null check (number > 0),
      -- Sealed under the conversation's key.
      sealed blob not null check (length(sealed) between 29 and 16384),
      primary key (conversation_id, number)
    ) strict`.execute(tx);
    await sql`create table visitor_request (
      -- Purpose: answer visitors in time, and prove it. Retention: until the site is deleted; of ended ones the newest 1000.
      id text primary key check (${isId('id', 'req')}),
      site_id text not null references site (id) on delete cascade,
      -- Null once the conversation is gone.
      conversation_id text references conversation (id) on delete set null,
      kind text not null check (kind in ('access', 'rectification', 'erasure', 'restriction', 'lifting', 'portability',
        'objection', 'withdrawal')),
      ${progressColumns}
    ) strict`.execute(tx);
    await sql`create index visitor_request_site on visitor_request (site_id)`.execute(tx);
    await sql`create unique index visitor_request_open on visitor_request (conversation_id, kind)
      where ended_on is null`.execute(tx);
  },
};
