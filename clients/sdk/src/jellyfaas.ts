import { ask, askStreaming, type Answer, type AskEvent, type AskOptions } from './ask.ts';
import { decodeAnswer, sendCall } from './call.ts';
import { JellyFaaSError } from './error.ts';
import type {
  CallOptions,
  FunctionName,
  InvokeArguments,
  InvokeInput,
  Lookup,
  OutputOf,
} from './functions.ts';
import { lookUp } from './look-up.ts';
import {
  type AskSqlEvent,
  type AskSqlOptions,
  type SqlAnswer,
  SqlDatabase,
  type SqlDatabaseInfo,
  askSql,
  askSqlStreaming,
  listSql,
} from './sql.ts';
import { VectorDatabase, type VectorDatabaseInfo, type VectorsOptions, listVectors } from './vectors.ts';
import { type ConnectOptions, Session, type ValidatedKey, platformError } from './session.ts';

/** How long a function's address is taken for known; a new version is called at the latest after this time. */
const LOOKUP_AGE_MS = 60_000;
const LOOKUPS_MAX = 1000;

interface Known {
  readonly found: Lookup;
  readonly until: number;
}

/** Everything in one call each; made by `jellyfaas()`. Rejects with JellyFaaSError, or with the signal's reason. */
export class JellyFaaS {
  readonly #session: Session;
  readonly #lookups = new Map<string, Known>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Exchanges the API key for a token now; otherwise that happens with the first call. */
  validate(options: { readonly signal?: AbortSignal } = {}): Promise<ValidatedKey> {
    return this.#session.validate(options.signal);
  }

  /** Where a function is called and what it takes; kept for a minute. */
  async lookup(
    name: FunctionName,
    options: { readonly version?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Lookup> {
    const key = `${name} ${options.version ?? ''}`;
    const known = this.#lookups.get(key);
    if (known !== undefined && known.until > Date.now()) return known.found;
    const found = await lookUp(this.#session, name, options);
    if (this.#lookups.size >= LOOKUPS_MAX) this.#lookups.clear();
    this.#lookups.set(key, { found, until: Date.now() + LOOKUP_AGE_MS });
    return found;
  }

  /**
   * Calls a function and decodes its answer: the value of JSON, the text of `text/*`, else bytes. A `URL` is called
   * without lookup, with POST if there is a body.
   */
  async invoke<Name extends FunctionName>(
    name: Name,
    ...options: InvokeArguments<Name>
  ): Promise<OutputOf<Name>>;
  async invoke(name: URL, options?: InvokeInput & CallOptions): Promise<unknown>;
  async invoke(name: FunctionName | URL, options: InvokeInput & CallOptions = {}): Promise<unknown> {
    const response = await this.call(name, options);
    const declared = name instanceof URL ? undefined : (await this.lookup(name, options)).requirements;
    return decodeAnswer(response, { declared: declared?.outputType, signal: options.signal });
  }

  /** Calls a function; its answer as it comes, whatever the status. A sealed call resolves for answers of the function alone. */
  async call(name: FunctionName | URL, options: InvokeInput & CallOptions = {}): Promise<Response> {
    if (name instanceof URL) {
      const hasBody = options.json !== undefined || options.file !== undefined;
      return sendCall(this.#session, { url: name.href, method: hasBody ? 'POST' : 'GET' }, options);
    }
    const first = await this.#callFound(name, options).catch(unlessGone);
    // A version that was deleted since the lookup: the newest is another one now.
    if (first !== undefined && (await platformError(first, 404)) !== 'deployment.not_found') return first;
    void first?.body?.cancel().catch(() => undefined);
    this.#lookups.clear();
    return this.#callFound(name, options);
  }

  async #callFound(name: FunctionName, options: InvokeInput & CallOptions): Promise<Response> {
    const { dns, requirements } = await this.lookup(name, options);
    return sendCall(this.#session, { url: dns, method: requirements.requestType }, options);
  }

  /** Asks the model; with `stream: true`, what is heard meanwhile. */
  ask(question: string, options: AskOptions & { readonly stream: true }): AsyncGenerator<AskEvent, void>;
  ask(question: string, options?: AskOptions & { readonly stream?: false }): Promise<Answer>;
  ask(
    question: string,
    { stream = false, ...options }: AskOptions & { readonly stream?: boolean } = {},
  ): Promise<Answer> | AsyncGenerator<AskEvent, void> {
    return (stream ? askStreaming : ask)(this.#session, question, options);
  }

  /** A vector database: documents to search and ask. Nothing is sent before one of its methods is called. */
  vectors(name: string, options: VectorsOptions = {}): VectorDatabase {
    return new VectorDatabase(this.#session, name, options);
  }

  listVectors(): Promise<readonly VectorDatabaseInfo[]> {
    return listVectors(this.#session);
  }

  /** An SQL database of yours. Nothing is sent before one of its methods is called. */
  sql(name: string): SqlDatabase {
    return new SqlDatabase(this.#session, name);
  }

  listSql(): Promise<readonly SqlDatabaseInfo[]> {
    return listSql(this.#session);
  }

  /** Asks any database in words: one of yours, or another by its connection string. */
  askSql(
    question: string,
    options: AskSqlOptions & { readonly stream: true },
  ): AsyncGenerator<AskSqlEvent, void>;
  askSql(question: string, options: AskSqlOptions & { readonly stream?: false }): Promise<SqlAnswer>;
  askSql(
    question: string,
    { stream = false, ...options }: AskSqlOptions & { readonly stream?: boolean },
  ): Promise<SqlAnswer> | AsyncGenerator<AskSqlEvent, void> {
    return (stream ? askSqlStreaming : askSql)(this.#session, question, options);
  }
}

/** Undefined when the server says of a sealed call that the deployment is gone. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof JellyFaaSError && error.errorId === 'deployment.not_found')) throw error;
}

/** `jellyfaas({ url, apiKey })`: one account on one server. Keep it: it holds the token. */
export function jellyfaas(options: ConnectOptions): JellyFaaS {
  return new JellyFaaS(new Session(options));
}
