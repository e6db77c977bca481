import net from 'node:net';

const EGRESS_SOCKET = '/run/fn/egress.sock';
const ANSWER_CHARACTERS_MAX = 8192;

/** The egress proxy said no, or could not reach the host. */
export class Unreachable extends Error {
  constructor(isRefused) {
    super('the host cannot be reached');
    this.isRefused = isRefused;
  }
}

/** A connection to the one host that this jail may reach; its bytes are the driver's from the first on. */
export function openTunnel({ host, port }, path = EGRESS_SOCKET) {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const socket = net.connect(path);
  const tunnel = Promise.withResolvers();
  let answer = '';
  const close = () => fail(false);
  const fail = (isRefused) => {
    socket.destroy();
    tunnel.reject(new Unreachable(isRefused));
  };
  const read = () => {
    // Byte by byte, so that nothing of the server's greeting is taken from the driver: with MySQL it speaks first.
    for (let byte; (byte = socket.read(1)) !== null;) {
      answer += byte.toString('latin1');
      if (answer.endsWith('\r\n\r\n')) return finish();
      if (answer.length > ANSWER_CHARACTERS_MAX) return fail(false);
    }
  };
  const finish = () => {
    socket.off('readable', read).off('error', close).off('close', close);
    if (!/^HTTP\/1\.1 200 /.test(answer)) return fail(/^HTTP\/1\.1 403 /.test(answer));
    // TLS checks the certificate against this when the host is an address.
    socket._host = host;
    tunnel.resolve(socket);
  };
  socket.on('readable', read).once('error', close).once('close', close);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
  return tunnel.promise;
}
