'use strict';
// Serves one function inside the jail. It boots ahead of any call: the framework is loaded and warmed up, nothing
// of anyone's code is there. The claim then brings the code to /app, which is loaded and answers from then on.
const http = require('node:http');
const net = require('node:net');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const { openForwarder } = require('../egress-forwarder.cjs');
const { routeThroughProxy } = require('./proxy-route.cjs');

const HTTP_SOCKET = '/run/fn/http.sock';
const CLAIM_CHARACTERS_MAX = 65_536;
const MESSAGE_CHARACTERS_MAX = 2048;
const WARM_UP = 'warm-up-before-claim';

// Resolved in the layer and not from /app: Node would remember that /app has no package.json.
const requireFromLayer = createRequire('/node_modules/index.js');
const framework = requireFromLayer('@google-cloud/functions-framework');
const testing = requireFromLayer('@google-cloud/functions-framework/testing');

const control = new net.Socket({ fd: 3 });
control.on('error', () => {});
const send = (message) => control.write(`${JSON.stringify(message)}\n`);

/** Requests that came before the function was ready. */
const early = [];
let handle = (req, res) => early.push([req, res]);

// The gateway owns its connections: closing an idle one here would race with its next request.
const server = http.createServer(
  { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 65_536 },
  (req, res) => handle(req, res),
);

server.listen(HTTP_SOCKET, async () => {
  await warmUp();
  send({ t: 'up' });
  serve(await readClaim());
});

/** The framework's own request listener for a registered function. */
function listenerOf(name) {
  const frameworkServer = testing.getTestServer(name);
  const [listener] = frameworkServer.listeners('request');
  return (req, res) => listener.call(frameworkServer, req, res);
}

/** Loads what the framework loads lazily, by two requests to a function of our own. */
async function warmUp() {
  const untilClaim = handle;
  framework.http(WARM_UP, (req, res) => res.json({ query: req.query, body: req.body }));
  handle = listenerOf(WARM_UP);
  await request({ method: 'GET', path: '/?a=b' });
  await request({ method: 'POST', headers: { 'content-type': 'application/json' } }, '{"a":"b"}');
  // Loads the loader of ES modules too.
  await import('data:text/javascript,');
  handle = untilClaim;
}

function request(options, body) {
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath: HTTP_SOCKET, agent: false, ...options }, (res) => {
      res.resume().on('end', resolve);
    });
    req.on('error', reject).end(body);
  });
}

function readClaim() {
  return new Promise((resolve) => {
    let text = '';
    control.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) {
        // Nothing more is read: after the claim the host has nothing to say.
        control.removeAllListeners('data').removeAllListeners('end').pause();
        resolve(JSON.parse(text.slice(0, end)));
      } else if (text.length > CLAIM_CHARACTERS_MAX) process.exit(1);
    });
    // The host went away before it claimed this worker.
    control.once('end', () => process.exit(0));
  });
}

async function serve({ entrypoint, egress }) {
  try {
    process.env.FUNCTION_TARGET = entrypoint;
    process.env.GOOGLE_FUNCTION_TARGET = entrypoint;
    if (egress) {
      const forwarder = await openForwarder();
      forwarder.unref();
      await routeThroughProxy();
    }
    process.chdir('/app');
    const name = registeredName(entrypoint, await loadCode());
    handle = listenerOf(name);
    send({ t: 'ready' });
    for (const [req, res] of early.splice(0)) handle(req, res);
  } catch (error) {
    send({ t: 'failed', message: describe(error) });
  }
  // The code never sees the control connection.
  control.end(() => control.destroy());
}

async function loadCode() {
  const requireFromApp = createRequire('/app/index.js');
  const main = mainModule(requireFromApp);
  try {
    return requireFromApp(main);
  } catch (error) {
    // An ES module that awaits at its top level, or, on older versions, any.
    if (!['ERR_REQUIRE_ESM', 'ERR_REQUIRE_ASYNC_MODULE'].includes(error?.code)) throw error;
    return import(pathToFileURL(main));
  }
}

/** `main` of package.json, index.js or function.js, as the framework looks for it. */
function mainModule(requireFromApp) {
  for (const candidate of ['/app', '/app/function.js', '/app/index.mjs']) {
    try {
      return requireFromApp.resolve(candidate);
    } catch {
      // The next candidate.
    }
  }
  throw new Error('There is no module to load: neither "main" in package.json, nor index.js, nor function.js.');
}

/** The function is registered under its name, or else an export of the module, which is registered now. */
function registeredName(entrypoint, loaded) {
  if (testing.getFunction(entrypoint) !== undefined) return entrypoint;
  const exported = entrypoint.split('.').reduce((value, key) => value?.[key], loaded);
  if (typeof exported !== 'function') {
    throw new Error(
      `The code registers no function "${entrypoint}" and exports none. ` +
        'Check "entrypoint" in jellyspec.json; it is case-sensitive.',
    );
  }
  const name = 'exported-function';
  framework.http(name, exported);
  return name;
}

/** What went wrong and where in the author's code, without our own frames. */
function describe(error) {
  if (!(error instanceof Error)) return String(error).slice(0, MESSAGE_CHARACTERS_MAX);
  const place = /\/app\/[^\s():]+:\d+/.exec(error.stack ?? '')?.[0];
  const text = `${error.name}: ${error.message}${place === undefined ? '' : `\nat ${place}`}`;
  return text.slice(0, MESSAGE_CHARACTERS_MAX);
}
