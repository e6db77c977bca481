import Database from 'better-sqlite3-multiple-ciphers';

/** Gives a connection the key of its file. Throws a SqliteError with the code SQLITE_NOTADB when it is not that key. */
export function unlockWith(database: Database, key: Uint8Array): void {
  database.pragma(`cipher='aegis'`);
  database.pragma(`key='${rawKey(key)}'`);
  database.prepare('select count(*) from sqlite_schema').get();
}

export function opensWith(path: string, key: Uint8Array): boolean {
  const database = new Database(path);
  try {
    unlockWith(database, key);
    return true;
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code === 'SQLITE_NOTADB') return false;
    throw thrown;
  } finally {
    database.close();
  }
}

/** Moves what lies in the write-ahead log into the file, which nobody else has open. */
export function closeLog(path: string, key: Uint8Array): void {
  const database = new Database(path);
  try {
    unlockWith(database, key);
    database.pragma('journal_mode=delete');
  } finally {
    database.close();
  }
}

/** Encrypts each page of a file anew, in place: a crash leaves it useless. For a copy that nobody else has open. */
export function reencrypt(path: string, { key, nextKey }: { key: Uint8Array; nextKey: Uint8Array }): void {
  const database = new Database(path);
  try {
    unlockWith(database, key);
    // The driver cannot do it with a write-ahead log, and what the journal on disk holds is encrypted, too.
    database.pragma('temp_store=memory');
    database.pragma('trusted_schema=off');
    database.pragma('journal_mode=delete');
    database.pragma(`rekey='${rawKey(nextKey)}'`);
  } finally {
    database.close();
  }
}

const rawKey = (key: Uint8Array): string => `raw:${Buffer.from(key).toString('hex')}`;
