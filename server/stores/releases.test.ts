import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accountMigrations } from './account-store.ts';
import { backupMigrations } from './backup-store.ts';
import { customerMigrations, siteCatalogueMigrations } from './aimee-store.ts';
import { callMigrations } from './call-days.ts';
import { functionMigrations } from './function-store.ts';
import { databaseMigrations } from './database-store.ts';
import { keyMigrations } from './key-store.ts';
import type { Migration } from './migration.ts';
import { openEncrypted } from './sqlite.ts';
import { vectorMigrations } from './vector-store.ts';

/**
 * The schema with which each release went out, as far as its migrations went. A recorded file never changes:
 * if this turns red, a released migration was edited, and stores in the field would differ from new ones. Add
 * a migration instead, and with the release a line here.
 */
const RELEASES: { release: string; store: string; migrations: readonly Migration[]; count: number }[] = [
  { release: '0.1.0', store: 'keys', migrations: keyMigrations, count: 1 },
  { release: '0.1.0', store: 'backups', migrations: backupMigrations, count: 1 },
  { release: '0.1.0', store: 'accounts', migrations: accountMigrations, count: 1 },
  { release: '0.1.0', store: 'calls', migrations: callMigrations, count: 1 },
  { release: '0.1.0', store: 'functions', migrations: functionMigrations, count: 1 },
  { release: '0.1.0', store: 'databases', migrations: databaseMigrations, count: 1 },
  { release: '0.1.0', store: 'vectors', migrations: vectorMigrations, count: 1 },
  { release: '0.1.0', store: 'aimee-sites', migrations: siteCatalogueMigrations, count: 1 },
  { release: '0.1.0', store: 'aimee', migrations: customerMigrations, count: 1 },
];

async function schemaOf(migrations: readonly Migration[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'release-'));
  const store = await openEncrypted({
    name: 'release',
    path: join(dir, 'release.db'),
    key: randomBytes(32),
    migrations,
  });
  const { rows } = await sql<{ sql: string }>`select sql from sqlite_schema
    where sql is not null order by type desc, name`.execute(store.db);
  await store.close();
  rmSync(dir, { recursive: true });
  return rows.map((row) => `${row.sql};\n`).join('\n');
}

test.each(RELEASES)('$store still has the schema of release $release', async (recorded) => {
  const { release, store, migrations, count } = recorded;
  const schema = await schemaOf(migrations.slice(0, count));
  await expect(schema).toMatchFileSnapshot(`migrations/${store}/release-${release}.sql`);
});

test.each(RELEASES)('every table of $store is STRICT', async ({ migrations }) => {
  const tables = (await schemaOf(migrations)).split(';\n').filter((text) => /^\s*CREATE TABLE/i.test(text));
  expect(tables.length).toBeGreaterThan(0);
  for (const table of tables) expect(table).toMatch(/\) strict(, without rowid)?$/i);
});
