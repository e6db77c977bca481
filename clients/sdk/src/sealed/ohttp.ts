import { NONCE_BYTES, Sequence, TAG_BYTES } from './aead.ts';
import { type Binding, encodeBinding } from './binding.ts';
import { ByteReader } from './byte-reader.ts';
import { type Bytes, chunksOf, concat, toUint, uint, utf8 } from './bytes.ts';
import { openChunks, sealChunks } from './chunks.ts';
import { OpeningError } from './errors.ts';
import { expand, extract } from './hkdf.ts';
import {
  type HpkeContext,
  type HpkeKeyPair,
  KDF_ID,
  KEM_ID,
  PUBLIC_KEY_BYTES,
  AES_256_GCM,
  generateHpkeKeyPair,
  keyBytes,
  setUpReceiver,
  setUpSender,
} from './hpke.ts';
import { type KeyConfig, bestAead } from './key-config.ts';

/** Oblivious HTTP (RFC 9458), whole messages, and its chunked form (draft-ietf-ohai-chunked-ohttp-08) for streams. */
export const MEDIA_TYPES = {
  request: 'message/ohttp-req',
  response: 'message/ohttp-res',
  chunkedRequest: 'message/ohttp-chunked-req',
  chunkedResponse: 'message/ohttp-chunked-res',
} as const;

interface Form {
  readonly request: string;
  readonly response: string;
}

const WHOLE: Form = { request: 'message/bhttp request', response: 'message/bhttp response' };
const CHUNKED: Form = {
  request: 'message/bhttp chunked request',
  response: 'message/bhttp chunked response',
};

export interface KeyPair {
  readonly config: KeyConfig;
  readonly keys: HpkeKeyPair;
}

/** `keyId` is 0 to 255. The private half cannot be taken out of the runtime again. */
export async function generateKeyPair(keyId: number): Promise<KeyPair> {
  const keys = await generateHpkeKeyPair();
  return { config: { keyId, publicKey: keys.publicKey, aeadIds: [AES_256_GCM] }, keys };
}

export interface SealedRequest {
  readonly body: Bytes;
  /** The response to this very request. Throws OpeningError. */
  readonly openResponse: (body: Uint8Array) => Promise<Bytes>;
}

export interface SealedRequestStream {
  /** Can be read once. */
  readonly body: AsyncIterable<Bytes>;
  /** Whole only when it ends without OpeningError. */
  readonly openResponse: (body: AsyncIterable<Uint8Array>) => AsyncGenerator<Bytes, void>;
}

/** `binding` undefined is RFC 9458 as it stands. `ephemeral` is for published vectors alone. */
export async function sealRequest(
  config: KeyConfig,
  binding: Binding | undefined,
  request: Uint8Array,
  ephemeral?: HpkeKeyPair,
): Promise<SealedRequest> {
  const { header, exchange } = await encapsulate(config, { form: WHOLE, binding, ephemeral });
  const { context } = exchange;
  const body = concat(header, context.enc, await context.messages.seal(new Uint8Array(request)));
  return {
    body,
    openResponse: async (response) => {
      const reader = new ByteReader(chunksOf(response), () => new OpeningError());
      const sequence = await responseSequence(exchange, await reader.take(responseNonceBytes(exchange)));
      return sequence.open(await reader.takeRest(response.length));
    },
  };
}

/** As `sealRequest`, of a request that is sealed piece by piece as it comes. */
export async function sealRequestStream(
  config: KeyConfig,
  binding: Binding | undefined,
  request: AsyncIterable<Uint8Array>,
  ephemeral?: HpkeKeyPair,
): Promise<SealedRequestStream> {
  const { header, exchange } = await encapsulate(config, { form: CHUNKED, binding, ephemeral });
  const { context } = exchange;
  return {
    body: after(concat(header, context.enc), sealChunks(context.messages, request)),
    openResponse: async function* open(response) {
      const reader = new ByteReader(response, () => new OpeningError());
      const sequence = await responseSequence(exchange, await reader.take(responseNonceBytes(exchange)));
      yield* openChunks(sequence, reader);
    },
  };
}

export interface OpenedRequest {
  /** 32 bytes that no two requests share: who keeps them while the key lives can refuse a repeated one. */
  readonly enc: Bytes;
  readonly request: Bytes;
  /** `nonce` is for published vectors alone. */
  readonly sealResponse: (response: Uint8Array, nonce?: Bytes) => Promise<Bytes>;
}

export interface OpenedRequestStream {
  readonly enc: Bytes;
  /** Whole only when it ends without OpeningError; act on nothing of it before that. */
  readonly request: AsyncGenerator<Bytes, void>;
  /** Can begin before the request has ended. `nonce` is for published vectors alone. */
  readonly sealResponse: (response: AsyncIterable<Uint8Array>, nonce?: Bytes) => AsyncGenerator<Bytes, void>;
}

/**
 * Opens with the pair whose id the request names. Throws OpeningError for whatever does not open, a key that is not
 * among `pairs` included. The first byte of a body is the id: answer one that is not here by 422 and a problem of type
 * `…#ohttp-key`, for clients to get new keys and try once more, and all the rest alike.
 */
export async function openRequest(
  pairs: readonly KeyPair[],
  binding: Binding | undefined,
  body: Uint8Array,
): Promise<OpenedRequest> {
  const reader = new ByteReader(chunksOf(body), () => new OpeningError());
  const exchange = await decapsulate(pairs, reader, { form: WHOLE, binding });
  const { context } = exchange;
  const sealed = await reader.takeRest(body.length);
  if (sealed.length < TAG_BYTES) throw new OpeningError();
  return {
    enc: context.enc,
    request: await context.messages.open(sealed),
    sealResponse: async (response, nonce = randomNonce(exchange)) => {
      const sequence = await responseSequence(exchange, nonce);
      return concat(nonce, await sequence.seal(new Uint8Array(response)));
    },
  };
}

/** As `openRequest`, as it comes: resolves when the key is known to be there, before anything is authenticated. */
export async function openRequestStream(
  pairs: readonly KeyPair[],
  binding: Binding | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<OpenedRequestStream> {
  const reader = new ByteReader(body, () => new OpeningError());
  const exchange = await decapsulate(pairs, reader, { form: CHUNKED, binding });
  const { context } = exchange;
  return {
    enc: context.enc,
    request: openChunks(context.messages, reader),
    sealResponse: async function* seal(response, nonce = randomNonce(exchange)) {
      yield* after(nonce, sealChunks(await responseSequence(exchange, nonce), response));
    },
  };
}

const HEADER_BYTES = 7;

interface Exchange {
  readonly context: HpkeContext;
  readonly aeadId: number;
  readonly form: Form;
}

interface Terms {
  readonly form: Form;
  readonly binding: Binding | undefined;
  readonly ephemeral?: HpkeKeyPair | undefined;
}

async function encapsulate(
  config: KeyConfig,
  { form, binding, ephemeral }: Terms,
): Promise<{ header: Bytes; exchange: Exchange }> {
  const aeadId = bestAead(config);
  const header = concat(uint(config.keyId, 1), uint(KEM_ID, 2), uint(KDF_ID, 2), uint(aeadId, 2));
  const setup = { aeadId, info: infoOf(header, form, binding) };
  return {
    header,
    exchange: { context: await setUpSender(config.publicKey, setup, ephemeral), aeadId, form },
  };
}

async function decapsulate(
  pairs: readonly KeyPair[],
  reader: ByteReader,
  { form, binding }: Terms,
): Promise<Exchange> {
  const header = await reader.take(HEADER_BYTES);
  const enc = await reader.take(PUBLIC_KEY_BYTES);
  const aeadId = toUint(header.subarray(5));
  const pair = pairs.find(({ config }) => config.keyId === header[0]);
  const isOurs = toUint(header.subarray(1, 3)) === KEM_ID && toUint(header.subarray(3, 5)) === KDF_ID;
  if (pair === undefined || !isOurs || !pair.config.aeadIds.includes(aeadId)) throw new OpeningError();
  const setup = { aeadId, info: infoOf(header, form, binding) };
  return { context: await setUpReceiver(pair.keys, enc, setup), aeadId, form };
}

function infoOf(header: Bytes, form: Form, binding: Binding | undefined): Bytes {
  return concat(utf8(form.request), Uint8Array.of(0), header, encodeBinding(binding));
}

function responseNonceBytes({ aeadId }: Exchange): number {
  return Math.max(NONCE_BYTES, keyBytes(aeadId));
}

function randomNonce(exchange: Exchange): Bytes {
  return crypto.getRandomValues(new Uint8Array(responseNonceBytes(exchange)));
}

async function responseSequence({ context, aeadId, form }: Exchange, nonce: Bytes): Promise<Sequence> {
  const secret = await context.export(utf8(form.response), nonce.length);
  const prk = await extract(concat(context.enc, nonce), secret);
  const [key, firstNonce] = await Promise.all([
    expand(prk, utf8('key'), keyBytes(aeadId)),
    expand(prk, utf8('nonce'), NONCE_BYTES),
  ]);
  return Sequence.create(key, firstNonce);
}

async function* after(first: Bytes, rest: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void> {
  yield first;
  yield* rest;
}
