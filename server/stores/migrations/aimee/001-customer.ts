import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import { isId } from '../../checks.ts';
import type { Migration } from '../../migration.ts';

/**
 * One customer of AI.Mee. Readable for the service are settings, counters and when a conversation took place; what was
 * said lies sealed under keys of which the service has one half.
 */
export const aimeeCustomer: Migration = {
  name: '001-customer',
  async up(tx) {
    await sites(tx);
    await conversations(tx);
    await counters(tx);
    await access(tx);
  },
};

async function sites(tx: Transaction<unknown>): Promise<void> {
  await sql`create table customer (
    -- Purpose: seal conversations so that only the customer opens them. Retention: until the account is erased.
    id integer primary key check (id = 1),
    public_key blob not null check (length(public_key) = 32)
  ) strict`.execute(tx);
  await sql`create table site (
    -- Purpose: answer visitors as the customer has set it. Retention: until the site is deleted.
    id text primary key check (${isId('id', 'site')}),
    created_at integer not null check (created_at > 0),
    settings text not null check (json_valid(settings) and octet_length(settings) <= 65536),
    -- Embedding model of the knowledge base.
    knowledge_model text check (octet_length(knowledge_model) between 1 and 512),
    knowledge_dimensions integer check (knowledge_dimensions between 1 and 4096),
    check ((knowledge_model is null) = (knowledge_dimensions is null))
  ) strict`.execute(tx);
}

async function conversations(tx: Transaction<unknown>): Promise<void> {
  await sql`create table conversation (
    -- Purpose: show the customer who asked what. Retention: purge, the site's own retention, deletion of the site.
    id text primary key check (${isId('id', 'conv')}),
    site_id text not null references site (id) on delete cascade,
    -- Purpose: let a visitor name his conversation to the customer.
    reference text not null unique check (octet_length(reference) = 12 and reference not glob '*[^0-9A-Z]*'),
    -- Purpose: dates in lists, filters and retention.
    started_at integer not null check (started_at > 0),
    -- Purpose: filters of the list.
    messages integer not null check (messages >= 0),
    unanswered integer not null check (unanswered between 0 and messages),
    up integer not null check (up between 0 and messages),
    down integer not null check (down between 0 and messages),
    handed_over integer not null check (handed_over in (0, 1)),
    -- The customer's half of the key (HPKE): 32 bytes encapsulated, 32 sealed, tag of 16.
    sealed_half blob not null check (length(sealed_half) = 80)
  ) strict`.execute(tx);
  await sql`create index conversation_time on conversation (site_id, started_at, id)`.execute(tx);
  await sql`create table entry (
    conversation_id text not null references conversation (id) on delete cascade,
    number integer not null check (number > 0),
    kind text not null check (kind in ('answer', 'hand-over')),
    answered integer not null check (answered in (0, 1)),
    rating text not null check (rating in ('up', 'down', 'none')),
    -- Question, answer and sources, or a request for a person: sealed under the conversation's key.
    sealed blob not null check (length(sealed) between 29 and 1048576),
    primary key (conversation_id, number)
  ) strict`.execute(tx);
}

async function counters(tx: Transaction<unknown>): Promise<void> {
  await sql`create table counter (
    -- Purpose: statistics for the customer. Retention: until they are reset or the site is deleted.
    site_id text not null references site (id) on delete cascade,
    day text not null check (octet_length(day) = 10 and day glob '????-??-??' and day not glob '*[^0-9-]*'),
    conversations integer not null check (conversations >= 0),
    messages integer not null check (messages >= 0),
    answered integer not null check (answered >= 0),
    unanswered integer not null check (unanswered >= 0),
    up integer not null check (up >= 0),
    down integer not null check (down >= 0),
    hand_overs integer not null check (hand_overs >= 0),
    primary key (site_id, day)
  ) strict, without rowid`.execute(tx);
}

async function access(tx: Transaction<unknown>): Promise<void> {
  await sql`create table support_grant (
    -- Purpose: show the customer whom he let read what, and why. Retention: until the account is erased.
    id text primary key check (${isId('id', 'grant')}),
    site_id text not null check (${isId('site_id', 'site')}),
    conversations text not null check (json_valid(conversations) and octet_length(conversations) <= 1024),
    reason text not null check (octet_length(reason) between 1 and 1200),
    created_at integer not null check (created_at > 0),
    ends_at integer not null check (ends_at > created_at),
    ended_at integer check (ended_at > 0),
    ended_by text check (ended_by in ('customer', 'time', 'restart')),
    check ((ended_at is null) = (ended_by is null))
  ) strict`.execute(tx);
  await sql`create table access (
    -- Purpose: prove to the customer what staff has read. Retention: until the account is erased.
    number integer primary key check (number > 0),
    at integer not null check (at > 0),
    event text not null check (event in ('granted', 'read', 'ended')),
    grant_id text not null references support_grant (id),
    conversation_id text check (${isId('conversation_id', 'conv')}),
    hash blob not null check (length(hash) = 32)
  ) strict`.execute(tx);
}
