import { JellyFaaSError, failedAnswer } from './error.ts';
import { type DecodedResponse, decodeResponse, encodeRequest } from './sealed/bhttp.ts';
import { bindingOf } from './sealed/binding.ts';
import { type Bytes, EMPTY, chunksOf, collect, utf8 } from './sealed/bytes.ts';
import { MalformedError, OpeningError } from './sealed/errors.ts';
import type { KeyConfig } from './sealed/key-config.ts';
import { MEDIA_TYPES, type SealedRequestStream, sealRequestStream } from './sealed/ohttp.ts';
import { pad } from './sealed/padding.ts';
import { type CallAddress, unusableKeys } from './sealed-keys.ts';
import { type Request, type Session, platformError } from './session.ts';

/**
 * A function call that only the function's own sandbox can read, and so its answer: what resolves was opened here, as it
 * comes. Whatever the server says itself rejects, 2xx in the clear included. Sealed once more, to new keys, when the
 * server no longer has the key, which it finds before anything is processed.
 */
export async function sendSealedCall(session: Session, url: URL, request: Request): Promise<Response> {
  const address = addressOf(url);
  const message = await messageOf(url, address, request);
  const call = { session, address, message, signal: request.signal };
  const key = await session.sealedKeys.get(address, { signal: request.signal });
  const answer = await send(call, key);
  const refusal = await refusalOf(answer.response);
  if (refusal === undefined) return opened(answer, request.signal);
  const next = await session.sealedKeys.get(address, { signal: request.signal, refused: key });
  if (!isReplaced(key, next, refusal)) return opened(answer, request.signal);
  void answer.response.body?.cancel().catch(() => undefined);
  return opened(await send(call, next), request.signal);
}

async function messageOf(url: URL, address: CallAddress, request: Request): Promise<Bytes> {
  const { content, type } = await contentOf(request.body);
  const head = {
    method: request.method ?? 'GET',
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    path: address.path,
    headers: [...Object.entries(request.headers ?? {}), ...type],
  };
  try {
    return pad(encodeRequest(head, content));
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new JellyFaaSError('A header of the call cannot be sent.', { errorId: 'sdk.misuse', cause });
  }
}

interface SealedCall {
  readonly session: Session;
  readonly address: CallAddress;
  readonly message: Bytes;
  readonly signal: AbortSignal | undefined;
}

interface SealedAnswer {
  readonly response: Response;
  readonly open: SealedRequestStream['openResponse'];
}

/** Always the chunked form, whose answer has no bound and comes as the function gives it. */
async function send(
  { session, address, message, signal }: SealedCall,
  key: KeyConfig,
): Promise<SealedAnswer> {
  const sealed = await seal(key, address, message);
  const response = await session.sendWithToken(`${address.base}/${address.deploymentId}`, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPES.chunkedRequest },
    body: await collect(sealed.body),
    signal,
  });
  return { response, open: sealed.openResponse };
}

async function seal(key: KeyConfig, address: CallAddress, message: Bytes): Promise<SealedRequestStream> {
  try {
    return await sealRequestStream(key, bindingOf(address.deploymentId), chunksOf(message));
  } catch (cause) {
    if (cause instanceof OpeningError) throw unusableKeys();
    throw new JellyFaaSError(
      'This runtime cannot seal calls: it lacks X25519 in WebCrypto, which pages have over https alone.',
      { errorId: 'sdk.cannot_seal', cause },
    );
  }
}

/** A deployment id is the only such segment of a URL: `<base>/<shortname>-<xid>-<version>-<size>[/path][?query]`. */
function addressOf(url: URL): CallAddress {
  const [, before = '', deploymentId, rest = ''] =
    /^((?:\/[^/]*)*?)\/([a-z0-9_-]+-[0-9a-v]{20}-\d{1,9}-[a-z0-9]+)(\/.*)?$/i.exec(url.pathname) ?? [];
  if (deploymentId === undefined) {
    throw new JellyFaaSError(
      `There is no function at ${url.origin}${url.pathname} to which to seal a call.`,
      {
        errorId: 'sdk.not_a_function',
      },
    );
  }
  return { base: url.origin + before, deploymentId, path: (rest || '/') + url.search };
}

interface Content {
  readonly content: Uint8Array;
  /** The content type of a form, which names the boundary of its parts; of any other body its caller knows it. */
  readonly type: readonly (readonly [string, string])[];
}

async function contentOf(body: Request['body']): Promise<Content> {
  if (body === undefined) return { content: EMPTY, type: [] };
  if (typeof body === 'string') return { content: utf8(body), type: [] };
  if (body instanceof Uint8Array) return { content: body, type: [] };
  const encoded = new Response(body);
  const type = encoded.headers.get('content-type') ?? '';
  return {
    content: new Uint8Array(await encoded.arrayBuffer()),
    type: body instanceof FormData ? [['content-type', type]] : [],
  };
}

type Refusal = 'key_unknown' | 'not_opened';

async function refusalOf(response: Response): Promise<Refusal | undefined> {
  if ((await platformError(response, 422)) === 'calls.sealed_key_unknown') return 'key_unknown';
  return (await platformError(response, 400)) === 'calls.sealed_refused' ? 'not_opened' : undefined;
}

/**
 * Whether the server has lost `key`, so that what was sealed to it cannot have run where it was refused. A new key may have
 * the id of a lost one, whose requests then do not open. Any other refusal may be of a request that came twice and ran.
 */
function isReplaced(key: KeyConfig, next: KeyConfig, refusal: Refusal): boolean {
  const isAnother = next.publicKey.some((byte, at) => byte !== key.publicKey[at]);
  return isAnother && (refusal === 'key_unknown' || next.keyId === key.keyId);
}

async function opened({ response, open }: SealedAnswer, signal: AbortSignal | undefined): Promise<Response> {
  if (!response.ok) throw await failedAnswer(response);
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith(MEDIA_TYPES.chunkedResponse) || response.body === null) {
    void response.body?.cancel().catch(() => undefined);
    throw new JellyFaaSError('A sealed call was answered in the clear. The answer was not used.', {
      errorId: 'sdk.answer_not_sealed',
      status: response.status,
    });
  }
  try {
    return await asResponse(await decodeResponse(open(bytesFrom(response.body))));
  } catch (cause) {
    signal?.throwIfAborted();
    throw broken(cause);
  }
}

/** Statuses with which `Response` takes no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

async function asResponse({ status, headers, content }: DecodedResponse): Promise<Response> {
  const init = { status, headers: headers.map(([name, value]): [string, string] => [name, value]) };
  if (!WITHOUT_BODY.has(status)) return new Response(streamOf(content), init);
  await collect(content);
  return new Response(null, init);
}

function streamOf(content: DecodedResponse['content']): ReadableStream<Bytes> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await content.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        controller.error(broken(cause));
      }
    },
    cancel: () => content.return().then(() => undefined),
  });
}

/** `for await` over a web stream is not there in every browser. */
async function* bytesFrom(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function broken(cause: unknown): unknown {
  if (!(cause instanceof OpeningError || cause instanceof MalformedError)) return cause;
  return new JellyFaaSError('The sealed answer does not open: it was changed or cut on its way.', {
    errorId: 'sdk.answer_not_authentic',
    cause,
  });
}
