import { lookup, Resolver } from 'node:dns/promises';
import { connect, type LookupFunction, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { EgressPolicy } from './egress-policy.ts';

/** The host's network as the guard uses it; tests stand in for other people's name servers with it. */
export interface EgressNetwork {
  /** All addresses of a name in the public DNS. */
  resolvePublic(host: string): Promise<readonly string[]>;
  /** All addresses of a name as the host itself resolves it, its hosts file included. */
  resolveAsHost(host: string): Promise<readonly string[]>;
  /** Opens a connection to one of these addresses, without looking anything up again. */
  connect(addresses: readonly string[], port: number): Socket;
  /** The host's own addresses: the platform itself listens there. */
  ownAddresses(): readonly string[];
}

export type EgressRefusal =
  | 'bad_target'
  | 'address_literal'
  | 'host_not_listed'
  | 'port_not_listed'
  | 'not_a_public_address'
  | 'own_address';

/** The policy says no. Carries a code and nothing of the target, so that it can be logged. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
  readonly code: EgressRefusal;

  constructor(code: EgressRefusal) {
    super(REASONS[code]);
    this.code = code;
  }
}

const REASONS: Readonly<Record<EgressRefusal, string>> = {
  bad_target: 'the target is not written as host:port with a plain host name',
  address_literal: 'targets must be host names, not addresses',
  host_not_listed: 'this host is not in the egress list of the function',
  port_not_listed:
    'this port is not in the egress list of the function (80 and 443 are, unless host:port names one)',
  not_a_public_address: 'the host name leads to an address that is not public',
  own_address: 'the host name leads to the platform itself',
};

export interface EgressTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host:port`. Deliberately not the URL parser: that one turns `0x7f.1` into 127.0.0.1 and removes what
 * should be refused. The host comes back in lower case and otherwise as written.
 */
export function parseTarget(authority: string, defaultPort?: number): EgressTarget {
  const match = /^([^\s:/?#@\\%[\]]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/i.exec(authority);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match?.[1] === undefined || port === undefined || port < 1 || port > 65_535) {
    throw new EgressRefused('bad_target');
  }
  return { host: match[1].toLowerCase(), port };
}

/** Answers with the addresses to connect to, or throws `EgressRefused`. Rejects as resolution does otherwise. */
export async function admit(
  policy: EgressPolicy,
  target: EgressTarget,
  network: EgressNetwork,
): Promise<readonly string[]> {
  const entries = policy.hosts.map(parseEntry);
  if (policy.kind === 'trusted') {
    assertListed(entries, target, (pattern) => pattern === target.host);
    const literal = unbracketed(target.host);
    return ipaddr.isValid(literal) ? [literal] : network.resolveAsHost(target.host);
  }
  const literal = policy.ranges !== undefined && isPlainAddress(target.host);
  if (!literal) assertHostName(target.host);
  assertListed(entries, target, (pattern) =>
    literal ? pattern === target.host : matchesPattern(pattern, target.host),
  );
  const addresses = literal ? [unbracketed(target.host)] : await network.resolvePublic(target.host);
  const others = addresses.filter((address) => !isWithin(policy.ranges ?? [], address));
  // One bad address refuses the name: whoever mixes them is playing for a second try.
  if (addresses.length === 0 || !others.every(isPublicAddress)) {
    throw new EgressRefused('not_a_public_address');
  }
  const own = new Set(network.ownAddresses().map(canonical));
  if (others.some((address) => own.has(canonical(address)))) throw new EgressRefused('own_address');
  return addresses;
}

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

/** Written in the one way that all readers take for the same address. */
function isPlainAddress(host: string): boolean {
  return host.startsWith('[')
    ? ipaddr.IPv6.isValid(unbracketed(host))
    : ipaddr.IPv4.isValidFourPartDecimal(host) && !/(^|\.)0\d/.test(host);
}

function isWithin(ranges: readonly string[], address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return ranges
    .map((range) => ipaddr.parseCIDR(range))
    .some(([base, bits]) => base.kind() === parsed.kind() && parsed.match(base, bits));
}

interface Entry {
  readonly pattern: string;
  readonly port: number | undefined;
}

/** `host`, `host:port`, `*.host`, `*`, `[v6]:port`. */
function parseEntry(entry: string): Entry {
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(entry.toLowerCase());
  const named = /^\[?[0-9a-f]*:[0-9a-f:.]*$/.test(entry) ? undefined : match?.[2];
  return {
    pattern: named === undefined ? entry.toLowerCase() : (match?.[1] ?? ''),
    port: named === undefined ? undefined : Number(named),
  };
}

function assertListed(
  entries: readonly Entry[],
  { port }: EgressTarget,
  matches: (pattern: string) => boolean,
): void {
  const listed = entries.filter(({ pattern }) => matches(pattern));
  if (listed.length === 0) throw new EgressRefused('host_not_listed');
  const open = listed.some((entry) =>
    entry.port === undefined ? port === 80 || port === 443 : entry.port === port,
  );
  if (!open) throw new EgressRefused('port_not_listed');
}

function matchesPattern(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*.')) return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
  return pattern === host;
}

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * At least two labels of ASCII letters, digits and hyphens; other scripts arrive as `xn--…` and are compared in
 * that form. A last label that looks like a number makes the whole an address to some resolvers.
 */
function assertHostName(host: string): void {
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  if (host.startsWith('[') || /^(\d+|0x[0-9a-f]*)$/.test(last)) throw new EgressRefused('address_literal');
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) throw new EgressRefused('bad_target');
}

const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');

/** The cloud's own service address at one provider, in a public range. */
const PROVIDER_ADDRESSES: ReadonlySet<string> = new Set(['168.63.129.16']);

/** Whether an address is on the public Internet: global unicast and in no special range. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || PROVIDER_ADDRESSES.has(address)) return false;
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_UNICAST);
}

function canonical(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toNormalizedString() : address;
}

const resolver = new Resolver({ timeout: 3000, tries: 2 });

export const hostNetwork: EgressNetwork = {
  // Not getaddrinfo: that one holds a thread for as long as a name server likes, and there are few of them.
  async resolvePublic(host) {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (addresses.length === 0) throw new Error('the name has no address');
    return addresses;
  },
  async resolveAsHost(host) {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  },
  connect(addresses, port) {
    const pinned: LookupFunction = (_host, { all }, answer) => {
      const found = addresses.map((address) => ({
        address,
        family: ipaddr.parse(address).kind() === 'ipv6' ? 6 : 4,
      }));
      const [first] = found;
      if (all === true || first === undefined) answer(null, found);
      else answer(null, first.address, first.family);
    };
    // The name only stands for the pinned addresses; `lookup` is the one thing that ever sees it.
    return connect({
      host: 'egress.invalid',
      port,
      lookup: pinned,
      autoSelectFamily: true,
      allowHalfOpen: true,
    });
  },
  ownAddresses: () =>
    Object.values(networkInterfaces()).flatMap((interfaces) =>
      (interfaces ?? []).map(({ address }) => address),
    ),
};
