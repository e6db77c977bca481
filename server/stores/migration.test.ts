import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Migration } from './migration.ts';
import { openEncrypted } from './sqlite.ts';
import type { EncryptedStore } from './sqlite.ts';

interface BookTables {
  book: { id: number; title: string; pages?: number };
}

const releaseOne: Migration = {
  name: '001-books',
  async up(tx) {
    await sql`create table book (id integer primary key, title text not null) strict`.execute(tx);
  },
};
const releaseTwo: Migration = {
  name: '002-pages',
  async up(tx) {
    await sql`alter table book add column pages integer not null default 0`.execute(tx);
    await sql`update book set pages = length(title)`.execute(tx);
  },
};
const broken: Migration = {
  name: '002-broken',
  async up(tx) {
    await sql`alter table book add column half integer`.execute(tx);
    throw new Error('stopped half way');
  },
};

let dir: string;
const key = randomBytes(32);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'migration-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function openBooks(migrations: Migration[]): Promise<EncryptedStore<BookTables>> {
  return await openEncrypted<BookTables>({ name: 'books', path: join(dir, 'books.db'), key, migrations });
}

/** A store as the previous release left it, with rows. */
async function previousRelease(): Promise<void> {
  const store = await openBooks([releaseOne]);
  await store.db
    .insertInto('book')
    .values([
      { id: 1, title: 'Emma' },
      { id: 2, title: 'Dune' },
    ])
    .execute();
  await store.close();
}

test('an empty store gets all migrations', async () => {
  const store = await openBooks([releaseOne, releaseTwo]);
  await store.db.insertInto('book').values({ id: 1, title: 'Emma', pages: 474 }).execute();
  expect(await store.db.selectFrom('book').selectAll().execute()).toHaveLength(1);
  await store.close();
});

test('rows of the previous release survive the migration', async () => {
  await previousRelease();
  const store = await openBooks([releaseOne, releaseTwo]);
  expect(await store.db.selectFrom('book').selectAll().orderBy('id').execute()).toEqual([
    { id: 1, title: 'Emma', pages: 4 },
    { id: 2, title: 'Dune', pages: 4 },
  ]);
  await store.close();
});

test('a migration that fails changes nothing and runs again at the next start', async () => {
  await previousRelease();
  await expect(openBooks([releaseOne, broken])).rejects.toThrow('stopped half way');
  const store = await openBooks([releaseOne, releaseTwo]);
  expect(await store.db.selectFrom('book').selectAll().where('id', '=', 1).execute()).toEqual([
    { id: 1, title: 'Emma', pages: 4 },
  ]);
  await store.close();
});

test('a store newer than the code is refused and not touched', async () => {
  await (await openBooks([releaseOne, releaseTwo])).close();
  await expect(openBooks([releaseOne])).rejects.toMatchObject({ code: 'stores.too_new' });
  await (await openBooks([releaseOne, releaseTwo])).close();
});

test('a store of another kind is refused', async () => {
  await previousRelease();
  await expect(openBooks([{ ...releaseOne, name: '001-other' }])).rejects.toMatchObject({
    code: 'stores.foreign_schema',
  });
});

test('a migration runs once', async () => {
  const applied: unknown[] = [];
  for (const round of [1, 2]) {
    const store = await openEncrypted({
      name: 'books',
      path: join(dir, 'books.db'),
      key,
      migrations: [releaseOne],
      events: { emit: (event, fields) => applied.push([round, event, fields]) },
    });
    await store.close();
  }
  expect(applied).toEqual([[1, 'store.migrated', { store: 'books', applied: 1 }]]);
});
