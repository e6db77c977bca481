import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseFile } from '../../databases/databases.ts';
import type { EngineParts } from '../../engines/engine.ts';
import type { Jail } from '../../sandbox/jail.ts';
import type { SqlRow, TableSchema } from '../sql.ts';
import {
  type Cursor,
  type CursorLimits,
  type Cursors,
  type CursorStart,
  createCursors,
  orCancelled,
} from './cursors.ts';
import { type EngineLimits, startSqlEngine } from './engine.ts';
import { managedErrors } from './errors.ts';
import { type LaneLimits, Lanes } from './lanes.ts';
import type {
  ManagedSql,
  RowStream,
  RunOptions,
  SqlMigration,
  Statement,
  StatementResult,
} from './managed-sql.ts';

export interface ManagedSqlOptions extends EngineParts {
  readonly jail: Pick<Jail, 'start' | 'adopt'>;
  readonly limits?: Partial<ManagedSqlLimits>;
}

export interface ManagedSqlLimits extends EngineLimits, LaneLimits, CursorLimits {
  /** Of one batch, and of one part of a stream. */
  readonly statementMs: number;
  /** Of one migration, and of one part of an import or export. */
  readonly transferMs: number;
  /** Of each statement; a caller may ask for fewer. */
  readonly rowsMax: number;
  /** Of all rows of a batch, as JSON. */
  readonly resultCharactersMax: number;
  readonly statementBytesMax: number;
  readonly statementsMax: number;
  /** Of a whole batch with its parameters, as JSON. */
  readonly requestCharactersMax: number;
  readonly importBytesMax: number;
}

export const MANAGED_SQL_LIMITS: ManagedSqlLimits = {
  databaseMib: 1024,
  memoryMib: 256,
  startMs: 10_000,
  leaveMs: 100,
  enginesMax: 8,
  queueMax: 32,
  placeMs: 10_000,
  idleMs: 30_000,
  shutDownMs: 5000,
  stallMs: 30_000,
  statementMs: 5000,
  transferMs: 60_000,
  rowsMax: 1000,
  resultCharactersMax: 1 << 20,
  statementBytesMax: 100_000,
  statementsMax: 1000,
  requestCharactersMax: 8 << 20,
  importBytesMax: 1 << 30,
};

export function createManagedSql(options: ManagedSqlOptions): ManagedSql {
  const limits = { ...MANAGED_SQL_LIMITS, ...options.limits };
  const { scheduler } = options;
  const lanes = new Lanes({
    start: (file) => startSqlEngine(file, { ...options, limits }),
    scheduler,
    limits,
  });
  const statements = new Statements(lanes, limits);
  const transfers = new Transfers(createCursors({ lanes, scheduler, limits }), limits);
  return {
    async create(file) {
      const { signal } = new AbortController();
      await lanes.use(file, { signal, isNew: true }, async () => undefined);
    },
    run: (file, batch, runOptions) => statements.run(file, batch, runOptions),
    schema: (file, { signal }) => statements.schema(file, signal),
    migrate: (file, migrations, runOptions) => statements.migrate(file, migrations, runOptions),
    stream: (file, statement, runOptions) => transfers.stream(file, statement, runOptions),
    exportSql: (file, { signal }) => transfers.export(signal, { file, method: 'exportSql', fields: {} }),
    exportCsv: (file, table, { signal }) =>
      transfers.export(signal, { file, method: 'exportCsv', fields: { table } }),
    async importSql(file, text, runOptions) {
      const { tables } = runOptions;
      return {
        statements: await transfers.import(text, runOptions, {
          file,
          method: 'importSql',
          fields: { tables },
        }),
      };
    },
    async importCsv(file, table, text, runOptions) {
      const { tables } = runOptions;
      return {
        rows: await transfers.import(text, runOptions, {
          file,
          method: 'importCsv',
          fields: { table, tables },
        }),
      };
    },
    size: ({ directory }) => sizeOf(directory),
    forget: (id) => lanes.forget(id),
    recall: (id) => lanes.recall(id),
    close: () => lanes.close(),
  };
}

/** What is asked and answered at once. */
class Statements {
  readonly #lanes: Lanes;
  readonly #limits: ManagedSqlLimits;

  constructor(lanes: Lanes, limits: ManagedSqlLimits) {
    this.#lanes = lanes;
    this.#limits = limits;
  }

  async run(
    file: DatabaseFile,
    statements: readonly Statement[],
    options: RunOptions,
  ): Promise<StatementResult[]> {
    const limits = this.#limits;
    assertSize(statements, limits);
    const { readOnly, tables } = options;
    const rowsMax = Math.min(options.rowsMax ?? limits.rowsMax, limits.rowsMax);
    const fields = { statements, readOnly, tables, rowsMax, charactersMax: limits.resultCharactersMax };
    return (await this.#call(file, {
      method: 'run',
      fields,
      bounds: statementBounds(options, limits),
    })) as StatementResult[];
  }

  async schema(file: DatabaseFile, signal: AbortSignal): Promise<TableSchema[]> {
    const bounds = { timeoutMs: this.#limits.statementMs, signal };
    return (await this.#call(file, { method: 'schema', fields: {}, bounds })) as TableSchema[];
  }

  async migrate(
    file: DatabaseFile,
    migrations: readonly SqlMigration[],
    { readOnly, tables, signal }: RunOptions,
  ): Promise<{ applied: string[] }> {
    assertWriting(readOnly);
    assertMigrations(migrations, this.#limits);
    const bounds = { timeoutMs: this.#limits.transferMs, signal };
    const applied: string[] = [];
    for (const { id, sql } of migrations) {
      const hash = createHash('sha256').update(sql).digest('hex');
      const isNew = await this.#call(file, { method: 'migrate', fields: { id, sql, hash, tables }, bounds });
      if (isNew === true) applied.push(id);
    }
    return { applied };
  }

  #call(file: DatabaseFile, { method, fields, bounds }: Omit<CursorStart, 'file'>): Promise<unknown> {
    const { signal } = bounds;
    return orCancelled(
      this.#lanes.use(file, { signal }, (engine) => engine.call(method, fields, bounds)),
      signal,
    );
  }
}

/** What is read or sent part by part. */
class Transfers {
  readonly #cursors: Cursors;
  readonly #limits: ManagedSqlLimits;

  constructor(cursors: Cursors, limits: ManagedSqlLimits) {
    this.#cursors = cursors;
    this.#limits = limits;
  }

  async stream(file: DatabaseFile, statement: Statement, options: RunOptions): Promise<RowStream> {
    assertSize([statement], this.#limits);
    const fields = { statement, tables: options.tables };
    const bounds = statementBounds(options, this.#limits);
    const { cursor, answer } = await this.#cursors.open({ file, method: 'stream', fields, bounds });
    return { columns: answer as string[], rows: rowsOf(cursor) };
  }

  async *export(signal: AbortSignal, start: Omit<CursorStart, 'bounds'>): AsyncGenerator<string> {
    const { cursor } = await this.#open(signal, start);
    for await (const part of cursor.parts()) yield part.join('');
  }

  /** How many statements or rows there were. */
  async import(
    text: AsyncIterable<Uint8Array>,
    { readOnly, signal }: RunOptions,
    start: Omit<CursorStart, 'bounds'>,
  ): Promise<number> {
    assertWriting(readOnly);
    const { cursor } = await this.#open(signal, start);
    const { importBytesMax } = this.#limits;
    try {
      let bytesLeft = importBytesMax;
      for await (const part of this.#cursors.inTime(text, signal)) {
        bytesLeft -= part.byteLength;
        if (bytesLeft < 0) throw managedErrors.tooLarge(`an import has at most ${importBytesMax} bytes`);
        for (const piece of piecesOf(part)) await cursor.call('push', { base64: piece.toString('base64') });
      }
      return (await cursor.call('end', {})) as number;
    } finally {
      await cursor.close();
    }
  }

  #open(signal: AbortSignal, start: Omit<CursorStart, 'bounds'>): ReturnType<Cursors['open']> {
    return this.#cursors.open({ ...start, bounds: { timeoutMs: this.#limits.transferMs, signal } });
  }
}

function statementBounds(
  { timeoutMs, signal }: RunOptions,
  { statementMs }: ManagedSqlLimits,
): CursorStart['bounds'] {
  return { timeoutMs: Math.min(timeoutMs ?? statementMs, statementMs), signal };
}

/** Bytes on disk of the database and its log. */
async function sizeOf(directory: string): Promise<number> {
  const sizes = ['data.db', 'data.db-wal'].map(async (name) => {
    const found = await lstat(join(directory, name)).catch(() => undefined);
    return found?.size ?? 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

async function* rowsOf(cursor: Cursor): AsyncGenerator<SqlRow> {
  for await (const part of cursor.parts()) yield* part as readonly SqlRow[];
}

const PIECE_BYTES = 64 << 10;

/** Small enough that what is done with one takes little time. */
function* piecesOf(part: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < part.byteLength; at += PIECE_BYTES)
    yield Buffer.from(part.subarray(at, at + PIECE_BYTES));
}

function assertWriting(readOnly: boolean): void {
  if (readOnly) throw managedErrors.refused(': it would write, and only reading is allowed');
}

function assertSize(statements: readonly Statement[], limits: ManagedSqlLimits): void {
  const { statementsMax, statementBytesMax, requestCharactersMax } = limits;
  if (statements.length > statementsMax)
    throw managedErrors.tooLarge(`a batch has at most ${statementsMax} statements`);
  if (statements.some(({ sql }) => Buffer.byteLength(sql) > statementBytesMax)) {
    throw managedErrors.tooLarge(`a statement has at most ${statementBytesMax} bytes`);
  }
  if (JSON.stringify(statements).length > requestCharactersMax) {
    throw managedErrors.tooLarge(
      `a batch has at most ${requestCharactersMax} characters with its parameters`,
    );
  }
}

const MIGRATION_ID = /^[A-Za-z0-9_-]{1,64}$/;

function assertMigrations(
  migrations: readonly SqlMigration[],
  { requestCharactersMax }: ManagedSqlLimits,
): void {
  const ids = new Set(migrations.map(({ id }) => id));
  if (ids.size < migrations.length || migrations.some(({ id }) => !MIGRATION_ID.test(id))) {
    throw managedErrors.badMigration();
  }
  if (migrations.some(({ sql }) => sql.length > requestCharactersMax)) {
    throw managedErrors.tooLarge(`a migration has at most ${requestCharactersMax} characters`);
  }
}
