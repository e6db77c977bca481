import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { KeyRing } from '../keys/key-ring.ts';
import { openFile, sealToFile } from '../keys/sealed-blob.ts';
import { openEncrypted } from '../stores/sqlite.ts';
import type { Migration } from '../stores/migration.ts';

/**
 * A tenant of the platform's own in every generation: a store and a sealed file whose content follows from the generation's
 * number, so that a restore of it can be read and compared without reading anybody's data. A second sealed file is dropped at
 * once: nothing may open it.
 */
export interface SyntheticTenant {
  /** Writes what belongs into generation `number`; it replaces that of the one before. */
  write(number: number): Promise<void>;
}

export interface TenantOptions {
  readonly dataDir: string;
  readonly keyRing: Pick<KeyRing, 'obtain' | 'find' | 'destroy'>;
}

const FOLDER = 'backups/tenant';
const ROWS = 64;
const TENANT_STORE = `${FOLDER}/store.db`;
const TENANT_FILE = `${FOLDER}/file`;
const TENANT_DROPPED = `${FOLDER}/dropped`;
/** What of a generation is its tenant. */
export const isOfTenant = (path: string): boolean => path.startsWith(`${FOLDER}/`);

const tenantMigration: Migration = {
  name: '001-tenant',
  async up(tx) {
    await sql`create table row (number integer primary key, content blob not null) strict`.execute(tx);
  },
};

interface TenantTables {
  row: { number: number; content: Uint8Array };
}

const resourceOf = (kind: 'store' | 'file' | 'dropped', number: number): string =>
  `synthetic/${kind}-${number}`;

export function createSyntheticTenant({ dataDir, keyRing }: TenantOptions): SyntheticTenant {
  return {
    async write(number) {
      await rm(join(dataDir, FOLDER), { recursive: true, force: true });
      await mkdir(join(dataDir, FOLDER), { recursive: true, mode: 0o700 });
      const store = await open(
        join(dataDir, TENANT_STORE),
        await keyRing.obtain(resourceOf('store', number), 'root'),
      );
      try {
        const rows = Array.from({ length: ROWS }, (_, row) => ({
          number: row,
          content: contentOf(number, row),
        }));
        await store.db.insertInto('row').values(rows).execute();
        store.checkpoint();
      } finally {
        await store.close();
      }
      const key = await keyRing.obtain(resourceOf('file', number), 'root');
      await sealToFile(join(dataDir, TENANT_FILE), key, `synthetic-${number}`, contentOf(number, ROWS));
      const dropped = resourceOf('dropped', number);
      const droppedKey = await keyRing.obtain(dropped, 'root');
      await sealToFile(join(dataDir, TENANT_DROPPED), droppedKey, `synthetic-${number}`, randomBytes(64));
      await keyRing.destroy(dropped);
    },
  };
}

/** Whether what was restored to `directory` is the tenant of the generation, and the dropped file is dead. */
export async function isTenantOf(
  number: number,
  directory: string,
  keyRing: Pick<KeyRing, 'find'>,
): Promise<boolean> {
  const storeKey = await keyRing.find(resourceOf('store', number));
  const fileKey = await keyRing.find(resourceOf('file', number));
  const droppedKey = await keyRing.find(resourceOf('dropped', number));
  if (storeKey === undefined || fileKey === undefined || droppedKey !== undefined) return false;
  try {
    const content = await openFile(join(directory, TENANT_FILE), fileKey, `synthetic-${number}`);
    return (
      isContent(content, number, ROWS) && (await hasRows(join(directory, TENANT_STORE), storeKey, number))
    );
  } catch {
    return false;
  }
}

/** Keys of tenants whose generations are gone. */
export async function forgetTenant(number: number, keyRing: Pick<KeyRing, 'destroyAll'>): Promise<void> {
  await keyRing.destroyAll([resourceOf('store', number), resourceOf('file', number)]);
}

async function hasRows(path: string, key: Uint8Array, number: number): Promise<boolean> {
  const store = await open(path, key);
  try {
    const rows = await store.db.selectFrom('row').selectAll().orderBy('number').execute();
    return rows.length === ROWS && rows.every((row, index) => isContent(row.content, number, index));
  } finally {
    await store.close();
  }
}

async function open(path: string, key: Uint8Array) {
  return await openEncrypted<TenantTables>({ name: 'tenant', path, key, migrations: [tenantMigration] });
}

function contentOf(number: number, part: number): Buffer {
  return createHash('sha512').update(`synthetic tenant ${number} ${part}`).digest();
}

function isContent(content: Uint8Array, number: number, part: number): boolean {
  return contentOf(number, part).equals(content);
}
