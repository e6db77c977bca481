import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** A TCP relay that keeps what it saw: whether anything was sent at all, below every layer that could hide it. */
export interface Tap {
  /** Where clients connect instead of the server. */
  readonly url: string;
  /** Connections that were opened, and every byte that clients sent and got on them. */
  readonly connections: number;
  sent(): Buffer;
  received(): Buffer;
  close(): Promise<void>;
}

/** Relays to the server at `url`, an address with a port. */
export async function startTap(url: string): Promise<Tap> {
  const { hostname, port } = new URL(url);
  const sent: Buffer[] = [];
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.on('data', (bytes) => sent.push(bytes));
    upstream.on('data', (bytes) => received.push(bytes));
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    sent: () => Buffer.concat(sent),
    received: () => Buffer.concat(received),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
