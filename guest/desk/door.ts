import { Agent, fetch as undiciFetch } from 'undici';
import { Session } from '../../clients/sdk/src/session.ts';
import {
  type Callable,
  type CallableAsked,
  DATABASE_HEADER,
  DOOR_PATHS,
  type DatabasesGiven,
  type DoorError,
  type EmbeddingsGiven,
  type ModelAsked,
  type ModelGiven,
} from '../../server/desk/door-protocol.ts';
import { PlatformError } from '../../server/kernel/errors.ts';

const SOCKET = '/run/fn/door.sock';
/** Goes nowhere: all connections are to the socket. */
const URL = 'http://platform';

/** The platform as a desk sees it; everything on behalf of the request whose pass is given. */
export interface Door {
  callable(pass: string, asked: CallableAsked): Promise<readonly Callable[]>;
  model(pass: string, asked: ModelAsked): Promise<ModelGiven>;
  failed(pass: string): Promise<void>;
  databases(pass: string): Promise<DatabasesGiven>;
  embeddings(pass: string): Promise<EmbeddingsGiven>;
  /** To which requests to the vector engine are sealed. */
  engineKey(pass: string): Promise<Uint8Array>;
  /** Carries one of them, and its sealed answer. */
  engine(pass: string, database: string, sealed: Uint8Array): Promise<Uint8Array>;
  /** For sealed calls of functions. */
  session(pass: string): Session;
}

export function openDoor(): Door {
  const dispatcher = new Agent({
    connect: { socketPath: SOCKET },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const send = (url: string, init: RequestInit): Promise<Response> =>
    // undici's fetch is the global one with a choice of dispatcher; only the names of their types differ.
    undiciFetch(url, { ...(init as object), dispatcher }) as unknown as Promise<Response>;

  async function post(
    path: string,
    pass: string,
    { headers, body }: { headers?: Record<string, string>; body: string | Uint8Array },
  ): Promise<Response> {
    const init = { method: 'POST', headers: { ...headers, jfwt: pass }, body };
    const response = await send(`${URL}${path}`, init as RequestInit);
    if (response.status !== 200) throw new PlatformError((await response.json()) as DoorError);
    return response;
  }

  async function ask<T>(path: string, pass: string, asked: object): Promise<T> {
    return (await (await post(path, pass, { body: JSON.stringify(asked) })).json()) as T;
  }

  async function bytes(response: Promise<Response>): Promise<Uint8Array> {
    return new Uint8Array(await (await response).arrayBuffer());
  }

  return {
    callable: (pass, asked) => ask(DOOR_PATHS.callable, pass, asked),
    model: (pass, asked) => ask(DOOR_PATHS.model, pass, asked),
    failed: async (pass) => void (await ask(DOOR_PATHS.failed, pass, {})),
    databases: (pass) => ask(DOOR_PATHS.databases, pass, {}),
    embeddings: (pass) => ask(DOOR_PATHS.embeddings, pass, {}),
    engineKey: (pass) => bytes(post(DOOR_PATHS.engineKey, pass, { body: '' })),
    engine(pass, database, sealed) {
      const headers = { [DATABASE_HEADER]: encodeURIComponent(database) };
      return bytes(post(DOOR_PATHS.engine, pass, { headers, body: sealed }));
    },
    session: (pass) => new Session({ url: URL, token: () => pass, fetch: send }),
  };
}
