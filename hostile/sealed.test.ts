import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type SealedCaller, createSealedCaller } from '../acceptance/sealed-caller.ts';
import {
  type Bytes,
  type KeyConfig,
  MEDIA_TYPES,
  type RequestHead,
  bindingOf,
  encodeRequest,
  encodeRequestStream,
  generateKeyPair,
  sealRequest,
  sealRequestStream,
} from '../clients/sdk/src/sealed/index.ts';
import { type Deployed, createClient, fixtureFiles, rawExchange } from '../testkit/index.ts';
import { type Neighbour, moveIn } from './neighbour.ts';

/** Sealed calls that no honest client sends, as bytes on a socket. What does not open must not tell why. */
const { url, apiKey } = inject('platform');
const owner = createClient(url, apiKey);
let target: Deployed;
let sealed: SealedCaller;
let config: KeyConfig;
let neighbour: Neighbour;
let token: string;

beforeAll(async () => {
  target = await owner.deploy('sealtarget', fixtureFiles('probe', { shortname: 'sealtarget' }));
  sealed = createSealedCaller(owner, target);
  config = await sealed.config();
  neighbour = await moveIn(owner);
  token = await owner.token();
});

afterEach(() => neighbour.answers());

const HEADER_BYTES = 7;
const ENC_BYTES = 32;
const TAG_BYTES = 16;
const EMPTY = new Uint8Array(0);
const COUNT: RequestHead = {
  method: 'POST',
  scheme: 'https',
  authority: '',
  path: '/?do=count',
  headers: [],
};
const REFUSED = /^HTTP\/1\.1 400 .*"code":"calls\.sealed_refused"/s;

/** The whole answer to these bytes, head and body, but for its date. */
async function send(body: Uint8Array, type: string = MEDIA_TYPES.request, framing?: string): Promise<string> {
  const head = [
    `POST /${target.deploymentId} HTTP/1.1`,
    'host: a',
    `jfwt: ${token}`,
    `content-type: ${type}`,
    framing ?? `content-length: ${body.length}`,
    'connection: close',
  ].join('\r\n');
  const answer = await rawExchange(url, Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]), 30_000);
  return answer.replace(/^date: .*\r\n/im, '');
}

/** Expects one and the same refusal for all, the same as for no body at all. */
async function expectAllRefused(bodies: readonly Uint8Array[], type?: string): Promise<void> {
  const answers = new Set([await send(EMPTY)]);
  const width = 16;
  for (let at = 0; at < bodies.length; at += width) {
    const batch = await Promise.all(bodies.slice(at, at + width).map((body) => send(body, type)));
    for (const answer of batch) answers.add(answer);
  }
  expect([...answers]).toEqual([expect.stringMatching(REFUSED)]);
}

/** How often the function has run; asking counts once. */
async function count(): Promise<number> {
  const { inner } = await sealed.call({ path: '/?do=count' });
  return (JSON.parse(inner?.text ?? '') as { calls: number }).calls;
}

async function sealedCount(to = config): Promise<Bytes> {
  return (await sealed.seal({ path: '/?do=count' }, to)).body;
}

function flipped(body: Uint8Array, at: number): Bytes {
  const copy = Uint8Array.from(body);
  copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
  return copy;
}

function overwritten(body: Uint8Array, at: number, bytes: Uint8Array): Bytes {
  const copy = Uint8Array.from(body);
  copy.set(bytes, at);
  return copy;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('a changed bit', () => {
  it('anywhere behind the key id is refused as everything else is, and the request opens nevertheless', async () => {
    const body = await sealedCount();
    const before = await count();
    await expectAllRefused(range(1, body.length).map((at) => flipped(body, at)));
    expect(await count()).toBe(before + 1);
    expect(await send(body)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await count()).toBe(before + 3);
  });

  it('of the key id names a key that is not there, whichever it is', async () => {
    const body = await sealedCount();
    const answers = new Set<string>();
    for (const bit of range(0, 8))
      answers.add(await send(overwritten(body, 0, Uint8Array.of(config.keyId ^ (1 << bit)))));
    expect([...answers]).toEqual([expect.stringMatching(/^HTTP\/1\.1 422 .*#ohttp-key/s)]);
  });
});

describe('a request that was never sealed', () => {
  it('to this key is refused: cut, too short, empty, or with another suite', async () => {
    const body = await sealedCount();
    const suites = [
      [0, 0x10, 0, 1, 0, 2],
      [0, 0x20, 0, 3, 0, 2],
      [0, 0x20, 0, 1, 0, 1],
      [0, 0x20, 0, 1, 0xff, 0xff],
    ];
    await expectAllRefused([
      ...range(1, body.length).map((end) => body.slice(0, end)),
      ...suites.map((suite) => overwritten(body, 1, Uint8Array.from(suite))),
      Buffer.concat([body, Buffer.alloc(1)]),
      Buffer.concat([body, body]),
    ]);
  });

  it('but has a point of small order for a key is refused', async () => {
    const body = await sealedCount();
    const points = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
    ];
    await expectAllRefused(points.map((point) => overwritten(body, HEADER_BYTES, Buffer.from(point, 'hex'))));
  });

  it('but put together out of two is refused', async () => {
    const [one, two] = [await sealedCount(), await sealedCount()];
    const cuts = [HEADER_BYTES + 16, HEADER_BYTES + ENC_BYTES, one.length - TAG_BYTES];
    await expectAllRefused(cuts.map((cut) => Buffer.concat([one.subarray(0, cut), two.subarray(cut)])));
  });

  it('to a key of the installation is refused', async () => {
    const { config: invented } = await generateKeyPair(config.keyId);
    const other = await createSealedCaller(neighbour.client, neighbour.deployment).config();
    const foreign = await sealedCount({ ...other, keyId: config.keyId });
    const unbound = await sealRequest(config, undefined, encodeRequest(COUNT));
    const neighbours = bindingOf(neighbour.deployment.deploymentId);
    const bound = await sealRequest(config, neighbours, encodeRequest(COUNT));
    const before = await count();
    await expectAllRefused([await sealedCount(invented), foreign, unbound.body, bound.body]);
    expect(await count()).toBe(before + 1);
  });
});

describe('a sealed call sent again', () => {
  it('twenty times at once runs once', async () => {
    const body = await sealedCount();
    const before = await count();
    const answers = await Promise.all(range(0, 20).map(() => send(body)));
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200 ')).length).toBe(1);
    expect(await count()).toBe(before + 2);
    await expectAllRefused([body]);
  });

  it('in the other form is refused', async () => {
    const body = await sealedCount();
    await expectAllRefused([body], MEDIA_TYPES.chunkedRequest);
    await expectAllRefused([Buffer.concat(await sealedChunks())]);
  });
});

/** A sealed stream: the header, then each chunk, then the last one. */
async function sealedChunks(): Promise<Bytes[]> {
  async function* content() {
    for (const piece of ['one', 'two', 'three']) yield Buffer.from(piece);
  }
  const message = encodeRequestStream(COUNT, content());
  const { body } = await sealRequestStream(config, bindingOf(target.deploymentId), message);
  const chunks: Bytes[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks;
}

describe('a sealed stream', () => {
  it('with chunks left out, doubled, in another order or added is refused', async () => {
    const [start = EMPTY, ...chunks] = await sealedChunks();
    expect(chunks.length).toBeGreaterThan(4);
    const variants = chunks.flatMap((chunk, at) => [
      chunks.toSpliced(at, 1),
      chunks.toSpliced(at, 0, chunk),
      chunks.toSpliced(at, 1, Buffer.from(flipped(chunk, chunk.length - 1))),
      ...(at === 0 ? [] : [chunks.toSpliced(at - 1, 2, chunk, chunks[at - 1] ?? chunk)]),
    ]);
    const before = await count();
    await expectAllRefused(
      [...variants, [], chunks.toReversed()].map((parts) => Buffer.concat([start, ...parts])),
      MEDIA_TYPES.chunkedRequest,
    );
    expect(await count()).toBe(before + 1);
    expect(await send(Buffer.concat([start, ...chunks]), MEDIA_TYPES.chunkedRequest)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it('that announces chunks of any size is refused', async () => {
    const [start = EMPTY] = await sealedChunks();
    const lengths = [
      '00',
      '10',
      '4001',
      '7fff',
      '80004011',
      'bfffffff',
      'c000000000000000',
      'ffffffffffffffff',
    ];
    await expectAllRefused(
      lengths.map((length) => Buffer.concat([start, Buffer.from(length, 'hex'), Buffer.alloc(64)])),
      MEDIA_TYPES.chunkedRequest,
    );
  });
});

describe('too much', () => {
  it('announced is refused before it is sent', async () => {
    const answer = await send(EMPTY, MEDIA_TYPES.request, 'content-length: 99999999999');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that never was sealed, and does not say how long it is, ends', async () => {
    const [start = EMPTY] = await sealedChunks();
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x10_0000), Buffer.from('\r\n')]);
    const first = Buffer.concat([
      Buffer.from(`${start.length.toString(16)}\r\n`),
      start,
      Buffer.from('\r\n'),
    ]);
    const body = Buffer.concat([first, ...range(0, 12).map(() => piece), Buffer.from('0\r\n\r\n')]);
    for (const type of [MEDIA_TYPES.request, MEDIA_TYPES.chunkedRequest])
      expect(await send(body, type, 'transfer-encoding: chunked')).toMatch(/^(HTTP\/1\.1 4(00|13) |$)/);
  });
});

describe('a sealed call under another media type', () => {
  it('is a plain one: nobody opens it', async () => {
    const { body } = await sealed.seal({ path: '/?do=status&code=200&text=opened' }, config);
    for (const type of [
      'application/octet-stream',
      MEDIA_TYPES.response,
      'message/ohttp-req2',
      'message/bhttp',
    ]) {
      const answer = await send(body, type);
      expect(answer).toMatch(/^HTTP\/1\.1 200 .*"method":"POST"/s);
      expect(answer).not.toContain('opened');
    }
    expect(await send(body)).toMatch(/^HTTP\/1\.1 200 .*content-type: message\/ohttp-res/is);
  });
});

describe('inside a good seal', () => {
  const message = (parts: Partial<RequestHead>): Bytes => encodeRequest({ ...COUNT, ...parts });
  /** Messages cannot be written with what is not allowed in them, so it is put in afterwards. */
  const breaking = (bytes: Bytes, by: string): Bytes =>
    bytes.map((byte) => (byte === 0x7e ? by.charCodeAt(0) : byte));
  const messages: Record<string, () => Bytes> = {
    'nothing at all': () => EMPTY,
    'an answer instead of a request': () => Uint8Array.of(1, 0x40, 200),
    'a line break in the path': () => breaking(message({ path: '/?do=count~x:' }), '\n'),
    'a blank in the path': () => breaking(message({ path: '/?do=count~HTTP/1.1' }), ' '),
    'a line break in the method': () => breaking(message({ method: 'POST~' }), '\r'),
    'a line break in a value': () => breaking(message({ headers: [['x-a', '1~x-b: 2']] }), '\n'),
    'a NUL in a value': () => breaking(message({ headers: [['x-a', '~']] }), '\0'),
    'a colon in a name': () => breaking(message({ headers: [['x-a~', '1']] }), ':'),
    'a whole address for a path': () => message({ path: 'http://169.254.169.254/' }),
    'an unknown method': () => message({ method: 'FROB' }),
    'two hosts': () =>
      message({
        headers: [
          ['host', 'a'],
          ['host', 'b'],
        ],
      }),
    'padding that says something': () => Buffer.concat([message({}), Buffer.from([0, 0, 1])]),
  };
  for (const [name, make] of Object.entries(messages)) {
    it(`${name} is answered there, and runs nothing`, async () => {
      const before = await count();
      const { body, openResponse } = await sealRequest(config, bindingOf(target.deploymentId), make());
      const outer = await sealed.post(body);
      expect(outer.status).toBe(200);
      const opened = Buffer.from(await openResponse(await outer.bytes())).toString('latin1');
      expect(opened).toContain('"errorId":"calls.bad_request"');
      expect(await count()).toBe(before + 1);
    });
  }

  it('framing of its own and headers of a hop reach nobody', async () => {
    const { inner } = await sealed.call({
      path: '/?do=echo',
      content: 'five!',
      headers: [
        ['content-type', 'text/plain'],
        ['transfer-encoding', 'chunked'],
        ['content-length', '1'],
        ['content-length', '900'],
        ['connection', 'x-secret'],
        ['x-secret', '1'],
        ['x-jf-apikey', 'a key'],
      ],
    });
    const seen = JSON.parse(inner?.text ?? '') as { body: string; headers: Record<string, string> };
    expect([seen.body, seen.headers['content-length']]).toEqual([
      Buffer.from('five!').toString('base64'),
      '5',
    ]);
    for (const gone of ['transfer-encoding', 'x-secret', 'x-jf-apikey'])
      expect(seen.headers[gone]).toBeUndefined();
  });
});
