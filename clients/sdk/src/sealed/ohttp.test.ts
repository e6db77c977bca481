import { describe, expect, it } from 'vitest';
import { bindingOf } from './binding.ts';
import { type Bytes, collect, utf8 } from './bytes.ts';
import { MalformedError, OpeningError } from './errors.ts';
import { parseKeyConfigs } from './key-config.ts';
import {
  type KeyPair,
  generateKeyPair,
  openRequest,
  openRequestStream,
  sealRequest,
  sealRequestStream,
} from './ohttp.ts';
import { hex, importKeyPair, oneByOne, pieces, text, toHex } from './testing/rig.ts';

/** RFC 9458, appendix A. */
const WHOLE = {
  skR: '3c168975674b2fa8e465970b79c8dcf09f1c741626480bd4c6162fc5b6a98e1a',
  config: '01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003',
  skE: 'bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73',
  request: '00034745540568747470730b6578616d706c652e636f6d012f',
  sealedRequest:
    '010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b4726374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525',
  response: '0140c8',
  nonce: 'c789e7151fcba46158ca84b04464910d',
  sealedResponse: 'c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd',
};

/** draft-ietf-ohai-chunked-ohttp-08, appendix A. */
const CHUNKED = {
  skR: '1c190d72acdbe4dbc69e680503bb781a932c70a12c8f3754434c67d8640d8698',
  config: '010020668eb21aace159803974a4c67f08b4152d29bed10735fd08f98ccdd6fe09570800080001000100010003',
  skE: 'b26d565f3f875ed480d1abced3d665159650c99174fd0b124ac4bda0c64ae324',
  request: ['00034745540568747470730b', '6578616d706c652e636f6d012f'],
  sealedRequest:
    '010020000100018811eb457e100811c40a0aa71340a1b81d804bb986f736f2f566a7199761a0321c2ad24942d4d692563012f2980c8fef437a336b9b2fc938ef77a5834f1d2e33d8fd25577afe31bd1c79d094f76b6250ae6549b473ecd950501311001c6c1395d0ef7c1022297966307b8a7f',
  response: ['01', '40c8'],
  nonce: 'bcce7f4cb921309ba5d62edf1769ef09',
  sealedResponse:
    'bcce7f4cb921309ba5d62edf1769ef091179bf1cc87fa0e2c02de4546945aa3d1e4812b348b5bd4c594c16b6170b07b475845d1f3200ed9d8a796617a5b27265f4d73247f639',
};

async function published(vector: { readonly skR: string; readonly config: string }): Promise<KeyPair> {
  const length = (vector.config.length / 2).toString(16).padStart(4, '0');
  const [config] = parseKeyConfigs(hex(length + vector.config));
  const keys = await importKeyPair(vector.skR);
  expect(config).toMatchObject({ keyId: 1, publicKey: keys.publicKey });
  return { config: { ...config!, aeadIds: [1] }, keys };
}

describe('the published example of RFC 9458', () => {
  it('comes out when sealing, and its response opens', async () => {
    const { config } = await published(WHOLE);
    const sealed = await sealRequest(config, undefined, hex(WHOLE.request), await importKeyPair(WHOLE.skE));
    expect(toHex(sealed.body)).toBe(WHOLE.sealedRequest);
    expect(toHex(await sealed.openResponse(hex(WHOLE.sealedResponse)))).toBe(WHOLE.response);
  });

  it('opens, and its response comes out', async () => {
    const opened = await openRequest([await published(WHOLE)], undefined, hex(WHOLE.sealedRequest));
    expect(toHex(opened.request)).toBe(WHOLE.request);
    expect(toHex(await opened.sealResponse(hex(WHOLE.response), hex(WHOLE.nonce)))).toBe(
      WHOLE.sealedResponse,
    );
  });
});

describe('the published example of the chunked form', () => {
  it('comes out when sealing, and its response opens', async () => {
    const { config } = await published(CHUNKED);
    const request = pieces(...CHUNKED.request.map(hex));
    const sealed = await sealRequestStream(config, undefined, request, await importKeyPair(CHUNKED.skE));
    expect(toHex(await collect(sealed.body))).toBe(CHUNKED.sealedRequest);
    const response = await collect(sealed.openResponse(oneByOne(hex(CHUNKED.sealedResponse))));
    expect(toHex(response)).toBe(CHUNKED.response.join(''));
  });

  it('opens, and its response comes out', async () => {
    const body = oneByOne(hex(CHUNKED.sealedRequest));
    const opened = await openRequestStream([await published(CHUNKED)], undefined, body);
    expect(toHex(await collect(opened.request))).toBe(CHUNKED.request.join(''));
    const response = pieces(...CHUNKED.response.map(hex));
    expect(toHex(await collect(opened.sealResponse(response, hex(CHUNKED.nonce))))).toBe(
      CHUNKED.sealedResponse,
    );
  });
});

const binding = bindingOf('greeter-d4hq7r3c1ab2cd3ef4gh-2-s');
const refused = new OpeningError();

/** `bytes` with one bit changed in each place in turn. */
function* flipped(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) {
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
    yield copy;
  }
}

async function failureOf(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a whole message', () => {
  it('is refused with one error when any of its bits is another, either way', async () => {
    const pair = await generateKeyPair(7);
    const sealed = await sealRequest(pair.config, binding, utf8('secret'));
    for (const altered of flipped(sealed.body))
      expect(await failureOf(() => openRequest([pair], binding, altered))).toEqual(refused);
    const opened = await openRequest([pair], binding, sealed.body);
    const response = await opened.sealResponse(utf8('answer'));
    for (const altered of flipped(response))
      expect(await failureOf(() => sealed.openResponse(altered))).toEqual(refused);
    expect(text(await sealed.openResponse(response))).toBe('answer');
  });

  it('is refused when cut anywhere', async () => {
    const pair = await generateKeyPair(7);
    const sealed = await sealRequest(pair.config, binding, utf8('secret'));
    const { sealResponse } = await openRequest([pair], binding, sealed.body);
    const response = await sealResponse(utf8('answer'));
    for (let length = 0; length < sealed.body.length; length++)
      expect(await failureOf(() => openRequest([pair], binding, sealed.body.slice(0, length)))).toEqual(
        refused,
      );
    for (let length = 0; length < response.length; length++)
      expect(await failureOf(() => sealed.openResponse(response.slice(0, length)))).toEqual(refused);
  });

  it.each([
    ['another function', bindingOf('greetes-d4hq7r3c1ab2cd3ef4gh-2-s')],
    ['another version', bindingOf('greeter-d4hq7r3c1ab2cd3ef4gh-3-s')],
    ['none at all', undefined],
  ])('sealed for one function and version does not open for %s', async (_, other) => {
    const pair = await generateKeyPair(7);
    const whole = await sealRequest(pair.config, binding, utf8('secret'));
    expect(await failureOf(() => openRequest([pair], other, whole.body))).toEqual(refused);
    const stream = await sealRequestStream(pair.config, binding, pieces(utf8('secret')));
    const opened = await openRequestStream([pair], other, stream.body);
    expect(await failureOf(() => collect(opened.request))).toEqual(refused);
  });

  it('does not open with a key that has gone, under its id or under another', async () => {
    const [old, next, other] = await Promise.all([7, 7, 8].map(generateKeyPair));
    const { body } = await sealRequest(old!.config, binding, utf8('secret'));
    expect(await failureOf(() => openRequest([next!], binding, body))).toEqual(refused);
    expect(await failureOf(() => openRequest([other!], binding, body))).toEqual(refused);
    expect(await failureOf(() => openRequest([], binding, body))).toEqual(refused);
    expect(text((await openRequest([other!, old!], binding, body)).request)).toBe('secret');
  });

  it('answers the request that it belongs to and no other', async () => {
    const pair = await generateKeyPair(7);
    const [first, second] = await Promise.all(
      ['one', 'two'].map((name) => sealRequest(pair.config, binding, utf8(name))),
    );
    const response = await (await openRequest([pair], binding, first!.body)).sealResponse(utf8('for one'));
    expect(await failureOf(() => second!.openResponse(response))).toEqual(refused);
    expect(text(await first!.openResponse(response))).toBe('for one');
  });

  it('never looks the same twice, nor does its encapsulated key', async () => {
    const pair = await generateKeyPair(7);
    const bodies = await Promise.all(
      [1, 2].map(async () => (await sealRequest(pair.config, binding, utf8('secret'))).body),
    );
    const opened = await Promise.all(bodies.map((body) => openRequest([pair], binding, body)));
    expect(new Set(opened.map(({ enc }) => toHex(enc))).size).toBe(2);
  });

  it('is no stream, and a stream is no whole message', async () => {
    const pair = await generateKeyPair(7);
    const whole = await sealRequest(pair.config, binding, utf8('secret'));
    const asStream = await openRequestStream([pair], binding, pieces(whole.body));
    expect(await failureOf(() => collect(asStream.request))).toEqual(refused);
    const stream = await sealRequestStream(pair.config, binding, pieces(utf8('secret')));
    const body = await collect(stream.body);
    expect(await failureOf(() => openRequest([pair], binding, body))).toEqual(refused);
  });
});

/** A sealed stream taken apart: what comes before the chunks, then each chunk. */
async function takenApart(body: AsyncIterable<Uint8Array>): Promise<[Bytes, ...Bytes[]]> {
  const parts: Bytes[] = [];
  for await (const part of body) parts.push(new Uint8Array(part));
  return parts as [Bytes, ...Bytes[]];
}

const ALTERED: Record<string, (chunks: Bytes[]) => Bytes[]> = {
  'a chunk dropped': ([first, , ...rest]) => [first!, ...rest],
  'a chunk twice': ([first, ...rest]) => [first!, first!, ...rest],
  'chunks in another order': ([first, second, ...rest]) => [second!, first!, ...rest],
  'the final chunk missing': (chunks) => chunks.slice(0, -1),
  'the final chunk alone': (chunks) => chunks.slice(-1),
  'the final chunk twice': (chunks) => [...chunks, chunks.at(-1)!],
  'a byte after the end': (chunks) => [...chunks, Uint8Array.of(0)],
  'nothing at all': () => [],
};

describe('a stream', () => {
  const sent = () => pieces(utf8('one'), utf8('two'), utf8('three'));
  const open = async (pair: KeyPair, parts: readonly Uint8Array[]) =>
    collect((await openRequestStream([pair], binding, pieces(...parts))).request);

  it.each(Object.entries(ALTERED))('is refused with %s, either way', async (_, alter) => {
    const pair = await generateKeyPair(7);
    const sealed = await sealRequestStream(pair.config, binding, sent());
    const [head, ...chunks] = await takenApart(sealed.body);
    expect(await failureOf(() => open(pair, [head, ...alter(chunks)]))).toEqual(refused);
    const opened = await openRequestStream([pair], binding, pieces(head, ...chunks));
    expect(text(await collect(opened.request))).toBe('onetwothree');
    const [nonce, ...answered] = await takenApart(opened.sealResponse(sent()));
    expect(await failureOf(() => collect(sealed.openResponse(pieces(nonce, ...alter(answered)))))).toEqual(
      refused,
    );
    expect(text(await collect(sealed.openResponse(pieces(nonce, ...answered))))).toBe('onetwothree');
  });

  it('is refused when any of its bits is another, and when cut anywhere', async () => {
    const pair = await generateKeyPair(7);
    const sealed = await sealRequestStream(pair.config, binding, sent());
    const body = await collect(sealed.body);
    for (const altered of flipped(body))
      expect(await failureOf(() => open(pair, [altered]))).toEqual(refused);
    for (let length = 0; length < body.length; length++)
      expect(await failureOf(() => open(pair, [body.slice(0, length)]))).toEqual(refused);
    const opened = await openRequestStream([pair], binding, pieces(body));
    const response = await collect(opened.sealResponse(sent()));
    for (const altered of flipped(response))
      expect(await failureOf(() => collect(sealed.openResponse(pieces(altered))))).toEqual(refused);
    for (let length = 0; length < response.length; length++)
      expect(await failureOf(() => collect(sealed.openResponse(pieces(response.slice(0, length)))))).toEqual(
        refused,
      );
  });

  it('gives each piece as it comes, and its end only after the final chunk', async () => {
    const pair = await generateKeyPair(7);
    const sealed = await sealRequestStream(pair.config, binding, pieces());
    const { sealResponse } = await openRequestStream([pair], binding, sealed.body);
    const gate = Promise.withResolvers<void>();
    const answer = async function* () {
      yield utf8('first');
      await gate.promise;
      yield utf8('second');
    };
    const opened = sealed.openResponse(sealResponse(answer()));
    expect(text((await opened.next()).value as Bytes)).toBe('first');
    gate.resolve();
    expect(text((await opened.next()).value as Bytes)).toBe('second');
    expect((await opened.next()).done).toBe(true);
  });

  it('of any size comes through, in chunks of at most 16 KiB', async () => {
    const pair = await generateKeyPair(7);
    const large = crypto.getRandomValues(new Uint8Array(50_000));
    for (const parts of [[], [large], [large.subarray(0, 16_384), large.subarray(16_384)]]) {
      const sealed = await sealRequestStream(pair.config, binding, pieces(...parts));
      const [head, ...chunks] = await takenApart(sealed.body);
      for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(16_384 + 16 + 4);
      expect(await open(pair, [head, ...chunks])).toEqual(parts.length === 0 ? new Uint8Array(0) : large);
    }
  });

  it('that announces chunks over the limit, or empty ones, is refused before they are read', async () => {
    const pair = await generateKeyPair(7);
    const [head] = await takenApart((await sealRequestStream(pair.config, binding, pieces())).body);
    for (const length of ['10', '8000ffff', 'ffffffffffffffff'])
      expect(await failureOf(() => open(pair, [head, hex(length)]))).toEqual(refused);
  });

  it('that its reader leaves is told so', async () => {
    const pair = await generateKeyPair(7);
    let left = false;
    const endless = async function* () {
      try {
        for (;;) yield utf8('more');
      } finally {
        left = true;
      }
    };
    const sealed = await sealRequestStream(pair.config, binding, endless());
    const { request } = await openRequestStream([pair], binding, sealed.body);
    for await (const piece of request) if (piece.length > 0) break;
    expect(left).toBe(true);
  });
});

it.each([
  '',
  'greeter',
  'greeter-1-s',
  'greeter-d4hq7r3c1ab2cd3ef4gh-x-s',
  'greeter-d4hq7r3c1ab2cd3ef4gh-2-s/x',
])('nothing is sealed for what is no deployment: "%s"', (id) => {
  expect(() => bindingOf(id)).toThrow(MalformedError);
});
