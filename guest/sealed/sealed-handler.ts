import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  type Bytes,
  type DecodedRequest,
  MalformedError,
  decodeRequest,
} from '../../clients/sdk/src/sealed/index.ts';
import type { Forward, FunctionAnswer, Passing } from './forward.ts';
import { type OpeningOptions, type SealedAnswer, openSealed } from './opening.ts';
import { problem } from './problem.ts';
import { REFUSED, Refusal } from './refusal.ts';
import { type Room, type Share, createRoom } from './room.ts';

export interface SealedHandlerOptions extends OpeningOptions {
  /** For what requests hold until their function has them. */
  readonly roomBytes: number;
  readonly forward: Forward;
}

/**
 * Opens sealed requests, has the function answer them and seals the answer. To the gateway every answer of a function is
 * a 200 of sealed bytes with the trailer `ok: 1` if it was below 400; what was not opened is a bare status.
 */
export function createSealedHandler(options: SealedHandlerOptions): RequestListener {
  const room = createRoom(options.roomBytes);
  return (req, res) => void respond(req, res, { ...options, room });
}

interface Context extends SealedHandlerOptions {
  readonly room: Room;
}

async function respond(req: IncomingMessage, res: ServerResponse, context: Context): Promise<void> {
  const share = context.room.open();
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  try {
    await send(res, await answerTo(req, share, { ...context, signal: gone.signal }), gone.signal);
  } catch (error) {
    if (res.headersSent || error instanceof Broken) res.destroy();
    else res.writeHead(error instanceof Refusal ? error.status : REFUSED.unopened).end();
  } finally {
    share.close();
  }
}

/** The function broke off, or does not answer at all: the gateway finds out why. */
class Broken extends Error {}

const BAD_REQUEST = problem({
  status: 400,
  errorId: 'calls.bad_request',
  errorMessage: 'The request in the sealed call is not a valid call of a function.',
});

async function answerTo(
  req: IncomingMessage,
  share: Share,
  context: Context & { readonly signal: AbortSignal },
): Promise<SealedAnswer> {
  const opened = await openSealed(req, share, context);
  try {
    const answer = await passOn(opened.message, { ...context, pass: req.headers['jfwt'] });
    share.close();
    return await opened.seal(answer);
  } catch {
    throw new Broken();
  }
}

async function passOn(
  message: Bytes[],
  { forward, signal, pass }: Pick<Context, 'forward'> & Passing,
): Promise<FunctionAnswer> {
  try {
    const request = await decodeRequest(consumed(message));
    return await forward(request, await contentOf(request), { signal, pass });
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof RangeError)) throw error;
    return { ...BAD_REQUEST, content: consumed([BAD_REQUEST.content]) };
  }
}

async function contentOf({ content }: DecodedRequest): Promise<Bytes[]> {
  const pieces: Bytes[] = [];
  for await (const piece of content) pieces.push(piece);
  return pieces;
}

/** Lets go of each piece when the next is asked for, so that a large message is held once. */
async function* consumed(pieces: Bytes[]): AsyncGenerator<Bytes> {
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) yield piece;
}

async function send(res: ServerResponse, { isOk, bytes }: SealedAnswer, signal: AbortSignal): Promise<void> {
  res.writeHead(200, { trailer: 'ok' });
  for await (const piece of bytes) if (!res.write(piece)) await once(res, 'drain', { signal });
  if (isOk) res.addTrailers({ ok: '1' });
  res.end();
}
