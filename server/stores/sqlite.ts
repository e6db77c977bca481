import Database, { type Statement } from 'better-sqlite3-multiple-ciphers';
import { Kysely, SqliteDialect } from 'kysely';
import type { SqliteDatabase } from 'kysely';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { PlatformError } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { unlockWith } from './cipher.ts';
import { migrate } from './migration.ts';
import type { Migration } from './migration.ts';
import { finishRekey, type Rekey, rekeyFile } from './rekey.ts';

/**
 * The only way to a database file. Every connection sets and reads back every pragma on which secrecy or
 * integrity rests, because SQLite ignores a misspelt or unsupported one without a word. The driver's own
 * handle never leaves this file: its serialize() would give the plaintext.
 */
export interface EncryptedStoreOptions {
  /** Short name for errors and events, for example `accounts`. */
  readonly name: string;
  readonly path: string;
  /** 32 bytes, used as they are. */
  readonly key: Uint8Array;
  readonly migrations: readonly Migration[];
  /**
   * `full` (default) survives power loss from the moment of the answer, which everything acknowledged needs.
   * `normal` survives the end of the process and may lose the last moments at power loss.
   */
  readonly durability?: 'full' | 'normal';
  readonly events?: Pick<EventLog, 'emit'>;
}

export interface EncryptedStore<Tables> {
  readonly db: Kysely<Tables>;
  /**
   * Moves the write-ahead log into the main file and empties it; only then is deleted content gone from disk.
   * Throws `stores.checkpoint_busy` when a reader held it up.
   */
  checkpoint(): void;
  /**
   * Another key for the file, while everybody else waits. Rejects with the store as it was; only one whose files could not
   * be put back is closed then.
   */
  rekey(order: Omit<Rekey, 'path'>): Promise<void>;
  /** Work that changes very many pages, with the memory to write each of them once. */
  withRoom<T>(cacheMib: number, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const PLAINTEXT_HEADER = Buffer.from('SQLite format 3\0', 'latin1');

/** 2 MiB a connection: dozens of day partitions may be open at once. */
const CACHE_SIZE = '-2048';

/** Statements that a connection keeps compiled: those of its store's daily work, and none that is long. */
const STATEMENTS_MAX = 32;
const STATEMENT_LENGTH_MAX = 1024;

/** Value to set, and what reading it back must give. */
const PRAGMAS: readonly (readonly [name: string, value: string, readBack: string | number])[] = [
  ['journal_mode', 'wal', 'wal'],
  // Sorts and multi-row updates spill to temporary files in plaintext otherwise.
  ['temp_store', 'memory', 2],
  // Deleted content is overwritten with zeros; ON, because FAST leaves traces in free pages.
  ['secure_delete', 'on', 1],
  ['mmap_size', '0', 0],
  ['foreign_keys', 'on', 1],
  ['trusted_schema', 'off', 0],
  ['cell_size_check', 'on', 1],
  // The driver is synchronous: waiting for a foreign process holds up every call.
  ['busy_timeout', '250', 250],
  ['cache_size', CACHE_SIZE, -2048],
];

/** Opens or creates the store at `path` and migrates it. Errors: `stores.*`. */
export async function openEncrypted<Tables>(options: EncryptedStoreOptions): Promise<EncryptedStore<Tables>> {
  const { name, path } = options;
  await finishRekey(path, options.key);
  const isNew = prepareFile(options);
  const connection: Connection = {
    database: connect(options, options.key),
    compiled: new LruMap(STATEMENTS_MAX),
  };
  try {
    if (isNew) proveEncryption(connection.database, options);
    const db = new Kysely<Tables>({
      dialect: new SqliteDialect({ database: translateErrors(connection, name) }),
    });
    // A migration sees the tables of its own time, not those that `Tables` describes.
    const applied = await migrate(name, db as unknown as Kysely<unknown>, options.migrations);
    if (applied > 0) options.events?.emit('store.migrated', { store: name, applied });
    assertHeader(options);
    return {
      db,
      checkpoint() {
        // What is encrypted anew has no log.
        if (connection.database.open) checkpoint(connection.database, name);
      },
      // With the one connection in hand: nobody else is in a query or transaction.
      rekey: (order) =>
        db.connection().execute(async () => {
          connection.compiled = new LruMap(STATEMENTS_MAX);
          connection.database.close();
          try {
            await rekeyFile({ ...order, path });
          } finally {
            connection.database = connect(options, await order.keyInForce());
          }
        }),
      async withRoom(cacheMib, work) {
        connection.database.pragma(`cache_size=-${cacheMib * 1024}`);
        try {
          return await work();
        } finally {
          connection.database.pragma(`cache_size=${CACHE_SIZE}`);
        }
      },
      async close() {
        await db.destroy();
        if (connection.database.open) connection.database.close();
      },
    };
  } catch (thrown) {
    connection.database.close();
    throw translated(thrown, name);
  }
}

/** The handle of the file that is in place, and statements of the daily work that it has compiled. */
interface Connection {
  database: Database;
  compiled: LruMap<string, Statement>;
}

/** The file is there: one that SQLite made in place of a missing one would hide the loss. */
function connect(options: EncryptedStoreOptions, key: Uint8Array): Database {
  const database = new Database(options.path, { fileMustExist: true });
  try {
    unlock(database, { ...options, key });
    applyPragmas(database, options);
    return database;
  } catch (thrown) {
    database.close();
    throw translated(thrown, options.name);
  }
}

/** Makes directory and file private before SQLite sees them. Returns whether the store is new. */
function prepareFile({ name, path }: EncryptedStoreOptions): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(path, 'ax', 0o600));
    return true;
  }
  if (!found.isFile()) throw storeError('not_a_file', name, 'is not a regular file. Remove the link.');
  chmodSync(path, 0o600);
  if (found.size > 0 && headerOf(path).equals(PLAINTEXT_HEADER)) {
    throw storeError(
      'plaintext_refused',
      name,
      'is an unencrypted database. The server never uses one; move it away and restore the encrypted store.',
    );
  }
  return found.size === 0;
}

function unlock(database: Database, { name, key }: EncryptedStoreOptions): void {
  if (key.byteLength !== 32) throw storeError('bad_key_length', name, 'needs a key of 32 bytes.');
  try {
    unlockWith(database, key);
  } catch (thrown) {
    if (!(thrown instanceof Database.SqliteError) || thrown.code !== 'SQLITE_NOTADB') throw thrown;
    throw storeError(
      'wrong_key',
      name,
      'does not open with its key. Check that root key and data directory belong together.',
    );
  }
  if (database.pragma('cipher', { simple: true }) !== 'aegis') {
    throw storeError('not_encrypted', name, 'could not be given the cipher aegis.');
  }
}

function applyPragmas(database: Database, options: EncryptedStoreOptions): void {
  const synchronous =
    options.durability === 'normal'
      ? (['synchronous', 'normal', 1] as const)
      : (['synchronous', 'full', 2] as const);
  for (const [pragma, value, readBack] of [...PRAGMAS, synchronous]) {
    database.pragma(`${pragma}=${value}`);
    if (database.pragma(pragma, { simple: true }) !== readBack) {
      throw storeError('pragma_refused', options.name, `did not accept the pragma ${pragma}.`);
    }
  }
}

/** Writes a random marker, looks for it in main file and write-ahead log, and removes it again. */
function proveEncryption(database: Database, { name, path }: EncryptedStoreOptions): void {
  const canary = randomBytes(16).toString('hex');
  database.exec('create table canary (marker text not null) strict');
  database.prepare('insert into canary values (?)').run(canary);
  const inLog = readFileSync(`${path}-wal`).includes(canary);
  database.exec('drop table canary');
  checkpoint(database, name);
  if (inLog || readFileSync(path).includes(canary) || headerOf(path).equals(PLAINTEXT_HEADER)) {
    database.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    throw storeError('not_encrypted', name, 'would be written in plaintext. The SQLite build is unusable.');
  }
}

function assertHeader({ name, path }: EncryptedStoreOptions): void {
  if (headerOf(path).equals(PLAINTEXT_HEADER)) {
    throw storeError('not_encrypted', name, 'turned out to be unencrypted. The SQLite build is unusable.');
  }
}

function headerOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(PLAINTEXT_HEADER.length);
    readSync(file, header, 0, header.length, 0);
    return header;
  } finally {
    closeSync(file);
  }
}

function checkpoint(database: Database, name: string): void {
  const [result] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
  if (result?.busy !== 0) {
    throw storeError(
      'checkpoint_busy',
      name,
      'is being read, so deleted content is not gone yet. Try again.',
    );
  }
}

/** What Kysely needs of the driver and no more, with errors that have an owner and a remedy. */
function translateErrors(connection: Connection, name: string): SqliteDatabase {
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw translated(thrown, name);
    }
  };
  const compile = (text: string): Statement => {
    const known = connection.compiled.get(text);
    if (known !== undefined) return known;
    const statement = guard(() => connection.database.prepare(text));
    if (text.length <= STATEMENT_LENGTH_MAX) connection.compiled.set(text, statement);
    return statement;
  };
  return {
    close: () => void connection.database.close(),
    prepare(text) {
      const statement = compile(text);
      return {
        reader: statement.reader,
        all: (parameters) => guard(() => statement.all(...parameters)),
        run: (parameters) => guard(() => statement.run(...parameters)),
        iterate: (parameters) => statement.iterate(...parameters),
      };
    },
  };
}

/** Faults of disk and file become `stores.*`; constraints and the like stay for the store to judge. */
function translated(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof Database.SqliteError)) return thrown;
  if (/^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(thrown.code)) {
    return storeError(
      'corrupt',
      name,
      'has been damaged on disk. Stop the server and restore a backup.',
      thrown,
    );
  }
  if (thrown.code === 'SQLITE_FULL') {
    return storeError('disk_full', name, 'cannot grow: the disk is full. Free some space.', thrown);
  }
  return thrown;
}

/** Whether a write was refused by a UNIQUE or PRIMARY KEY constraint. */
export function isUniqueViolation(thrown: unknown): boolean {
  return (
    thrown instanceof Database.SqliteError &&
    (thrown.code === 'SQLITE_CONSTRAINT_UNIQUE' || thrown.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  );
}

function storeError(what: string, name: string, message: string, cause?: unknown): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: `stores.${what}`,
    message: `The store "${name}" ${message}`,
    cause,
  });
}
