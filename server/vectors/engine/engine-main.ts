import { Socket } from 'node:net';
import { systemClock } from '../../kernel/clock.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, encodeFrame, floatsOf, type Frame, readFrames } from './frames.ts';
import { createOpenDatabases, type OpenDatabases } from './open-databases.ts';
import type { EngineAnswer, EngineRequest, EngineSetup } from './protocol.ts';
import { createSealing, shownError } from './sealing.ts';

/**
 * The engine process that `startEngine` starts: vector databases' files and their vectors in memory, for the server on
 * the socket alone. It has no environment, prints nothing and ends with its server.
 */
const control = new Socket({ fd: 3 });
let databases: OpenDatabases | undefined;
const sealing = createSealing();

// A terminal's Ctrl-C is sent to all processes; the server still needs this one while it drains.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
control.on('error', () => {});
control.on('close', () => void (databases?.close() ?? Promise.resolve()).finally(() => process.exit(0)));

function send(header: EngineAnswer, parts: readonly Uint8Array[] = []): void {
  const frame = encodeFrame({ header, parts });
  if (frame === undefined) return sendError(header.id, engineErrors.tooLarge());
  control.cork();
  for (const part of frame) control.write(part);
  control.uncork();
}

function sendError(id: number, thrown: unknown): void {
  send({ id, t: 'failed', error: shownError(thrown) });
}

interface Answered {
  readonly result: unknown;
  readonly parts?: readonly Uint8Array[];
}

async function answer(open: OpenDatabases, { header, parts }: Frame<EngineRequest>): Promise<Answered> {
  if (header.t === 'forget') {
    await open.forget(header.database);
    return { result: null };
  }
  if (header.t === 'key') return { result: null, parts: [await sealing.configs()] };
  const [key = new Uint8Array(), ...rest] = parts;
  const own = new Uint8Array(key);
  if (header.t === 'sealed') {
    const [body = new Uint8Array()] = rest;
    const sealed = await sealing.answer(body, header.database, (asked, vectors) =>
      open.answer({ ...header, ...asked, t: 'request' }, own, vectors),
    );
    return { result: null, parts: [sealed] };
  }
  const { result, vectors = [] } = await open.answer(header, own, rest.map(floatsOf));
  return { result, parts: vectors.map(bytesOf) };
}

readFrames<EngineSetup | EngineRequest>(control, ({ header, parts }) => {
  if (!('id' in header)) {
    databases = createOpenDatabases(header, systemClock);
    return;
  }
  if (databases === undefined) return;
  answer(databases, { header, parts }).then(
    ({ result, parts: given }) => send({ id: header.id, t: 'result', result }, given),
    (thrown: unknown) => sendError(header.id, thrown),
  );
});
