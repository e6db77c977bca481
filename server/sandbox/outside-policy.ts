import type { EgressPolicy } from './egress-policy.ts';

/**
 * Where a connection of the platform’s own to an address that an account named may lead: to public hosts over TLS, or to
 * those that the operator listed (`host` for all ports, or `host:port`). Undefined for an address that is not used at all.
 */
export function outsidePolicy(url: URL, allowedHosts: readonly string[]): EgressPolicy | undefined {
  const { hostname, protocol } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  const target = `${hostname}:${url.port || (protocol === 'https:' ? 443 : 80)}`;
  const isListed = allowedHosts.some((host) => [hostname, target].includes(host.toLowerCase()));
  if (isListed) return { kind: 'trusted', hosts: [target] };
  return protocol === 'https:' ? { kind: 'public', hosts: ['*:443'] } : undefined;
}
