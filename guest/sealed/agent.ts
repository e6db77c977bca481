import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { bindingOf } from '../../clients/sdk/src/sealed/index.ts';
import { createForward } from './forward.ts';
import { createKeyRing } from './key-ring.ts';
import { createSealedHandler } from './sealed-handler.ts';

/**
 * The first process of a sealed jail. It starts the ordinary worker, whose command it is given, and stands between it and
 * the host: it relays the guest protocol until the function is ready, opens what is sealed to its keys, and names these when
 * it is asked. Requests, answers and private keys are in its memory and nowhere else.
 */
const SEALED_SOCKET = '/run/fn/sealed.sock';
const WORKER_SOCKET = '/run/fn/http.sock';

const FAILED = 70;

interface Claim extends Record<string, unknown> {
  readonly sealed: {
    readonly deploymentId: string;
    readonly bytesMax: number;
    readonly roomBytes: number;
    readonly keyLifeMs: number;
  };
}

// What goes wrong here ends the jail without a word: a message could hold what passes through.
process.setUncaughtExceptionCaptureCallback(() => process.exit(FAILED));

const [command = '', ...args] = process.argv.slice(2);
const host = new Socket({ fd: 3 });
const fromHost = linesOf(host);
// The gateway owns its connections: closing an idle one here would race with its next request.
const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
await once(server.listen(SEALED_SOCKET), 'listening');

// What a function prints may be what was sealed, and would pass the gateway on its way to a console.
const worker = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
worker.once('exit', (code, signal) => {
  process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
});
const control = worker.stdio[3] as Duplex;
const fromWorker = linesOf(control);
await relay(fromWorker, host);

const { sealed, ...claim } = JSON.parse(await nextLine(fromHost)) as Claim;
const keys = await createKeyRing({ lifeMs: sealed.keyLifeMs, onFailed: () => process.exit(FAILED) });
const forward = createForward(WORKER_SOCKET);
const binding = bindingOf(sealed.deploymentId);
server.on('request', createSealedHandler({ ...sealed, binding, keys, forward }));
control.write(`${JSON.stringify(claim)}\n`);
await relay(fromWorker, host);
// The function has nothing more to say.
control.destroy();

for (;;) {
  // All that the host asks for from now on.
  await nextLine(fromHost);
  const { configs, freshSeconds } = keys.offer();
  const message = { t: 'keys', configs: Buffer.from(configs).toString('base64'), freshSeconds };
  host.write(`${JSON.stringify(message)}\n`);
}

type Lines = AsyncIterator<string>;

function linesOf(input: Duplex): Lines {
  input.on('error', () => undefined);
  return createInterface({ input })[Symbol.asyncIterator]();
}

async function nextLine(lines: Lines): Promise<string> {
  const { value, done } = await lines.next();
  // The other end is gone, and everything here with it.
  if (done === true) return new Promise(() => process.exit(FAILED));
  return value;
}

async function relay(from: Lines, to: Duplex): Promise<void> {
  to.write(`${await nextLine(from)}\n`);
}
