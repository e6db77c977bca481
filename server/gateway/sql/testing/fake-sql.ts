import type { Database } from '../../../databases/databases.ts';
import { PlatformError, notFound } from '../../../kernel/errors.ts';
import type { DatabaseId } from '../../../kernel/ids.ts';
import type { SqlAnswer, SqlEvent } from '../../../sql/ask/question.ts';
import type { StatementResult } from '../../../sql/managed/managed-sql.ts';
import type { Batch, Import, Sql, SqlCaller, SqlQuestion } from '../../../sql/sql-service.ts';
import type { SqlRow, TableSchema } from '../../../sql/sql.ts';
import { NOW } from '../../testing/fakes.ts';
import type { SqlParts } from '../serve-sql.ts';

export interface FakeSql extends SqlParts {
  /** Questions as they came, newest last. */
  readonly asked: SqlQuestion[];
  readonly callers: SqlCaller[];
  readonly batches: Batch[];
  /** What was imported, by table; null is SQL text. */
  readonly imports: { readonly csvTable: string | null; readonly text: string }[];
  /** What is answered; a test replaces them. */
  answer: (question: SqlQuestion, onEvent: (event: SqlEvent) => void) => Promise<SqlAnswer>;
  rows: () => AsyncIterable<SqlRow>;
  take: (input: Import) => Promise<number>;
  text: () => AsyncIterable<string>;
}

export const RESULT: StatementResult = {
  columns: ['id', 'name'],
  rows: [
    [1, 'Ada'],
    [{ int: '9007199254740993' }, null],
    [true, { base64: 'AAE=' }],
  ],
  truncated: false,
  changes: 0,
  lastRowId: null,
};

const TABLE: TableSchema = {
  name: 'people',
  kind: 'table',
  columns: [{ name: 'id', type: 'INTEGER', nullable: false, primaryKey: true, comment: 'ü' }],
  foreignKeys: [{ column: 'id', table: 'others', references: 'id' }],
  comment: null,
};

export const ANSWER: SqlAnswer = {
  answer: 'There are 14.',
  finish: 'complete',
  sql: 'SELECT COUNT(*) AS n FROM people',
  columns: ['n'],
  rowCount: 1,
  truncated: false,
  rows: 'all',
  platform: 'own',
  model: 'scripted',
  retention: 'none',
  trace: [
    { type: 'statement', sql: 'SELECT nme FROM people' },
    { type: 'refused', sql: 'SELECT nme FROM people', code: 'sql.failed', reason: 'no such column' },
    { type: 'statement', sql: 'SELECT COUNT(*) AS n FROM people' },
    { type: 'result', columns: ['n'], rows: [[14]], truncated: false },
  ],
};

/** One database `manuals`, whoever asks; remembers what it was asked. */
export function fakeSql(): FakeSql {
  const fake: Omit<FakeSql, 'service'> = {
    asked: [],
    callers: [],
    batches: [],
    imports: [],
    answer: async () => ANSWER,
    rows: () => linesOf(RESULT.rows),
    take: async (input) => {
      let text = '';
      for await (const chunk of input.content) text += Buffer.from(chunk).toString('utf8');
      fake.imports.push({ csvTable: input.csvTable, text });
      return 2;
    },
    text: () => linesOf(['CREATE TABLE t (a);\n', "INSERT INTO t VALUES ('ü');\n"]),
    originIp: () => '192.0.2.1',
  };
  return Object.assign(fake, { service: serviceOf(fake) });
}

const DATABASE: Database = {
  id: 'db_manuals' as DatabaseId,
  kind: 'sql',
  name: 'manuals',
  settings: {},
  createdAt: NOW,
};

function find(name: string): Database {
  if (name !== 'manuals') throw notFound('database');
  return DATABASE;
}

function serviceOf(fake: Omit<FakeSql, 'service'>): Sql {
  const visit = (caller: SqlCaller, name: string): void => {
    fake.callers.push(caller);
    find(name);
  };
  return {
    async create(_holder, name) {
      if (name === 'manuals')
        throw new PlatformError({ kind: 'already_exists', code: 'databases.name_taken', message: 'Taken.' });
      return { ...DATABASE, name };
    },
    list: async () => [DATABASE],
    describe: async (_holder, name) => ({ ...find(name), bytes: 4096 }),
    drop: async (_holder, name) => ({ id: find(name).id, kind: 'sql', receipt: 'a.b.c' }),
    async run(caller, name, batch) {
      visit(caller, name);
      fake.batches.push(batch);
      return batch.statements.map(() => RESULT);
    },
    async stream(caller, name, { consume }) {
      visit(caller, name);
      await consume({ columns: RESULT.columns, rows: fake.rows() });
    },
    async schema(caller, name) {
      visit(caller, name);
      return [TABLE];
    },
    async migrate(caller, name, migrations) {
      visit(caller, name);
      return migrations.map(({ id }) => id);
    },
    import(caller, name, input) {
      visit(caller, name);
      return fake.take(input);
    },
    async export(caller, name, { consume }) {
      visit(caller, name);
      await consume(fake.text());
    },
    ask(question, onEvent = () => undefined) {
      fake.asked.push(question);
      return fake.answer(question, onEvent);
    },
  };
}

async function* linesOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
