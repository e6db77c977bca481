import * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import type { DatabaseFile, Databases } from '../databases/databases.ts';
import { rfc3339 } from '../kernel/clock.ts';
import { runs } from '../kernel/runs.ts';
import type { Copier, PackFile, PackWriter } from '../rights/copier.ts';
import type { ManagedSql } from './managed/managed-sql.ts';

const Name = z.string().max(64);

const DatabaseOf = z.strictObject({ name: Name, createdAt: z.iso.datetime() });
const DATABASES: PackFile<z.infer<typeof DatabaseOf>> = {
  name: 'databases',
  title: 'SQL databases',
  nature: 'observed',
  row: DatabaseOf,
};

const Piece = z.strictObject({ database: Name, sql: z.string() });
type Piece = z.infer<typeof Piece>;
const STATEMENTS: PackFile<Piece> = {
  name: 'statements',
  title: 'Their schema and rows as SQL text: the pieces of a database one after another are its dump',
  nature: 'given',
  row: Piece,
};

export interface SqlCopierOptions {
  readonly databases: Pick<Databases, 'list' | 'open' | 'create' | 'drop'>;
  readonly managed: Pick<ManagedSql, 'create' | 'exportSql' | 'importSql'>;
}

/** SQL databases, each all or nothing. */
export function createSqlCopier({ databases, managed }: SqlCopierOptions): Copier {
  async function within<T>(
    holder: Holder,
    name: string,
    work: (file: DatabaseFile) => Promise<T> | T,
  ): Promise<T> {
    const { file } = await databases.open(holder, 'sql', name);
    try {
      return await work(file);
    } finally {
      file.key.fill(0);
    }
  }

  async function* names(holder: Holder): AsyncGenerator<z.infer<typeof DatabaseOf>> {
    for (const { name, createdAt } of await databases.list(holder, 'sql'))
      yield { name, createdAt: rfc3339(createdAt) };
  }

  async function* piecesOf(holder: Holder, name: string): AsyncGenerator<Piece> {
    const { signal } = new AbortController();
    const { file } = await databases.open(holder, 'sql', name);
    try {
      for await (const sql of managed.exportSql(file, { readOnly: true, signal }))
        yield { database: name, sql };
    } finally {
      file.key.fill(0);
    }
  }

  async function* pieces(holder: Holder, writer: PackWriter): AsyncGenerator<Piece> {
    for (const { name } of await databases.list(holder, 'sql')) {
      try {
        yield* piecesOf(holder, name);
      } catch (thrown) {
        writer.missing(STATEMENTS, name, thrown);
      }
    }
  }

  async function take(holder: Holder, name: string, text: AsyncIterable<Uint8Array>): Promise<void> {
    const form = { kind: 'sql', name, settings: {} } as const;
    await databases.create(holder, form, (file) => managed.create(file));
    const running = { readOnly: false, signal: new AbortController().signal };
    try {
      await within(holder, name, (file) => managed.importSql(file, text, running));
    } catch (thrown) {
      await databases.drop(holder, 'sql', name);
      throw thrown;
    }
  }

  return {
    area: 'sql',
    files: [DATABASES, STATEMENTS],
    async exportTo(holder, writer) {
      await writer.rows(DATABASES, names(holder));
      await writer.rows(STATEMENTS, pieces(holder, writer));
    },
    async importFrom(holder, reader, outcome) {
      for await (const { key, items } of runs(reader.rows(STATEMENTS), ({ database }) => database)) {
        if (reader.lacks(STATEMENTS, key)) continue;
        try {
          await take(holder, key, textOf(items));
          outcome.taken('SQL database');
        } catch (thrown) {
          outcome.left('SQL database', key, thrown);
        }
      }
    },
  };
}

async function* textOf(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
  for await (const { sql } of pieces) yield Buffer.from(sql);
}
