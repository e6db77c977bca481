import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Loopback {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** `http://127.0.0.1:<port>`, or `https:`. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Has a server listen on a free port of the loopback. It leaves idle connections open until it is closed: one that it
 * ended just when a client sends its next request would fail that request, and with it a test of something else.
 */
export async function onLoopback(server: Server | SecureServer): Promise<Loopback> {
  server.keepAliveTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${server instanceof SecureServer ? 'https' : 'http'}://${host}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
