'use strict';
// Leads Node's own HTTP clients (http, https, fetch) through the egress proxy. Node 20 cannot be told to use a
// proxy, and the variables that newer versions read make some libraries speak a form of proxying that carries no
// HTTPS; a tunnel below the clients works the same for all versions and libraries.
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');
const { EGRESS_SOCKET, PROXY_PORT } = require('../egress-forwarder.cjs');

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);
const ANSWER_CHARACTERS_MAX = 8192;

async function routeThroughProxy() {
  http.globalAgent.createConnection = connect;
  https.globalAgent.createConnection = (options, done) => connect({ ...options, protocol: 'https:' }, done);
  // Node loads its fetch at the first use, and only then there is a dispatcher whose kind can be asked.
  await fetch('data:text/plain,');
  const dispatcher = Symbol.for('undici.globalDispatcher.1');
  const Agent = globalThis[dispatcher].constructor;
  globalThis[dispatcher] = new Agent({ connect });
  process.env.grpc_proxy = `http://127.0.0.1:${PROXY_PORT}`;
}

/** Opens a connection in the form that both http.Agent and fetch's dispatcher ask for. */
function connect(options, done) {
  const host = options.hostname ?? options.host;
  const isTls = options.protocol === 'https:';
  const port = Number(options.port) || (isTls ? 443 : 80);
  const open = LOOPBACK.has(host) ? openDirect : openTunnel;
  open(host, port, (error, socket) => {
    if (error || !isTls) return done(error, socket);
    const servername = options.servername || (net.isIP(host) ? '' : host);
    const secured = tls.connect({ ...options, path: undefined, socket, servername });
    settle(secured, 'secureConnect', done);
  });
}

function openDirect(host, port, done) {
  settle(net.connect(port, host), 'connect', done);
}

/** Calls `done` once: with the socket at `event`, or with what went wrong before. */
function settle(socket, event, done) {
  const succeed = () => {
    socket.off('error', fail);
    done(null, socket);
  };
  const fail = (error) => {
    socket.off(event, succeed);
    done(error);
  };
  socket.once(event, succeed).once('error', fail);
}

function openTunnel(host, port, done) {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const socket = net.connect(EGRESS_SOCKET);
  let answer = '';
  const finish = (error) => {
    socket.off('data', read).off('error', finish).off('close', close);
    if (error) socket.destroy();
    done(error, error ? undefined : socket);
  };
  const close = () => finish(new Error(`the connection to ${target} was closed`));
  const read = (chunk) => {
    answer += chunk.toString('latin1');
    if (!answer.includes('\r\n\r\n') && answer.length < ANSWER_CHARACTERS_MAX) return;
    if (!/^HTTP\/1\.[01] 200 /.test(answer)) {
      return finish(new Error(`${target} was refused: is it listed under "egress" in jellyspec.json?`));
    }
    // Nothing can follow yet: with HTTP and TLS it is the client who speaks first.
    finish(null);
  };
  socket.on('data', read).on('error', finish).on('close', close);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`);
}

module.exports = { routeThroughProxy };
