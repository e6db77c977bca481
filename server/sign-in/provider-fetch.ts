import type { CustomFetchOptions } from 'openid-client';
import { Response, fetch } from 'undici';
import { atMost } from '../kernel/at-most.ts';
import { causesOf } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { EgressRefused, type EgressNetwork } from '../sandbox/egress-guard.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';
import { createGuardedAgent } from '../sandbox/guarded-agent.ts';

export interface ProviderFetchOptions {
  readonly issuer: URL;
  readonly network: EgressNetwork;
  readonly events: Pick<EventLog, 'emit'>;
}

export class ProviderUnreachable extends Error {}

export type Fetch = (url: string, init?: FetchInit) => Promise<globalThis.Response>;

export interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: CustomFetchOptions['body'];
}

export interface ProviderFetch {
  readonly fetch: Fetch;
  close(): void;
}

const CONNECTIONS_MAX = 4;
const ANSWER_BYTES_MAX = 512 * 1024;
const TIMEOUT_MS = 8_000;

/**
 * The only way to the identity provider: the operator chose its host, so that may lie anywhere; hosts that its metadata
 * names beside it have to be public ones. No redirects, no cookies, bounded answers.
 */
export function createProviderFetch({ issuer, network, events }: ProviderFetchOptions): ProviderFetch {
  const agent = createGuardedAgent({
    policyOf: (target) => policyOf(issuer, target),
    network,
    connections: CONNECTIONS_MAX,
  });
  const guarded = async (url: string, { method = 'GET', headers = {}, body }: FetchInit = {}) => {
    try {
      const response = await fetch(url, {
        method,
        headers,
        ...(body !== undefined && { body }),
        redirect: 'manual',
        dispatcher: agent,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status >= 500) throw new Error('the identity provider failed');
      const bounded =
        response.body?.pipeThrough(atMost(ANSWER_BYTES_MAX, () => new Error('too much'))) ?? null;
      return new Response(bounded, { status: response.status, headers: response.headers });
    } catch (thrown) {
      const refused = causesOf(thrown).find((error) => error instanceof EgressRefused);
      if (refused !== undefined) events.emit('egress.refused', { code: refused.code });
      throw new ProviderUnreachable('the identity provider cannot be reached', { cause: thrown });
    }
  };
  return {
    // undici's fetch is the global one with a choice of dispatcher; only the names of their types differ.
    fetch: guarded as unknown as Fetch,
    close: () => void agent.destroy(),
  };
}

function policyOf(
  issuer: URL,
  { protocol, host }: { readonly protocol: string; readonly host: string },
): EgressPolicy | undefined {
  if (host === issuer.host && protocol === issuer.protocol) {
    const port = issuer.port || (protocol === 'https:' ? '443' : '80');
    return { kind: 'trusted', hosts: [`${issuer.hostname}:${port}`] };
  }
  return protocol === 'https:' ? { kind: 'public', hosts: ['*:443'] } : undefined;
}
