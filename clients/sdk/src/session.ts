import { unlessAborted } from './aborted.ts';
import { JellyFaaSError, failedAnswer, received } from './error.ts';
import type { FileBody } from './functions.ts';
import { SealedKeys } from './sealed-keys.ts';

/** Whose calls these are: an API key on servers, a token where a key must not be (browsers). */
export interface ConnectOptions {
  /** The server, for example `https://jelly.example`. */
  readonly url: string;
  readonly apiKey?: string;
  /** Gives a JFWT, for example from your own backend; asked again when the server no longer takes the last one. */
  readonly token?: () => Promise<string> | string;
  /**
   * For sealed calls: `x` of the server's key at `/.well-known/jellyfaas-receipts`, which you got by another way than this
   * server, or compared. Keys for sealing are then taken only with its signature.
   */
  readonly installationKey?: string;
  /** Instead of the global one. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** What an API key was exchanged for. */
export interface ValidatedKey {
  readonly token: string;
  /** RFC 3339, UTC. */
  readonly expiry: string;
}

interface Token {
  readonly value: string;
  readonly usableUntil: number;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FileBody | FormData;
  readonly signal?: AbortSignal | undefined;
  /** Id of the platform's own service to which it is sealed. */
  readonly sealedTo?: string | undefined;
}

/** A token that expires on the way would cost a second request. */
const EXPIRY_MARGIN_MS = 30_000;
const PLATFORM_ERROR_BYTES_MAX = 4096;

/** Requests under one account. The token is fetched once, shared by all requests, and renewed when it ends. */
export class Session {
  readonly url: string;
  readonly sealedKeys: SealedKeys;
  readonly #options: ConnectOptions;
  #known: Token | undefined;
  #fetching: Promise<Token> | undefined;

  constructor(options: ConnectOptions) {
    if ((options.apiKey === undefined) === (options.token === undefined)) {
      throw new JellyFaaSError('Give either apiKey or token.', { errorId: 'sdk.no_credentials' });
    }
    this.url = options.url.replace(/\/+$/, '');
    this.sealedKeys = new SealedKeys((url) => this.sendWithToken(url, {}), options.installationKey);
    this.#options = options;
  }

  /** A GET of the control plane with the API key. */
  async getWithKey<T>(path: string, signal?: AbortSignal): Promise<T> {
    const { apiKey } = this.#options;
    if (apiKey === undefined) {
      throw new JellyFaaSError('This needs an API key. With a token, call a function by its URL.', {
        errorId: 'sdk.key_required',
      });
    }
    const response = await this.#send(`${this.url}${path}`, { headers: { 'x-jf-apikey': apiKey }, signal });
    if (!response.ok) throw await failedAnswer(response);
    return (await received(response.json(), signal)) as T;
  }

  async validate(signal?: AbortSignal): Promise<ValidatedKey> {
    const key = await this.#exchangeKey(signal);
    this.#remember(key);
    return key;
  }

  /** Any request with the token, once more with a new one if the server no longer takes it. */
  async sendWithToken(url: string, request: Request): Promise<Response> {
    const token = await this.#currentToken(request.signal);
    const first = await this.#sendAs(token, url, request);
    if ((await platformError(first, 403)) !== 'auth.invalid_token') return first;
    void first.body?.cancel().catch(() => undefined);
    return this.#sendAs(await this.#currentToken(request.signal, token), url, request);
  }

  #sendAs(token: string, url: string, request: Request): Promise<Response> {
    return this.#send(url, { ...request, headers: { ...request.headers, jfwt: token } });
  }

  /** The token that is known, unless it has expired or was refused. */
  async #currentToken(signal: AbortSignal | undefined, refused?: string): Promise<string> {
    signal?.throwIfAborted();
    const known = this.#known;
    if (known !== undefined && known.value !== refused && known.usableUntil > Date.now()) return known.value;
    this.#fetching ??= this.#fetchToken().finally(() => (this.#fetching = undefined));
    return (await unlessAborted(this.#fetching, signal)).value;
  }

  async #fetchToken(): Promise<Token> {
    const { token } = this.#options;
    if (token === undefined) return this.#remember(await this.#exchangeKey());
    return (this.#known = { value: await token(), usableUntil: Infinity });
  }

  #exchangeKey(signal?: AbortSignal): Promise<ValidatedKey> {
    return this.getWithKey('/auth-service/v1/validate', signal);
  }

  #remember({ token, expiry }: ValidatedKey): Token {
    return (this.#known = { value: token, usableUntil: Date.parse(expiry) - EXPIRY_MARGIN_MS });
  }

  async #send(url: string, { signal, ...request }: Request): Promise<Response> {
    const { fetch: send = globalThis.fetch } = this.#options;
    try {
      // A redirect would carry key and token to wherever it points.
      return await send(url, { ...request, redirect: 'manual', signal: signal ?? null });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new JellyFaaSError(`The server at ${new URL(url).origin} cannot be reached.`, {
        errorId: 'sdk.unreachable',
        cause,
      });
    }
  }
}

/** The platform's error code behind `status`; undefined for what is no error of the platform. */
export async function platformError(response: Response, status: number): Promise<string | undefined> {
  const length = Number(response.headers.get('content-length') ?? Infinity);
  if (response.status !== status || length > PLATFORM_ERROR_BYTES_MAX) return undefined;
  try {
    const { errorId, code } = (await response.clone().json()) as { errorId?: string; code?: string };
    return errorId ?? code;
  } catch {
    return undefined;
  }
}
