import type { FetchLike } from '@modelcontextprotocol/client';
import { Headers, Response, fetch } from 'undici';
import { atMost } from '../kernel/at-most.ts';
import { type PlatformError, causesOf } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { EgressRefused, type EgressNetwork } from '../sandbox/egress-guard.ts';
import { createGuardedAgent } from '../sandbox/guarded-agent.ts';
import { outsidePolicy } from '../sandbox/outside-policy.ts';
import { sourceErrors } from './errors.ts';

export interface OutsideFetchOptions {
  /** The source's name, for errors. */
  readonly name: string;
  readonly url: URL;
  readonly token: string | undefined;
  /** Hosts that the operator trusts: `host` for all ports, or `host:port`. */
  readonly allowedHosts: readonly string[];
  readonly network: EgressNetwork;
  readonly answerBytesMax: number;
  readonly events: Pick<EventLog, 'emit'>;
}

export interface OutsideFetch {
  readonly fetch: FetchLike;
  /** Why a request failed, told once. Errors of the SDK say less, or repeat what the server said. */
  takeFailure(): PlatformError | undefined;
  /** Cuts whatever still runs. */
  close(): void;
}

/**
 * The only way to an outside server: to the source's URL and nowhere else, to an address that was checked and is the one
 * connected to, without redirects, cookies or streams that the server opens by itself, and with bounded answers.
 */
export function createOutsideFetch(options: OutsideFetchOptions): OutsideFetch {
  const { name, url, token, answerBytesMax, events } = options;
  const agent = createGuardedAgent({
    policyOf: () => outsidePolicy(url, options.allowedHosts),
    network: options.network,
    connections: CONNECTIONS_MAX,
  });
  let failure: PlatformError | undefined;

  const guarded = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    if (String(input) !== url.href) throw new Error('the client asked for another address');
    // A stream for what the server has to say by itself, or the rest of one that broke off: there is none.
    if (init.method === 'GET') return new Response(null, { status: 405 });
    const { method, body } = init;
    const headers = new Headers(init.headers as ConstructorParameters<typeof Headers>[0]);
    headers.set('accept-encoding', 'identity');
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const response = await fetch(url, {
      ...(method !== undefined && { method }),
      ...(typeof body === 'string' && { body }),
      signal: init.signal ?? null,
      headers,
      redirect: 'manual',
      dispatcher: agent,
    });
    failure = refusalOf(name, response.status) ?? failure;
    const flood = (): Error => (failure = sourceErrors.tooLarge(name));
    // What stands behind a redirect is none of the client's business.
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new Error('redirect');
    }
    const whole = response.body?.pipeThrough(atMost(answerBytesMax, flood)) ?? null;
    return new Response(whole, { status: response.status, headers: response.headers });
  };

  const recorded = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    try {
      return await guarded(input, init);
    } catch (thrown) {
      const refused = causesOf(thrown).find((error) => error instanceof EgressRefused);
      if (refused !== undefined) events.emit('egress.refused', { code: refused.code });
      if (refused !== undefined) failure = sourceErrors.refusedAddress(name);
      else if (init?.signal?.aborted !== true) failure ??= sourceErrors.unreachable(name);
      throw thrown;
    }
  };

  return {
    // undici's fetch is the global one with a choice of dispatcher; only the names of their types differ.
    fetch: recorded as unknown as FetchLike,
    takeFailure() {
      const told = failure;
      failure = undefined;
      return told;
    },
    close: () => void agent.destroy(),
  };
}

/** At most as many as calls of one step, and one for what ends them. */
const CONNECTIONS_MAX = 8;

/** Other statuses belong to the protocol: a server of an older revision answers 4xx to the question for a newer one. */
function refusalOf(name: string, status: number): PlatformError | undefined {
  if (status === 401 || status === 403) return sourceErrors.refusedToken(name);
  if (status >= 300 && status < 400) return sourceErrors.redirected(name);
  return status >= 500 ? sourceErrors.unreachable(name) : undefined;
}
