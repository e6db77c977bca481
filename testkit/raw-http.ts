import { connect } from 'node:net';

/**
 * Sends bytes as they are and returns everything that comes back until the peer closes or `untilMs` passed:
 * for requests that no well-behaved client would send.
 */
export async function rawExchange(
  url: string,
  request: string | Uint8Array,
  untilMs = 15_000,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(request));
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(finish, untilMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', finish);
    socket.on('error', finish);
  });
}
