import { events, getJson, json, jsonRequest, postJson, send } from './control.ts';
import { JellyFaaSError, errorFrom } from './error.ts';
import type { FileBody } from './functions.ts';
import { readLines } from './lines.ts';
import type { Session } from './session.ts';

/** `bigint` where a number is too small for an integer, bytes for a blob. */
export type SqlValue = string | number | boolean | null | bigint | Uint8Array;
/** By position, or by name for `:name`. */
export type SqlParams = readonly SqlValue[] | Readonly<Record<string, SqlValue>>;
/** A row by the names of its columns; of two with one name the last counts. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlStatement {
  readonly sql: string;
  readonly params?: SqlParams;
}

export interface SqlOptions {
  /** Refuse whatever would write. */
  readonly readOnly?: boolean;
  readonly rowsMax?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
  readonly changes: number;
  readonly lastRowId: number | null;
  /** There were more rows than these. */
  readonly truncated: boolean;
}

export interface SqlDatabaseInfo {
  /** What receipts call it. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface SqlTable {
  readonly name: string;
  readonly kind: 'table' | 'view';
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly nullable: boolean;
    readonly primaryKey: boolean;
    readonly comment: string | null;
  }[];
  readonly foreignKeys: readonly {
    readonly column: string;
    readonly table: string;
    readonly references: string;
  }[];
  readonly comment: string | null;
}

export interface AskSqlOptions {
  /** One of your own. Give either this or `connection`. */
  readonly database?: string;
  /** Of another: Go's MySQL form, `mysql://`, `postgres://`. */
  readonly connection?: string;
  /** What may be read; all of your own database unless given. */
  readonly tables?: readonly string[];
  readonly platform?: string;
  /** `none`: no value reaches the model, which writes words with gaps. Default: `all`, `none` for outside models. */
  readonly rows?: 'all' | 'none';
  /** Write the statement and do not run it. */
  readonly explainOnly?: boolean;
  /** Tell statements, refusals and rows. */
  readonly trace?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of a trace are arrays of values as they come in JSON. */
export type SqlStep =
  | { readonly type: 'statement'; readonly sql: string }
  | {
      readonly type: 'refused';
      readonly sql: string | null;
      readonly code: string;
      readonly reason: string;
    }
  | {
      readonly type: 'result';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      readonly truncated: boolean;
    };

export interface SqlAnswer {
  /** Markdown. */
  readonly answer: string;
  readonly finish: 'complete' | 'length' | 'filtered';
  /** Null when the tables do not answer the question. */
  readonly sql: string | null;
  readonly columns: readonly string[];
  readonly rowCount: number | null;
  readonly truncated: boolean;
  /** What the model was shown of the rows. */
  readonly rows: 'all' | 'none';
  readonly platform: string;
  readonly model: string;
  readonly retention: 'none' | 'provider';
  readonly trace?: readonly SqlStep[];
}

/** What is heard while a database is asked; the last one is `answer`. */
export type AskSqlEvent =
  | { readonly type: 'text'; readonly text: string }
  | SqlStep
  | ({ readonly type: 'answer' } & SqlAnswer);

/** One SQL database by its name; made by `client.sql(name)`, whether it exists yet or not. */
export class SqlDatabase {
  readonly name: string;
  readonly #session: Session;

  constructor(session: Session, name: string) {
    this.#session = session;
    this.name = name;
  }

  create(): Promise<SqlDatabaseInfo> {
    return postJson(this.#session, SQL, { name: this.name });
  }

  describe(): Promise<SqlDatabaseInfo & { readonly bytes: number }> {
    return getJson(this.#session, this.#path(''));
  }

  async query(sql: string, params?: SqlParams, options: SqlOptions = {}): Promise<SqlResult> {
    const { signal, ...bounds } = options;
    const body = { ...wireStatement({ sql, ...(params !== undefined && { params }) }), ...bounds };
    return resultOf(await postJson<WireResult>(this.#session, this.#path('/query'), body, signal));
  }

  /** All statements in one transaction: all of them, or none. */
  async batch(statements: readonly SqlStatement[], options: SqlOptions = {}): Promise<SqlResult[]> {
    const { signal, ...bounds } = options;
    const body = { statements: statements.map(wireStatement), ...bounds };
    const path = this.#path('/batch');
    const { results } = await postJson<{ results: WireResult[] }>(this.#session, path, body, signal);
    return results.map(resultOf);
  }

  /** Rows of one reading statement as they come; leaving the loop ends the statement. */
  async *stream(
    sql: string,
    params?: SqlParams,
    options: Omit<SqlOptions, 'readOnly'> = {},
  ): AsyncGenerator<SqlRow, void> {
    const { signal, ...bounds } = options;
    const body = { ...wireStatement({ sql, ...(params !== undefined && { params }) }), ...bounds };
    const request = jsonRequest(body);
    const headers = { ...request.headers, accept: 'application/x-ndjson' };
    const response = await send(this.#session, this.#path('/query'), { ...request, headers, signal });
    yield* rowsOf(response, signal);
  }

  async schema(): Promise<readonly SqlTable[]> {
    return (await getJson<{ tables: SqlTable[] }>(this.#session, this.#path('/schema'))).tables;
  }

  /** Applies those that were not applied yet, in order; their ids. */
  async migrate(
    migrations: readonly { readonly id: string; readonly sql: string }[],
  ): Promise<readonly string[]> {
    const path = this.#path('/migrations');
    return (await postJson<{ applied: string[] }>(this.#session, path, { migrations })).applied;
  }

  /** SQL text, or CSV into `table`, whose first line names the columns. All of it or nothing. */
  import(
    content: string | FileBody,
    options: { readonly table?: string; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly statements: number } | { readonly rows: number }> {
    const { table, signal } = options;
    const path = table === undefined ? '/import' : `/import?table=${encodeURIComponent(table)}`;
    const type = table === undefined ? 'application/sql' : 'text/csv';
    const request = { method: 'POST', headers: { 'content-type': type }, body: content, signal };
    return json(this.#session, this.#path(path), request);
  }

  /** Everything as SQL text, or one table as CSV. */
  async export(
    options: { readonly table?: string; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { table, signal } = options;
    const query = table === undefined ? '' : `?format=csv&table=${encodeURIComponent(table)}`;
    const { body } = await send(this.#session, this.#path(`/export${query}`), { signal });
    return body ?? new Blob([]).stream();
  }

  /** Asks it in words; with `stream: true`, what is heard meanwhile. */
  ask(
    question: string,
    options: OwnAskOptions & { readonly stream: true },
  ): AsyncGenerator<AskSqlEvent, void>;
  ask(question: string, options?: OwnAskOptions & { readonly stream?: false }): Promise<SqlAnswer>;
  ask(
    question: string,
    { stream = false, ...options }: OwnAskOptions & { readonly stream?: boolean } = {},
  ): Promise<SqlAnswer> | AsyncGenerator<AskSqlEvent, void> {
    const asked = { ...options, database: this.name };
    return (stream ? askSqlStreaming : askSql)(this.#session, question, asked);
  }

  /** Destroys the database at once. The receipt is signed by the server: the key of this id is gone. */
  drop(): Promise<{ readonly id: string; readonly receipt: string }> {
    return json(this.#session, this.#path(''), { method: 'DELETE' });
  }

  #path(rest: string): string {
    return `${SQL}/${encodeURIComponent(this.name)}${rest}`;
  }
}

export type OwnAskOptions = Omit<AskSqlOptions, 'database' | 'connection'>;

const SQL = '/api/v1/sql';

export async function listSql(session: Session): Promise<readonly SqlDatabaseInfo[]> {
  return (await getJson<{ databases: SqlDatabaseInfo[] }>(session, SQL)).databases;
}

export function askSql(
  session: Session,
  question: string,
  { signal, ...options }: AskSqlOptions,
): Promise<SqlAnswer> {
  return postJson(session, `${SQL}/ask`, { question, ...options }, signal);
}

export function askSqlStreaming(
  session: Session,
  question: string,
  { signal, ...options }: AskSqlOptions,
): AsyncGenerator<AskSqlEvent, void> {
  return events(session, `${SQL}/ask`, { ...jsonRequest({ question, ...options }), signal });
}

type WireValue = string | number | boolean | null | { readonly int: string } | { readonly base64: string };
type WireResult = Omit<SqlResult, 'rows'> & { readonly rows: readonly (readonly WireValue[])[] };

function wireStatement({ sql, params }: SqlStatement): object {
  if (params === undefined) return { sql };
  if (Array.isArray(params)) return { sql, params: params.map(wireValue) };
  const named = Object.entries(params).map(([name, value]) => [name, wireValue(value as SqlValue)]);
  return { sql, params: Object.fromEntries(named) as object };
}

function wireValue(value: SqlValue): WireValue {
  if (typeof value === 'bigint') return { int: String(value) };
  if (!(value instanceof Uint8Array)) return value;
  return { base64: btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join('')) };
}

function valueOf(value: WireValue): SqlValue {
  if (typeof value !== 'object' || value === null) return value;
  if ('int' in value) return BigInt(value.int);
  return Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0));
}

function rowOf(columns: readonly string[], values: readonly WireValue[]): SqlRow {
  return Object.fromEntries(columns.map((name, at) => [name, valueOf(values[at] ?? null)]));
}

function resultOf({ rows, ...result }: WireResult): SqlResult {
  return { ...result, rows: rows.map((values) => rowOf(result.columns, values)) };
}

type Line =
  | readonly WireValue[]
  | { readonly columns: readonly string[] }
  | { readonly done: true }
  | { readonly error: { readonly code: string; readonly detail: string; readonly status: number } };

async function* rowsOf({ body }: Response, signal: AbortSignal | undefined): AsyncGenerator<SqlRow, void> {
  let columns: readonly string[] = [];
  for await (const texts of body === null ? [] : readLines(body, signal)) {
    for (const line of texts.map((text) => JSON.parse(text) as Line)) {
      if (isRow(line)) yield rowOf(columns, line);
      else if ('columns' in line) ({ columns } = line);
      else if ('error' in line) throw errorFrom(line.error, { status: line.error.status });
      else return;
    }
  }
  throw new JellyFaaSError('The answer was cut off; ask again.', { errorId: 'sdk.answer_cut' });
}

function isRow(line: Line): line is readonly WireValue[] {
  return Array.isArray(line);
}
