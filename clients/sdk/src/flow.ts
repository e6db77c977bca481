import { decodeAnswer, sendCall } from './call.ts';
import { JellyFaaSError, failedAnswer, received } from './error.ts';
import type { FileBody, InvokeInput, Lookup } from './functions.ts';
import { Session, type ValidatedKey } from './session.ts';
import { lookUp } from './look-up.ts';

/** The server and the account for `Client` and `AIClient`; the token is fetched with the first call. */
export class Config {
  readonly session: Session;

  constructor(apiKey: string, { url }: { readonly url: string }) {
    this.session = new Session({ url, apiKey });
  }

  /** Exchanges the key now, to learn early that it is good. */
  validate(signal?: AbortSignal): Promise<ValidatedKey> {
    return this.session.validate(signal);
  }
}

export interface FlowOptions {
  /** As in `CallOptions`. */
  readonly sealed?: boolean;
  readonly signal?: AbortSignal;
}

/** One call, step by step: version, lookup, query and body, invoke. What was set stays for further calls. */
export class Client {
  readonly #session: Session;
  #version: number | undefined;
  #found: Lookup | undefined;
  #input: InvokeInput = {};

  constructor(config: Config) {
    this.#session = config.session;
  }

  /** For the lookup that follows; the newest unless set. */
  setVersion(version: number): this {
    if (!Number.isInteger(version) || version < 1) throw misuse('A version is a whole number from 1 on.');
    this.#version = version;
    return this;
  }

  async lookupFunction(name: string, signal?: AbortSignal): Promise<this> {
    this.#found = await lookUp(this.#session, name, { version: this.#version, signal });
    this.#input = {};
    return this;
  }

  /** What the function that was looked up takes and answers. */
  getRequirements(): Lookup['requirements'] {
    return this.#lookup().requirements;
  }

  setFunctionQueryParams(query: NonNullable<InvokeInput['query']>): this {
    for (const { name, required } of this.getRequirements().queryParams) {
      if (required && query[name] === undefined) throw misuse(`The query parameter "${name}" is required.`);
    }
    this.#input = { ...this.#input, query };
    return this;
  }

  setFunctionJsonBody(json: unknown): this {
    return this.#setBody('JSON', { json });
  }

  /** Bytes, a Blob (`await openAsBlob(path)` in Node reads while it sends), or the answer of another call. */
  setFunctionFileBody(file: FileBody): this {
    return this.#setBody('FILE', { file });
  }

  /** The decoded answer; the `Response` as it came, whatever its status, with `raw`. */
  async invoke(options: FlowOptions & { readonly raw: true }): Promise<Response>;
  async invoke<Output = unknown>(options?: FlowOptions): Promise<Output>;
  async invoke({ raw = false, signal, sealed }: FlowOptions & { raw?: boolean } = {}): Promise<unknown> {
    const { dns, requirements } = this.#lookup();
    const { inputType, outputType, requestType } = requirements;
    const hasBody = this.#input.json !== undefined || this.#input.file !== undefined;
    if (inputType !== 'NONE' && !hasBody) throw misuse(`The function takes a ${inputType} body; set one.`);
    // The required parameters are checked where they are set; here, that they were.
    this.setFunctionQueryParams(this.#input.query ?? {});
    const target = { url: dns, method: requestType };
    const response = await sendCall(this.#session, target, { ...this.#input, signal, sealed });
    return raw ? response : decodeAnswer(response, { declared: outputType, signal });
  }

  #setBody(type: 'JSON' | 'FILE', body: Pick<InvokeInput, 'json' | 'file'>): this {
    const { inputType } = this.getRequirements();
    if (inputType !== type) throw misuse(`The function takes ${inputType}, not ${type}, as its body.`);
    this.#input = { ...(this.#input.query !== undefined && { query: this.#input.query }), ...body };
    return this;
  }

  #lookup(): Lookup {
    if (this.#found === undefined) throw misuse('Look a function up first: await lookupFunction(name).');
    return this.#found;
  }
}

/** Questions, answered by the model alone or with one function that it may call. */
export class AIClient {
  readonly #session: Session;
  #function: string | undefined;

  constructor(config: Config) {
    this.#session = config.session;
  }

  /** Lets the model call this function for the queries that follow. Rejects if it does not exist. */
  async lookupFunction(name: string, signal?: AbortSignal): Promise<this> {
    await lookUp(this.#session, name, { signal });
    this.#function = name;
    return this;
  }

  async query(query: string, signal?: AbortSignal): Promise<{ readonly answer: string }> {
    const called = this.#function;
    const path = called === undefined ? 'query' : 'function';
    const response = await this.#session.sendWithToken(`${this.#session.url}/query-service/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, ...(called !== undefined && { function: called }) }),
      signal,
    });
    if (!response.ok) throw await failedAnswer(response);
    return (await received(response.json(), signal)) as { answer: string };
  }
}

function misuse(message: string): JellyFaaSError {
  return new JellyFaaSError(message, { errorId: 'sdk.misuse' });
}
