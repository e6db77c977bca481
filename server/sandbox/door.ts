import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { type RequestListener, createServer } from 'node:http';

const CONNECTIONS_MAX = 128;

/** Listens on a Unix socket; the directory around it decides who may connect. */
export async function openDoor(path: string, listener: RequestListener): Promise<{ close(): Promise<void> }> {
  // The guest owns its connections: closing an idle one here would race with its next request.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, listener);
  server.maxConnections = CONNECTIONS_MAX;
  await once(server.listen(path), 'listening');
  await chmod(path, 0o666);
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
