import net from 'node:net';
import Database from 'better-sqlite3-multiple-ciphers';

/**
 * Whether the store at /work/store.db opens with the key that comes on the control socket, and is sound. The exit code is
 * the whole answer: 0 yes, 1 no.
 */
const control = new net.Socket({ fd: 3 });
control.setEncoding('utf8').once('data', (line) => process.exit(isSound(line.trim()) ? 0 : 1));

function isSound(key) {
  try {
    const database = new Database('/work/store.db', { fileMustExist: true });
    database.pragma("cipher='aegis'");
    database.pragma(`key='raw:${key}'`);
    database.pragma('temp_store=memory');
    const answer = database.pragma('integrity_check(1)', { simple: true });
    database.close();
    return answer === 'ok';
  } catch {
    return false;
  }
}
