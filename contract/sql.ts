import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';
import { DroppedDatabase } from './vectors.ts';

/**
 * SQL: databases that the platform keeps for an account, and questions in words to these or to outside ones. Nothing
 * of a statement, its rows or a connection string is kept, and none of it is logged.
 */

/** Most tables that one question may name. */
export const SQL_TABLES_MAX = 32;
const STATEMENT_LENGTH_MAX = 100_000;
const MIGRATION_LENGTH_MAX = 1_000_000;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const PARAMS_MAX = 1_000;
const STATEMENTS_MAX = 500;
const MIGRATIONS_MAX = 500;

const Question = z.string().trim().min(1).max(20_000);
const Platform = z.string().min(1).max(64);
const TableName = z.string().min(1).max(200);
const StatementText = z.string().trim().min(1).max(STATEMENT_LENGTH_MAX);

export const SqlValue = z
  .union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.strictObject({ base64: z.string() }),
    z.strictObject({ int: z.string().regex(/^-?\d{1,20}$/) }),
  ])
  .describe('`{base64}` is a blob, `{int}` an integer beyond 2^53 in decimal');
export type SqlValue = z.infer<typeof SqlValue>;

const Row = z.array(SqlValue);

const Statement = z.strictObject({
  sql: StatementText,
  params: z
    .union([
      z.array(SqlValue).max(PARAMS_MAX),
      z
        .record(z.string().max(200), SqlValue)
        .refine((params) => Object.keys(params).length <= PARAMS_MAX, { message: 'Too many parameters.' }),
    ])
    .optional()
    .describe('By position, or by name for `:name`, `@name`, `$name`'),
});

const Bounds = z.strictObject({
  readOnly: z.boolean().default(false).describe('Refuse whatever would write'),
  rowsMax: z.int().min(1).max(100_000).optional(),
  timeoutMs: z.int().min(1).max(300_000).optional(),
});

export const SqlQuery = Statement.extend(Bounds.shape);
export const SqlBatch = Bounds.extend({ statements: z.array(Statement).min(1).max(STATEMENTS_MAX) });

export const SqlResult = z.object({
  columns: z.array(z.string()),
  rows: z.array(Row),
  changes: Count,
  lastRowId: z.int().nullable(),
  truncated: z.boolean().describe('There were more rows than are shown'),
});
export type SqlResult = z.infer<typeof SqlResult>;

/**
 * Lines of an answer in `application/x-ndjson`: columns, then every row, then the end. An answer whose last line is
 * neither `done` nor `error` was cut.
 */
export const SqlLine = z.union([
  z.object({ columns: z.array(z.string()) }),
  Row,
  z.object({ done: z.literal(true), rows: Count }),
  z.object({ error: z.object({ code: z.string(), detail: z.string(), status: z.int() }) }),
]);
export type SqlLine = z.infer<typeof SqlLine>;

export const SqlTable = z.object({
  name: z.string(),
  kind: z.enum(['table', 'view']),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      nullable: z.boolean(),
      primaryKey: z.boolean(),
      comment: z.string().nullable(),
    }),
  ),
  foreignKeys: z.array(z.object({ column: z.string(), table: z.string(), references: z.string() })),
  comment: z.string().nullable(),
});
export const SqlSchema = z.object({ tables: z.array(SqlTable) });
export type SqlSchema = z.infer<typeof SqlSchema>;

export const SqlDatabase = z.object({
  id: z.string().describe('What receipts call it'),
  name: z.string(),
  createdAt: Time,
});
export const SqlDatabases = z.object({ databases: z.array(SqlDatabase) });
export type SqlDatabases = z.infer<typeof SqlDatabases>;
export const SqlDatabaseDetails = SqlDatabase.extend({ bytes: Count.describe('On disk') });
export type SqlDatabaseDetails = z.infer<typeof SqlDatabaseDetails>;

const Migration = z.strictObject({
  id: z.string().regex(/^[\w-]{1,64}$/),
  sql: z.string().trim().min(1).max(MIGRATION_LENGTH_MAX).describe('Any number of statements'),
});
export const SqlMigrations = z.strictObject({ migrations: z.array(Migration).min(1).max(MIGRATIONS_MAX) });
export const SqlMigrated = z.object({ applied: z.array(z.string()).describe('Those that were not before') });

export const SqlImported = z.union([z.object({ statements: Count }), z.object({ rows: Count })]);
export type SqlImported = z.infer<typeof SqlImported>;

/** What models are shown of the rows: all, or column names and the number of rows alone. */
const RowsShown = z.enum(['all', 'none']);

export const SqlAsk = z
  .strictObject({
    question: Question,
    connection: z
      .string()
      .min(1)
      .max(2_000)
      .optional()
      .describe("Go's MySQL form, mysql://, postgres:// or jellyfaas://<database>"),
    database: z.string().min(1).max(64).optional().describe('One of your own instead'),
    tables: z
      .array(TableName)
      .max(SQL_TABLES_MAX)
      .default([])
      .describe('What may be read. Required for outside databases; none: all of your own'),
    platform: Platform.optional().describe("One of /api/v1/ai/models; the account's choice if absent"),
    rows: RowsShown.optional().describe(
      '`none`: no value reaches the model, which writes words with gaps. Default: `all`, and `none` for outside models',
    ),
    trace: z.boolean().default(false).describe('Show statements, refusals and rows'),
    explainOnly: z.boolean().default(false).describe('Write the statement and do not run it'),
  })
  .refine(({ connection, database }) => (connection === undefined) !== (database === undefined), {
    message: 'Send either `connection` or `database`.',
  });

const StatementWritten = z.object({ type: z.literal('statement'), sql: z.string() });
const StatementRefused = z.object({
  type: z.literal('refused'),
  sql: z.string().nullable(),
  code: z.string(),
  reason: z.string(),
});
const RowsRead = z.object({
  type: z.literal('result'),
  columns: z.array(z.string()),
  rows: z.array(Row),
  truncated: z.boolean(),
});

export const CompatibleSqlAnswer = z.object({
  answer: z.string().describe('Markdown'),
  finish: z.enum(['complete', 'length', 'filtered']).describe('`complete`, or why the answer ends early'),
  sql: z.string().nullable().describe('Null when the tables do not answer the question'),
  columns: z.array(z.string()),
  rowCount: Count.nullable().describe('Rows that were read; null when nothing was run'),
  truncated: z.boolean().describe('There were more rows than were read'),
  rows: RowsShown.describe('What the model was shown of them'),
  platform: z.string(),
  model: z.string(),
  retention: z.enum(['none', 'provider']),
});

export const SqlAnswer = CompatibleSqlAnswer.extend({
  trace: z
    .array(z.discriminatedUnion('type', [StatementWritten, StatementRefused, RowsRead]))
    .optional()
    .describe('Present when it was asked for'),
});
export type SqlAnswer = z.infer<typeof SqlAnswer>;

/**
 * One server-sent event; its name is the same as `type`. The stream ends with `answer` or `error`, then `done`; one
 * that ends without `done` was cut.
 */
export const SqlEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  StatementWritten,
  StatementRefused,
  RowsRead,
  SqlAnswer.extend({ type: z.literal('answer') }),
  z.object({ type: z.literal('error'), code: z.string(), detail: z.string(), status: z.int() }),
  z.object({ type: z.literal('done') }),
]);
export type SqlEvent = z.infer<typeof SqlEvent>;

const NameParams = z.object({ name: z.string() });

/** The public clients' endpoint. They send more fields than we read, so its body is not strict. */
export const rdbmsRoutes = {
  queryRdbms: {
    method: 'POST',
    path: '/query-service/v1/rdbms',
    summary: 'Ask a database in words',
    access: 'token',
    body: z.object({
      query: Question,
      tables: z.array(TableName).max(SQL_TABLES_MAX).nullish(),
      mysql_connection_string: z.string().min(1).max(2_000),
      rdbms_query: z
        .string()
        .max(20_000)
        .nullish()
        .describe('What the statement is written from, if not `query`'),
      ai_platform: z.string().max(64).nullish(),
    }),
    success: { status: 200, content: 'json', schema: CompatibleSqlAnswer },
    errors: [400, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
} as const satisfies Record<string, Route>;

export const sqlRoutes = {
  createSqlDatabase: {
    method: 'POST',
    path: '/api/v1/sql',
    summary: 'Create an SQL database: an encrypted SQLite file under a key of its own',
    access: 'keyOrToken',
    body: z.strictObject({ name: z.string().min(1).max(64) }),
    success: { status: 201, content: 'json', schema: SqlDatabase },
    errors: [400, 401, 403, 409, 413, 415, 429, 503],
  },
  listSqlDatabases: {
    method: 'GET',
    path: '/api/v1/sql',
    summary: "The account's SQL databases, by name",
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: SqlDatabases },
    errors: [401, 403],
  },
  getSqlDatabase: {
    method: 'GET',
    path: '/api/v1/sql/{name}',
    summary: 'An SQL database and its size',
    access: 'keyOrToken',
    params: NameParams,
    success: { status: 200, content: 'json', schema: SqlDatabaseDetails },
    errors: [401, 403, 404],
  },
  dropSqlDatabase: {
    method: 'DELETE',
    path: '/api/v1/sql/{name}',
    summary: 'Destroy the key of an SQL database, then its files; answers with a signed receipt',
    access: 'keyOrToken',
    fresh: true,
    params: NameParams,
    success: { status: 200, content: 'json', schema: DroppedDatabase },
    errors: [401, 403, 404],
  },
  querySql: {
    method: 'POST',
    path: '/api/v1/sql/{name}/query',
    summary: 'Run one statement; rows of a reading one stream when application/x-ndjson is accepted',
    access: 'keyOrToken',
    params: NameParams,
    body: SqlQuery,
    success: { status: 200, content: 'json', schema: SqlResult, lines: SqlLine },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  batchSql: {
    method: 'POST',
    path: '/api/v1/sql/{name}/batch',
    summary: 'Run statements in one transaction: all of them, or none',
    access: 'keyOrToken',
    params: NameParams,
    body: SqlBatch,
    bodyBytesMax: BATCH_BYTES_MAX,
    success: { status: 200, content: 'json', schema: z.object({ results: z.array(SqlResult) }) },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  getSqlSchema: {
    method: 'GET',
    path: '/api/v1/sql/{name}/schema',
    summary: 'Tables and views with their columns and keys',
    access: 'keyOrToken',
    params: NameParams,
    success: { status: 200, content: 'json', schema: SqlSchema },
    errors: [401, 403, 404, 429, 503, 504],
  },
  migrateSql: {
    method: 'POST',
    path: '/api/v1/sql/{name}/migrations',
    summary: 'Apply the migrations that were not applied yet, in order, each in one transaction',
    access: 'keyOrToken',
    params: NameParams,
    body: SqlMigrations,
    bodyBytesMax: BATCH_BYTES_MAX,
    success: { status: 200, content: 'json', schema: SqlMigrated },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  importSql: {
    method: 'POST',
    path: '/api/v1/sql/{name}/import',
    summary: 'Import SQL text, or the rows of one table as CSV: all of it, or nothing',
    access: 'keyOrToken',
    params: NameParams,
    query: z.strictObject({
      table: TableName.optional().describe(
        'Of CSV, whose first line names the columns; made if there is none',
      ),
    }),
    stream: ['text/csv', 'application/sql'],
    success: { status: 200, content: 'json', schema: SqlImported },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  exportSql: {
    method: 'GET',
    path: '/api/v1/sql/{name}/export',
    summary: 'Everything as SQL text, or one table as CSV',
    access: 'keyOrToken',
    params: NameParams,
    query: z.strictObject({
      format: z.enum(['sql', 'csv']).default('sql'),
      table: TableName.optional().describe('Of CSV'),
    }),
    success: { status: 200, content: 'stream', mediaTypes: ['application/sql', 'text/csv'] },
    errors: [400, 401, 403, 404, 409, 429, 502, 503, 504],
  },
  askSql: {
    method: 'POST',
    path: '/api/v1/sql/ask',
    summary: 'Ask a database in words; streams when text/event-stream is accepted',
    access: 'keyOrToken',
    body: SqlAsk,
    success: { status: 200, content: 'json', schema: SqlAnswer, events: SqlEvent },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
} as const satisfies Record<string, Route>;
