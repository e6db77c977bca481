import { Response, fetch, type Agent } from 'undici';
import { atMost } from '../kernel/at-most.ts';
import type { EventLog } from '../kernel/events.ts';
import { causesOf, PlatformError } from '../kernel/errors.ts';
import { EgressRefused, type EgressNetwork } from '../sandbox/egress-guard.ts';
import type { EgressPolicy } from '../sandbox/egress-policy.ts';
import { createGuardedAgent } from '../sandbox/guarded-agent.ts';
import { aimeeErrors } from './errors.ts';
import type { AimeeLimits } from './limits.ts';

export interface PageReaderOptions {
  readonly network: EgressNetwork;
  /** Hosts that the operator trusts though they are not public: `host` for all ports, or `host:port`. */
  readonly allowedHosts: readonly string[];
  readonly events: Pick<EventLog, 'emit'>;
  readonly limits: Pick<AimeeLimits, 'pageBytesMax' | 'pageDeadlineMs' | 'redirectsMax'>;
}

export interface Page {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A page that could not be read, and whether that says that it is not there any more. */
export class PageFailure extends Error {
  override readonly name = 'PageFailure';
  readonly reason: PlatformError;
  readonly isGone: boolean;

  constructor(reason: PlatformError, isGone: boolean) {
    super(reason.message);
    this.reason = reason;
    this.isGone = isGone;
  }
}

/**
 * Reads pages of customers' own sites: at addresses that were checked and are the ones connected to, never leaving the
 * page's origin, without cookies, bounded in size and time. Throws `PageFailure`.
 */
export interface PageReader {
  read(url: URL, signal: AbortSignal): Promise<Page>;
  close(): Promise<void>;
}

const CONNECTIONS_PER_HOST = 2;
const GONE: ReadonlySet<number> = new Set([404, 410]);

export function createPageReader(options: PageReaderOptions): PageReader {
  const { network, allowedHosts, events, limits } = options;
  const agent = createGuardedAgent({
    network,
    connections: CONNECTIONS_PER_HOST,
    policyOf: (target) => policyOf(target, allowedHosts),
  });

  return {
    async read(url, signal) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(limits.pageDeadlineMs)]);
      try {
        return await follow(agent, { url, limits, signal: bounded });
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown instanceof PageFailure) throw thrown;
        const refused = causesOf(thrown).find((error) => error instanceof EgressRefused);
        if (refused !== undefined) events.emit('egress.refused', { code: refused.code });
        const told = causesOf(thrown).find((error) => error instanceof PlatformError);
        throw new PageFailure(told ?? aimeeErrors.page('unreachable'), false);
      }
    },
    close: async () => await agent.destroy(),
  };
}

/** The one host and port that a connection is made for. */
function policyOf(
  { protocol, host }: { readonly protocol: string; readonly host: string },
  allowedHosts: readonly string[],
): EgressPolicy {
  const target = /:\d+$/.test(host) ? host : `${host}:${protocol === 'https:' ? 443 : 80}`;
  const isListed = allowedHosts.some((one) =>
    [target, target.replace(/:\d+$/, '')].includes(one.toLowerCase()),
  );
  return { kind: isListed ? 'trusted' : 'public', hosts: [target] };
}

interface Following {
  readonly url: URL;
  readonly limits: PageReaderOptions['limits'];
  readonly signal: AbortSignal;
}

async function follow(agent: Agent, { url, limits, signal }: Following): Promise<Page> {
  let at = url;
  for (let redirects = 0; redirects <= limits.redirectsMax; redirects++) {
    const response = await fetch(at, {
      dispatcher: agent,
      redirect: 'manual',
      signal,
      headers: {
        'user-agent': 'AIMee',
        accept: 'text/html, text/plain, application/xml',
        'accept-encoding': 'identity',
      },
    });
    const { status, headers, body } = response;
    if (status < 300) {
      const tooLarge = (): Error => aimeeErrors.page('too large');
      const whole = body?.pipeThrough(atMost(limits.pageBytesMax, tooLarge)) ?? null;
      const bytes = new Uint8Array(await new Response(whole).arrayBuffer());
      return {
        mediaType: (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
        bytes,
      };
    }
    await body?.cancel();
    const location = headers.get('location');
    if (status >= 400 || location === null)
      throw new PageFailure(aimeeErrors.page('status'), GONE.has(status));
    if (!URL.canParse(location, at.href)) break;
    const next = new URL(location, at.href);
    if (next.origin !== url.origin) break;
    at = next;
  }
  throw new PageFailure(aimeeErrors.page('redirect'), true);
}
