import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Holder } from '../accounts/principal.ts';
import type { Clock } from '../kernel/clock.ts';
import { type DatabaseId, newId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import {
  hashName,
  lockResource,
  makeLock,
  openDescription,
  openLock,
  sealDescription,
} from './database-locks.ts';
import type { DatabaseStore, StoredDatabase } from './database-store.ts';
import type { Database, Databases, DatabaseFile, DatabaseKind, Dropped, NewDatabase } from './databases.ts';
import { databaseErrors } from './errors.ts';
import { createRotations, type DatabaseFiles } from './rotations.ts';

export interface DatabasesOptions {
  readonly store: DatabaseStore;
  readonly keyRing: KeyRing;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly clock: Clock;
  /** Databases lie below it, each in a directory of its own. */
  readonly directory: string;
  readonly files: DatabaseFiles;
  /** Of one kind, per account. */
  readonly perAccountMax?: number;
}

const PER_ACCOUNT_MAX = 2000;
const NAME_FORM = /^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$/;
const ID_FORM = /^db_[0-9A-Za-z]{20}$/;

/** Opens the catalogue and removes what a crash left half made or half dropped. */
export async function createDatabases(options: DatabasesOptions): Promise<Databases> {
  const { store, keyRing, receipts, clock, directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await tidyUp(options);
  const listeners: ((id: DatabaseId) => Promise<void> | void)[] = [];
  /** Its key is gone or going; the row follows. */
  const dropping = new Set<DatabaseId>();
  const rotations = createRotations(options);

  async function rowOf(holder: Holder, kind: DatabaseKind, name: string): Promise<StoredDatabase> {
    const find = () => store.find(holder.accountId, kind, hashName(holder, kind, name));
    let row = await find();
    if (row !== undefined && (await rotations.ended(row.id))) row = await find();
    if (row === undefined || dropping.has(row.id)) throw databaseErrors.notFound();
    return row;
  }

  async function rowsOf(holder: Holder, kind: DatabaseKind): Promise<StoredDatabase[]> {
    const rows = await store.list(holder.accountId, kind);
    return rows.filter(({ id }) => !dropping.has(id));
  }

  async function destroy(id: DatabaseId): Promise<void> {
    dropping.add(id);
    try {
      // From here on nothing opens it, backups included.
      await keyRing.destroy(lockResource(id));
      for (const listener of listeners) await listener(id);
      await store.remove(id);
      await rm(join(directory, id), { recursive: true, force: true });
    } finally {
      dropping.delete(id);
    }
  }

  return {
    async create(holder, form, prepare) {
      if (!NAME_FORM.test(form.name)) throw databaseErrors.badName();
      const max = options.perAccountMax ?? PER_ACCOUNT_MAX;
      if ((await rowsOf(holder, form.kind)).length >= max) throw databaseErrors.tooMany(form.kind, max);
      return await make(options, { holder, form, prepare });
    },
    async list(holder, kind) {
      const rows = await rowsOf(holder, kind);
      return rows.map((row) => describe(holder, row)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    async find(holder, kind, name) {
      return describe(holder, await rowOf(holder, kind, name));
    },
    async open(holder, kind, name) {
      const row = await rowOf(holder, kind, name);
      const key = await openLock(keyRing, holder, row);
      await rotations.settle(row, key);
      return {
        database: describe(holder, row),
        file: { id: row.id, directory: join(directory, row.id), key },
      };
    },
    async drop(holder, kind, name): Promise<Dropped> {
      const { id } = await rowOf(holder, kind, name);
      await destroy(id);
      const at = new Date(clock.now()).toISOString();
      return { id, kind, receipt: await receipts.sign({ event: 'database.dropped', kind, id, at }) };
    },
    async erase(accountId, kind) {
      for (const { id } of await store.list(accountId, kind)) await destroy(id);
    },
    async rotateAll(holder) {
      const rows = [...(await rowsOf(holder, 'vector')), ...(await rowsOf(holder, 'sql'))];
      for (const row of rows) await rotations.rotate(holder, row);
      return rows.length;
    },
    onDropped: (listener) => void listeners.push(listener),
    onRotating: (listener) => rotations.onRotating(listener),
  };
}

interface Making {
  readonly holder: Holder;
  readonly form: NewDatabase;
  readonly prepare: (file: DatabaseFile) => Promise<void>;
}

/** Directory, key, file, row, in this order: whatever lacks its row did not come to be. */
async function make(
  { store, keyRing, clock, directory }: DatabasesOptions,
  { holder, form, prepare }: Making,
): Promise<Database> {
  const { kind, name, settings } = form;
  const id = newId<DatabaseId>('db');
  const own = join(directory, id);
  const database: Database = { id, kind, name, settings, createdAt: clock.now() };
  await mkdir(own, { mode: 0o700 });
  try {
    const { key, wrappedKey } = await makeLock(keyRing, holder, id);
    await prepare({ id, directory: own, key });
    key.fill(0);
    await store.insert({
      id,
      accountId: holder.accountId,
      kind,
      nameHash: hashName(holder, kind, name),
      description: sealDescription(holder, id, database),
      wrappedKey,
    });
  } catch (thrown) {
    await keyRing.destroy(lockResource(id));
    await rm(own, { recursive: true, force: true });
    throw thrown;
  }
  return database;
}

function describe(holder: Holder, row: StoredDatabase): Database {
  return { id: row.id, kind: row.kind, ...openDescription(holder, row) };
}

async function tidyUp({ store, keyRing, directory }: DatabasesOptions): Promise<void> {
  const kept = new Set<string>();
  for (const id of await store.ids()) {
    if ((await keyRing.find(lockResource(id))) === undefined) await store.remove(id);
    else kept.add(id);
  }
  for (const name of await readdir(directory)) {
    if (!ID_FORM.test(name) || kept.has(name)) continue;
    await keyRing.destroy(lockResource(name as DatabaseId));
    await rm(join(directory, name), { recursive: true, force: true });
  }
}
