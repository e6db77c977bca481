import { STATUS_CODES } from 'node:http';
import { type JellyFaaS, JellyFaaSError, jellyfaas } from '../sdk/src/index.ts';
import { Api, requireKey, type ValidatedKey } from './api.ts';
import { CliError } from './failure.ts';
import { fetchOverHttp } from './fetch-over-http.ts';
import { connectionFailure, sendRequest } from './http.ts';
import type { Settings } from './settings.ts';

export interface FunctionCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface FunctionAnswer {
  readonly status: number;
  /** For a person to read. */
  readonly statusText: string;
  /** The body as it comes; throws CliError when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
}

export type SendCall = (call: FunctionCall) => Promise<FunctionAnswer>;

export function plainCalls(settings: Settings): SendCall {
  const api = new Api(settings);
  return async ({ url, method, headers, body }) => {
    const { token } = await api.get<ValidatedKey>('/auth-service/v1/validate');
    const answer = await sendRequest({
      url,
      method,
      headers: { ...headers, jfwt: token },
      ...(body !== undefined && { body }),
    });
    return {
      status: answer.statusCode ?? 0,
      statusText: answer.statusMessage ?? '',
      body: explained(answer, (error) => connectionFailure(error, new URL(url).origin)),
    };
  };
}

/** Only the sandbox of the function reads what is called. `installationKey` as in the SDK's `ConnectOptions`. */
export function sealedCalls(settings: Settings, installationKey: string | undefined): SendCall {
  const client = sealingClient(settings, installationKey);
  return async ({ url, body, ...call }) => {
    const file = body === undefined ? {} : { file: new Uint8Array(body) };
    try {
      const answer = await client.call(new URL(url), { ...call, ...file, sealed: true });
      return {
        status: answer.status,
        statusText: `${STATUS_CODES[answer.status] ?? ''} (sealed)`.trim(),
        body: explained(answer.body ?? [], asCliError),
      };
    } catch (error) {
      throw asCliError(error);
    }
  };
}

export function sealingClient(settings: Settings, installationKey: string | undefined): JellyFaaS {
  return jellyfaas({
    url: settings.url,
    apiKey: requireKey(settings),
    fetch: fetchOverHttp,
    ...(installationKey !== undefined && { installationKey }),
  });
}

/** What the SDK says, in the CLI's own kind of error; one that began here is given back as it was. */
export function asCliError(error: unknown): unknown {
  if (!(error instanceof JellyFaaSError)) return error;
  return error.cause instanceof CliError ? error.cause : new CliError(error.message, { code: error.errorId });
}

/** What the SDK resolves to; its failures as CliErrors. */
export async function orCliError<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw asCliError(error);
  }
}

async function* explained(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  }
}
