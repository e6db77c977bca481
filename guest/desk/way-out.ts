import { getCACertificates } from 'node:tls';
import { ProxyAgent } from 'undici';

const EGRESS_SOCKET = '/run/fn/egress.sock';
const CONNECT_MS = 5000;
let opened: ProxyAgent | undefined;

/** Tunnels through the egress proxy of the jail; one for all. `certificates` are good beside the public authorities. */
export function wayOut(certificates: readonly string[]): ProxyAgent {
  opened ??= new ProxyAgent({
    // All connections to it are to the socket.
    uri: 'http://egress',
    proxyTls: { socketPath: EGRESS_SOCKET, timeout: CONNECT_MS },
    requestTls: { timeout: CONNECT_MS, ca: [...getCACertificates('default'), ...certificates] },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return opened;
}
