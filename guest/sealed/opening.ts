import type { IncomingMessage } from 'node:http';
import {
  type Binding,
  type Bytes,
  MEDIA_TYPES,
  OpeningError,
  collect,
  encodeResponse,
  encodePaddedResponse,
  openRequest,
  openRequestStream,
  pad,
} from '../../clients/sdk/src/sealed/index.ts';
import type { FunctionAnswer } from './forward.ts';
import type { KeyRing, RingKey } from './key-ring.ts';
import { problem } from './problem.ts';
import { REFUSED, Refusal } from './refusal.ts';
import type { Share } from './room.ts';

/** A request that was authentic to its last byte and had not come before. */
export interface Opened {
  /** Binary HTTP, in pieces that are the caller's to consume. */
  readonly message: Bytes[];
  seal(answer: FunctionAnswer): Promise<SealedAnswer>;
}

export interface SealedAnswer {
  /** Whether the function answered below 400; known before its last byte. */
  readonly isOk: boolean;
  readonly bytes: AsyncIterable<Bytes>;
}

export interface OpeningOptions {
  readonly keys: KeyRing;
  readonly binding: Binding;
  /** Of a sealed request. */
  readonly bytesMax: number;
}

/**
 * Requests and answers that are sealed in one piece are held several times over; beyond this they have to come, and are
 * refused, in chunks.
 */
export const WHOLE_BYTES_MAX = 8 * 1_048_576;
const WHOLE_COPIES = 3;

/** Throws OpeningError for whatever does not open, and Refusal. */
export async function openSealed(
  req: IncomingMessage,
  share: Share,
  options: OpeningOptions,
): Promise<Opened> {
  const { keyId, body } = await withKeyId(req);
  const key = options.keys.find(keyId);
  if (key === undefined) throw new Refusal(REFUSED.keyUnknown);
  const isChunked = req.headers['content-type'] === MEDIA_TYPES.chunkedRequest;
  return isChunked
    ? openStream(key, counted(body, share, { bytesMax: options.bytesMax, copies: 1 }), options.binding)
    : openWhole(key, counted(body, share, WHOLE_LIMITS), options.binding);
}

const WHOLE_LIMITS = { bytesMax: WHOLE_BYTES_MAX, copies: WHOLE_COPIES };

async function openWhole(key: RingKey, body: AsyncIterable<Uint8Array>, binding: Binding): Promise<Opened> {
  const opened = await openRequest([key.pair], binding, await collect(body));
  admit(key, opened.enc);
  return {
    message: [opened.request],
    async seal(answer) {
      const content = await collectUpTo(answer.content, WHOLE_BYTES_MAX);
      if (content === undefined) return sealWhole(opened, ANSWER_TOO_LARGE);
      return sealWhole(opened, { ...answer, content });
    },
  };
}

const ANSWER_TOO_LARGE = problem({
  status: 502,
  errorId: 'calls.sealed_answer_too_large',
  errorMessage: `The function answered more than ${WHOLE_BYTES_MAX / 1_048_576} MiB. Call it with message/ohttp-chunked-req.`,
});

interface WholeAnswer extends Pick<FunctionAnswer, 'status' | 'headers'> {
  readonly content: Bytes;
}

async function sealWhole(
  opened: Awaited<ReturnType<typeof openRequest>>,
  answer: WholeAnswer,
): Promise<SealedAnswer> {
  const sealed = await opened.sealResponse(pad(encodeResponse(answer, answer.content)));
  return { isOk: answer.status < 400, bytes: once(sealed) };
}

/** Nothing of it is acted on before its end is verified, so it is held. */
async function openStream(key: RingKey, body: AsyncIterable<Uint8Array>, binding: Binding): Promise<Opened> {
  const opened = await openRequestStream([key.pair], binding, body);
  const message: Bytes[] = [];
  for await (const piece of opened.request) message.push(piece);
  admit(key, opened.enc);
  return {
    message,
    seal: async (answer) => ({
      isOk: answer.status < 400,
      bytes: opened.sealResponse(encodePaddedResponse(answer, answer.content)),
    }),
  };
}

function admit(key: RingKey, enc: Bytes): void {
  if (!key.admit(enc)) throw new OpeningError();
}

/** The first byte, which says for which key the body is, and the body with it. */
async function withKeyId(
  req: AsyncIterable<Uint8Array>,
): Promise<{ keyId: number; body: AsyncIterable<Uint8Array> }> {
  const chunks = req[Symbol.asyncIterator]();
  const { done, value: first } = await chunks.next();
  const keyId = done === true ? undefined : first[0];
  if (keyId === undefined) throw new OpeningError();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield first;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { keyId, body: body() };
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  share: Share,
  { bytesMax, copies }: { bytesMax: number; copies: number },
): AsyncGenerator<Uint8Array> {
  let left = bytesMax;
  for await (const chunk of body) {
    left -= chunk.length;
    if (left < 0) throw new Refusal(REFUSED.tooLarge);
    share.take(chunk.length * copies);
    yield chunk;
  }
}

async function collectUpTo(
  content: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Bytes | undefined> {
  const kept: Uint8Array[] = [];
  let left = bytesMax;
  for await (const piece of content) {
    left -= piece.length;
    if (left < 0) return undefined;
    kept.push(piece);
  }
  return new Uint8Array(Buffer.concat(kept));
}

async function* once(bytes: Bytes): AsyncGenerator<Bytes> {
  yield bytes;
}
