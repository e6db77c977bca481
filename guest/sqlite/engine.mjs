import net from 'node:net';
import { DatabaseFile } from './database.mjs';
import { csvPieces, sqlPieces } from './export.mjs';
import { SqlFault, faultOf } from './faults.mjs';
import { MIGRATIONS } from './guard.mjs';
import { CsvTable, Import, SqlScript } from './import.mjs';
import { schemaOf } from './schema.mjs';
import { toWire } from './values.mjs';

/**
 * The one process that has a database open. JSON lines both ways on the control socket: `load` with the key, which
 * stands nowhere else, then requests of a method each, answered one after the other. What lasts (reading row by row, an
 * import) is a cursor that the server moves on with a request each time.
 */
const CURSORS_MAX = 4;
/** Of a part of a result; a row may make it longer, up to PART_MAX. */
const PART_CHARACTERS = 64 << 10;
const PART_MAX = 8 << 20;

process.umask(0o077);
const control = new net.Socket({ fd: 3 });
control.on('error', () => process.exit(0));
control.on('end', () => process.exit(0));
const send = (message) => control.write(`${JSON.stringify(message)}\n`);

let file;
const cursors = new Map();

const METHODS = {
  run({ statements, readOnly, tables, rowsMax, charactersMax }) {
    const connection = file.shared({ readOnly });
    let characters = charactersMax;
    return connection.transaction(() =>
      statements.map((statement, index) => {
        const bounds = { rows: rowsMax, characters };
        try {
          return connection.run(statement, { tables }, bounds);
        } catch (error) {
          if (statements.length > 1 && error instanceof SqlFault) error.where = `statement ${index + 1}`;
          throw error;
        } finally {
          characters = Math.max(bounds.characters, 0);
        }
      }),
    );
  },

  schema() {
    const connection = file.shared({ readOnly: true });
    return connection.transaction(() => schemaOf(connection.data));
  },

  /** Whether it was applied now. */
  async migrate({ id, sql, hash, tables }) {
    const connection = file.shared({ readOnly: false });
    connection.begin();
    try {
      const known = connection.data.prepare(`select hash from ${MIGRATIONS} where id = ?`).pluck().get(id);
      if (known !== undefined && known !== hash) throw new SqlFault('migration_changed');
      if (known === undefined) {
        await new SqlScript(connection, { tables }).end(sql);
        connection.data.prepare(`insert into ${MIGRATIONS} (id, hash) values (?, ?)`).run(id, hash);
      }
      connection.commit();
      return known === undefined;
    } catch (error) {
      connection.rollback();
      throw error;
    }
  },

  /** Columns of a reading statement whose rows `next` gives. */
  stream({ cursor, statement, tables }) {
    return read(cursor, (connection) => {
      const prepared = connection.prepare(statement, { tables });
      if (!prepared.reader) throw new SqlFault('refused', 'it gives no rows');
      const columns = prepared.columns().map(({ name }) => name);
      return { pieces: wireRows(prepared), answer: columns };
    });
  },

  exportSql: ({ cursor }) => read(cursor, ({ data }) => ({ pieces: sqlPieces(data) })),
  exportCsv: ({ cursor, table }) => read(cursor, ({ data }) => ({ pieces: csvPieces(data, table) })),

  next({ cursor }) {
    const { pieces } = cursorOf(cursor);
    const part = [];
    for (let size = 0; size < PART_CHARACTERS;) {
      const { value, done } = pieces.next();
      if (done) return { part, isLast: true };
      size += JSON.stringify(value).length;
      if (size > PART_MAX) throw new SqlFault('row_too_large');
      part.push(value);
    }
    return { part, isLast: false };
  },

  importSql({ cursor, tables }) {
    open(
      cursor,
      false,
      (connection) => new Import(connection, new SqlScript(connection, { tables, mayRepairSequence: true })),
    );
  },

  importCsv({ cursor, table, tables }) {
    open(cursor, false, (connection) => new Import(connection, new CsvTable(connection, table, { tables })));
  },

  push: ({ cursor, base64 }) => cursorOf(cursor).push(Buffer.from(base64, 'base64')),
  end: ({ cursor }) => cursorOf(cursor).end(),

  /** Ends reading, or takes an import back that did not come to its end. */
  close({ cursor }) {
    cursors.get(cursor)?.close();
    cursors.delete(cursor);
  },

  shutDown() {
    for (const cursor of cursors.values()) cursor.close();
    file.close();
  },
};

function* wireRows(prepared) {
  for (const row of prepared.iterate()) yield row.map(toWire);
}

function read(cursor, start) {
  return open(cursor, true, (connection) => {
    connection.begin();
    const { pieces, answer } = start(connection);
    const close = () => {
      // The driver closes no connection on which a statement is still being read.
      pieces.return();
      connection.close();
    };
    return { pieces, answer, close };
  }).answer;
}

function open(cursor, readOnly, start) {
  if (cursors.size >= CURSORS_MAX) throw new SqlFault('too_many_readers');
  const connection = file.connect({ readOnly });
  try {
    const opened = start(connection);
    cursors.set(cursor, opened);
    return opened;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function cursorOf(id) {
  const cursor = cursors.get(id);
  if (cursor === undefined) throw new Error('no such cursor');
  return cursor;
}

function faultFields(error) {
  try {
    const { code, reason, where } = faultOf(error, '');
    return { code, reason, where };
  } catch {
    // A fault of this program; its message could hold content.
    return { code: 'unexpected', reason: '', where: '' };
  }
}

/** The server asks one thing after the other: nothing comes between what an answer waits for. */
async function answer({ id, method, fields }) {
  try {
    send({ t: 'done', id, value: (await METHODS[method](fields)) ?? null });
  } catch (error) {
    send({ t: 'failed', id, ...faultFields(error) });
  }
}

function load(fields) {
  try {
    file = new DatabaseFile(fields);
    send({ t: 'ready', problem: '' });
  } catch (error) {
    send({ t: 'ready', problem: faultFields(error).code });
  }
}

let buffer = [];
control.setEncoding('utf8').on('data', (chunk) => {
  const [rest, ...others] = chunk.split('\n');
  buffer.push(rest);
  for (const next of others) {
    const message = JSON.parse(buffer.join(''));
    buffer = [next];
    if (message.t === 'load') load(message);
    else if (message.t === 'request') void answer(message);
  }
});
