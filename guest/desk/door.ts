import { Agent, fetch as undiciFetch } from 'undici';
import { Session } from '../../clients/sdk/src/session.ts';
import {
  type Callable,
  type CallableAsked,
  DOOR_PATHS,
  type DoorError,
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

  async function ask<T>(path: string, pass: string, asked: object): Promise<T> {
    const response = await send(`${URL}${path}`, {
      method: 'POST',
      headers: { jfwt: pass, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    const given: unknown = await response.json();
    if (response.status !== 200) throw new PlatformError(given as DoorError);
    return given as T;
  }

  return {
    callable: (pass, asked) => ask(DOOR_PATHS.callable, pass, asked),
    model: (pass, asked) => ask(DOOR_PATHS.model, pass, asked),
    session: (pass) => new Session({ url: URL, token: () => pass, fetch: send }),
  };
}
