import Database from 'better-sqlite3-multiple-ciphers';
import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Migration } from './migration.ts';
import { openEncrypted } from './sqlite.ts';
import type { EncryptedStore } from './sqlite.ts';

interface NoteTables {
  note: { id: number; text: string };
}

const notes: Migration = {
  name: '001-notes',
  async up(tx) {
    await sql`create table note (id integer primary key, text text not null) strict`.execute(tx);
  },
};

let dir: string;
let path: string;
const key = randomBytes(32);
const open: EncryptedStore<NoteTables>[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'stores-'));
  path = join(dir, 'private', 'notes.db');
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  rmSync(dir, { recursive: true, force: true });
});

async function openNotes(
  change: { key?: Uint8Array; path?: string } = {},
): Promise<EncryptedStore<NoteTables>> {
  const store = await openEncrypted<NoteTables>({ name: 'notes', path, key, migrations: [notes], ...change });
  open.push(store);
  return store;
}

async function pragma(store: EncryptedStore<NoteTables>, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(store.db);
  return Object.values(rows[0] ?? {})[0];
}

/** Searches every file that this process holds open, unlinked ones included. */
function anyOpenFileHolds(marker: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    const target = `/proc/self/fd/${fd}`;
    if (statSync(target, { throwIfNoEntry: false })?.isFile() !== true) return false;
    return readFileSync(target).includes(marker);
  });
}

/** The same file without the factory's care. */
function rawConnection(): Database {
  const raw = new Database(path);
  raw.pragma(`cipher='aegis'`);
  raw.pragma(`key='raw:${key.toString('hex')}'`);
  return raw;
}

describe('an encrypted store', () => {
  test('keeps its rows over a restart', async () => {
    const first = await openNotes();
    await first.db.insertInto('note').values({ id: 1, text: 'kept' }).execute();
    await first.close();
    const second = await openNotes();
    expect(await second.db.selectFrom('note').select('text').execute()).toEqual([{ text: 'kept' }]);
  });

  test('has every protective pragma on every connection', async () => {
    for (const round of [1, 2]) {
      const store = await openNotes();
      expect(await pragma(store, 'cipher'), `round ${round}`).toBe('aegis');
      expect(await pragma(store, 'journal_mode')).toBe('wal');
      expect(await pragma(store, 'synchronous')).toBe(2);
      expect(await pragma(store, 'temp_store')).toBe(2);
      expect(await pragma(store, 'secure_delete')).toBe(1);
      expect(await pragma(store, 'foreign_keys')).toBe(1);
      expect(await pragma(store, 'trusted_schema')).toBe(0);
      expect(await pragma(store, 'cell_size_check')).toBe(1);
      expect(await pragma(store, 'busy_timeout')).toBe(250);
      await store.close();
    }
  });

  test('can be read by its owner only', async () => {
    await openNotes();
    expect(statSync(join(dir, 'private')).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(join(dir, 'private'))) {
      expect(statSync(join(dir, 'private', file)).mode & 0o777, file).toBe(0o600);
    }
  });

  test('does not open with another key, and stays as it was', async () => {
    await (await openNotes()).close();
    const before = readFileSync(path);
    await expect(openNotes({ key: randomBytes(32) })).rejects.toMatchObject({ code: 'stores.wrong_key' });
    expect(readFileSync(path).equals(before)).toBe(true);
    await openNotes();
  });

  test('refuses a key of another length', async () => {
    await expect(openNotes({ key: randomBytes(16) })).rejects.toMatchObject({
      code: 'stores.bad_key_length',
    });
  });

  test('refuses a plaintext database and leaves it alone', async () => {
    await (await openNotes()).close();
    const plain = join(dir, 'plain.db');
    new Database(plain).exec('create table note (id integer, text text)').close();
    const before = readFileSync(plain);
    await expect(openNotes({ path: plain })).rejects.toMatchObject({ code: 'stores.plaintext_refused' });
    expect(readFileSync(plain).equals(before)).toBe(true);
  });

  test('refuses a symbolic link', async () => {
    await (await openNotes()).close();
    const link = join(dir, 'link.db');
    symlinkSync(path, link);
    await expect(openNotes({ path: link })).rejects.toMatchObject({ code: 'stores.not_a_file' });
  });

  test('refuses a file that is no database', async () => {
    const noise = join(dir, 'noise.db');
    writeFileSync(noise, randomBytes(8192));
    await expect(openNotes({ path: noise })).rejects.toMatchObject({ code: 'stores.wrong_key' });
  });

  test('notices one flipped bit in a page', async () => {
    const store = await openNotes();
    const rows = Array.from({ length: 400 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
    await store.db.insertInto('note').values(rows).execute();
    store.checkpoint();
    await store.close();
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(4 * 4096 + 100) ^ 1, 4 * 4096 + 100);
    writeFileSync(path, bytes);
    const damaged = await openNotes();
    await expect(damaged.db.selectFrom('note').selectAll().execute()).rejects.toMatchObject({
      code: 'stores.corrupt',
    });
  });

  test('writes no plaintext to main file, log or temporary file, big sorts included', async () => {
    const marker = randomBytes(16).toString('hex');
    const store = await openNotes();
    const rows = Array.from({ length: 8000 }, (_, id) => ({ id, text: `${marker} ${'y'.repeat(600)}` }));
    for (let at = 0; at < rows.length; at += 1000) {
      const some = rows.slice(at, at + 1000);
      await store.db.insertInto('note').values(some).execute();
    }
    await store.db
      .updateTable('note')
      .set({ text: sql`text || id` })
      .execute();
    const sort = store.db
      .selectFrom('note')
      .selectAll()
      .orderBy(sql`(id * 7919) % 8000`);
    let rowsSeen = 0;
    for await (const row of sort.stream()) {
      expect(row.text.startsWith(marker)).toBe(true);
      expect(anyOpenFileHolds(marker)).toBe(false);
      if (++rowsSeen === 3) break;
    }
    for (const file of readdirSync(join(dir, 'private'))) {
      expect(readFileSync(join(dir, 'private', file)).includes(marker), file).toBe(false);
    }

    // The control: without the pragma the same sort does leave plaintext in an unlinked file.
    const careless = rawConnection();
    careless.pragma('temp_store=file');
    careless.pragma('cache_size=-2048');
    const leaking = careless.prepare('select * from note order by (id * 7919) % 8000').iterate();
    leaking.next();
    expect(anyOpenFileHolds(marker)).toBe(true);
    leaking.return?.();
    careless.close();
  });

  test('empties its log at a checkpoint', async () => {
    const store = await openNotes();
    await store.db.insertInto('note').values({ id: 1, text: 'a' }).execute();
    store.checkpoint();
    expect(statSync(`${path}-wal`).size).toBe(0);
  });

  test('says so when a reader keeps deleted content in the log', async () => {
    const store = await openNotes();
    const other = rawConnection();
    await store.db
      .insertInto('note')
      .values([
        { id: 1, text: 'a' },
        { id: 2, text: 'b' },
      ])
      .execute();
    const reading = other.prepare('select * from note').iterate();
    reading.next();
    await store.db.deleteFrom('note').execute();
    expect(() => store.checkpoint()).toThrow(expect.objectContaining({ code: 'stores.checkpoint_busy' }));
    reading.return?.();
    other.close();
    store.checkpoint();
  });
});
