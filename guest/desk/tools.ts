import { buffer } from 'node:stream/consumers';
import { sendSealedCall } from '../../clients/sdk/src/sealed-call.ts';
import { JellyFaaSError } from '../../clients/sdk/src/error.ts';
import { createFunctionTools } from '../../server/ai/create-function-tools.ts';
import type { FunctionTools } from '../../server/ai/function-tool.ts';
import type { Deployment } from '../../server/calls/deployment.ts';
import type { Call, CallHandler, Invoke } from '../../server/calls/invoke.ts';
import { systemClock } from '../../server/kernel/clock.ts';
import { PlatformError, toPlatformError } from '../../server/kernel/errors.ts';
import { LruMap } from '../../server/kernel/lru-map.ts';
import type { Callable } from '../../server/desk/door-protocol.ts';
import type { Door } from './door.ts';

const DEPLOYMENTS_MAX = 2000;

/** The caller's functions as tools, each call of which is sealed from here to the function's own sandbox. */
export function createDeskTools(door: Door): FunctionTools {
  /** Those that the door has named; it decides again at each call. */
  const named = new LruMap<string, Deployment>(DEPLOYMENTS_MAX);
  const remember = (callable: Callable): Callable => {
    named.set(callable.deployment.id, { ...callable.deployment, published: true });
    return callable;
  };
  return createFunctionTools({
    functions: {
      async lookup({ accountId: pass }, shortname) {
        const [found] = await door.callable(pass, { shortnames: [shortname] });
        if (found === undefined) throw new TypeError('the door answered with another list');
        return remember(found);
      },
      catalogue: async ({ accountId: pass }) => (await door.callable(pass, {})).map(remember),
    },
    directory: { find: (id) => named.get(id), onRetired: () => undefined },
    invoke: createSealedInvoke(door),
    clock: systemClock,
  });
}

function createSealedInvoke(door: Door): Invoke {
  return (call, handler) => {
    const leaving = new AbortController();
    answer(door, call, { handler, signal: leaving.signal }).catch((thrown: unknown) => {
      if (!leaving.signal.aborted) handler.onError(errorOf(thrown));
    });
    return { resume: () => undefined, cancel: () => leaving.abort() };
  };
}

interface Answered {
  readonly handler: CallHandler;
  readonly signal: AbortSignal;
}

async function answer(
  door: Door,
  { caller, deployment, request }: Call,
  { handler, signal }: Answered,
): Promise<void> {
  const session = door.session(caller);
  const { method, path, headers } = request;
  const body = request.body === null ? undefined : new Uint8Array(await buffer(request.body));
  const response = await sendSealedCall(session, new URL(`${session.url}/${deployment.id}${path}`), {
    method,
    headers: passed(headers),
    ...(body !== undefined && { body }),
    signal,
  });
  handler.onStart(response.status, '', [...response.headers].flat());
  for await (const chunk of response.body ?? []) handler.onData(Buffer.from(chunk));
  handler.onEnd();
}

/** Host and length are the seal's own matter. */
function passed(headers: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name !== 'host' && name !== 'content-length') fields[name] = headers[i + 1] ?? '';
  }
  return fields;
}

/** What the platform said of the call, which is a result for the model. */
function errorOf(thrown: unknown): PlatformError {
  if (!(thrown instanceof JellyFaaSError)) return toPlatformError(thrown);
  return new PlatformError({ kind: 'unavailable', code: thrown.errorId, message: thrown.message });
}
