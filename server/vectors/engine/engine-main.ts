import { Socket } from 'node:net';
import { systemClock } from '../../kernel/clock.ts';
import { toPlatformError } from '../../kernel/errors.ts';
import { engineErrors } from './engine-errors.ts';
import { bytesOf, encodeFrame, floatsOf, type Frame, readFrames } from './frames.ts';
import { createOpenDatabases, type OpenDatabases } from './open-databases.ts';
import type { EngineAnswer, EngineRequest, EngineSetup } from './protocol.ts';
import type { Answer } from './vector-database.ts';

/**
 * The engine process that `startEngine` starts: vector databases' files and their vectors in memory, for the server on
 * the socket alone. It has no environment, prints nothing and ends with its server.
 */
const control = new Socket({ fd: 3 });
let databases: OpenDatabases | undefined;

// A terminal's Ctrl-C is sent to all processes; the server still needs this one while it drains.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
control.on('error', () => {});
control.on('close', () => void (databases?.close() ?? Promise.resolve()).finally(() => process.exit(0)));

function send(header: EngineAnswer, vectors: readonly Float32Array[] = []): void {
  const frame = encodeFrame({ header, parts: vectors.map(bytesOf) });
  if (frame === undefined) return sendError(header.id, engineErrors.tooLarge());
  control.cork();
  for (const part of frame) control.write(part);
  control.uncork();
}

function sendError(id: number, thrown: unknown): void {
  const { kind, code, message, owner, retryAfterSeconds } = toPlatformError(thrown);
  const error = { kind, code, message, owner, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  send({ id, t: 'failed', error });
}

async function answer(open: OpenDatabases, { header, parts }: Frame<EngineRequest>): Promise<Answer> {
  if (header.t === 'forget') {
    await open.forget(header.database);
    return { result: null };
  }
  const [key = new Uint8Array(), ...vectors] = parts;
  return await open.answer(header, new Uint8Array(key), vectors.map(floatsOf));
}

readFrames<EngineSetup | EngineRequest>(control, ({ header, parts }) => {
  if (!('id' in header)) {
    databases = createOpenDatabases(header, systemClock);
    return;
  }
  if (databases === undefined) return;
  answer(databases, { header, parts }).then(
    ({ result, vectors }) => send({ id: header.id, t: 'result', result }, vectors),
    (thrown: unknown) => sendError(header.id, thrown),
  );
});
