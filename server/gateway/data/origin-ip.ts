import type { IncomingMessage } from 'node:http';
import { BlockList, type Socket, SocketAddress, isIP } from 'node:net';

export interface Origin {
  /** Canonical textual IPv4 or IPv6 address. */
  readonly ip: string;
  /** The peer is one of our own proxies, not the caller. */
  readonly isBehindProxy: boolean;
}

/** Who makes a request; cheap from the second request of a connection on. */
export type OriginReader = (req: IncomingMessage) => Origin;

/**
 * Where a call comes from: the socket's peer or, if that is a trusted proxy, the last hop that it names. Nothing
 * else that a client writes into a header is believed.
 */
export function createOriginReader(trustedProxies: readonly string[]): OriginReader {
  const trusted = blockListOf(trustedProxies);
  const peers = new WeakMap<Socket, Origin>();

  function peerOf(socket: Socket): Origin {
    let peer = peers.get(socket);
    if (peer === undefined) {
      const ip = canonicalIp(socket.remoteAddress ?? '') ?? '0.0.0.0';
      peer = { ip, isBehindProxy: trusted.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4') };
      peers.set(socket, peer);
    }
    return peer;
  }

  return (req) => {
    const peer = peerOf(req.socket);
    if (!peer.isBehindProxy) return peer;
    const hop = lastHop(req.headers['x-forwarded-for']);
    return hop === undefined ? peer : { ip: hop, isBehindProxy: true };
  };
}

/** Addresses or CIDRs; throws `RangeError` for anything else. */
function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits)) throw new RangeError(`not an address or CIDR: ${entry}`);
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Several fields of this name are one list (Node joins them); the last entry is the proxy's own. */
function lastHop(header: string | string[] | undefined): string | undefined {
  const last = String(header ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  const bare = last?.replace(/^\[(.+)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return canonicalIp(bare ?? '');
}

/** One spelling for each address: v4-mapped ones as IPv4, others compressed, without zone. */
export function canonicalIp(text: string): string | undefined {
  const bare = text.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
}
