'use strict';
// The jail has no network but the socket of the egress proxy. Tools and libraries speak HTTP proxy over TCP, so
// this makes the socket reachable as http://127.0.0.1:3128.
const net = require('node:net');

const EGRESS_SOCKET = '/run/fn/egress.sock';
const PROXY_PORT = 3128;

/** Resolves to the listening server once the port is open. */
function openForwarder() {
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const proxy = net.connect({ path: EGRESS_SOCKET, allowHalfOpen: true });
    client.pipe(proxy);
    proxy.pipe(client);
    client.on('error', () => proxy.destroy());
    proxy.on('error', () => client.destroy());
    client.on('close', () => proxy.destroy());
    proxy.on('close', () => client.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(PROXY_PORT, '127.0.0.1', () => resolve(server));
  });
}

module.exports = { openForwarder, EGRESS_SOCKET, PROXY_PORT };
