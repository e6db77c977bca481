import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyRing } from '../server/keys/key-ring.ts';
import { loadRootKey } from '../server/keys/root-key.ts';
import { openKeyStore } from '../server/stores/key-store.ts';

export type StoredRows = Record<string, Record<string, unknown>[]>;

interface Driver {
  pragma(text: string): void;
  prepare(text: string): { all(): Record<string, unknown>[] };
  close(): void;
}

const require = createRequire(new URL('../server/package.json', import.meta.url));
const SqliteDriver = require('better-sqlite3-multiple-ciphers') as new (path: string) => Driver;

/**
 * Tables of the account store as they lie on disk, of a copy, read by the driver itself: none of the platform's own readers
 * is between.
 */
export async function storedRows(dataDir: string, tables: readonly string[]): Promise<StoredRows> {
  const copy = mkdtempSync(join(tmpdir(), 'jellyfaas-copy-'));
  for (const part of ['keys', 'accounts']) cpSync(join(dataDir, part), join(copy, part), { recursive: true });
  const root = await loadRootKey({ source: 'file', path: join(copy, 'keys', 'root.key') }, false);
  const keys = await openKeyStore({ path: join(copy, 'keys', 'keys.db'), root });
  const key = await createKeyRing({ root, store: keys }).obtain('stores/accounts', 'root');
  await keys.close();
  const database = new SqliteDriver(join(copy, 'accounts', 'accounts.db'));
  database.pragma(`cipher='aegis'`);
  database.pragma(`key='raw:${Buffer.from(key).toString('hex')}'`);
  const rows = tables.map((table) => [table, database.prepare(`select * from ${table}`).all()] as const);
  database.close();
  rmSync(copy, { recursive: true });
  return Object.fromEntries(rows);
}
