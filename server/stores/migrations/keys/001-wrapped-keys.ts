import { sql } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

export const wrappedKeys: Migration = {
  name: '001-wrapped-keys',
  async up(tx) {
    await sql`create table wrapped_key (
      -- Purpose: find the key of a stored thing. Retention: as long as the thing; destroyed before it.
      resource text primary key check (octet_length(resource) between 1 and 200),
      parent text not null check (parent = 'root' or (${isId('parent', 'acct')})),
      root_generation integer check ((parent = 'root') = (root_generation is not null)),
      -- Purpose: open what the key protects. Retention: the same.
      wrap blob not null check (length(wrap) = 60)
    ) strict, without rowid`.execute(tx);
    await sql`create index wrapped_key_parent on wrapped_key (parent)`.execute(tx);
  },
};
