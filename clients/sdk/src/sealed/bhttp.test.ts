import { describe, expect, it } from 'vitest';
import {
  type DecodedRequest,
  type DecodedResponse,
  type Field,
  FIELDS_BYTES_MAX,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeRequestStream,
  encodeResponse,
  encodeResponseStream,
  endToEnd,
} from './bhttp.ts';
import { type Bytes, collect, concat, utf8, varint } from './bytes.ts';
import { MalformedError } from './errors.ts';
import { pad } from './padding.ts';
import { hex, oneByOne, pieces, text, toHex } from './testing/rig.ts';

/** RFC 9292, section 5. */
const REQUEST = {
  method: 'GET',
  scheme: 'https',
  authority: '',
  path: '/hello.txt',
  headers: [
    ['user-agent', 'curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3'],
    ['host', 'www.example.com'],
    ['accept-language', 'en, mi'],
  ],
} as const;
const FIELD_LINES =
  '0a757365722d6167656e74346375726c2f372e31362e33206c69626375726c2f372e31362e33204f70656e53534c2f302e392e376c207a6c69622f312e322e3304686f73740f7777772e6578616d706c652e636f6d0f6163636570742d6c616e677561676506656e2c206d69';
const KNOWN = `0003474554056874747073000a2f68656c6c6f2e747874406c${FIELD_LINES}0000`;
const STREAMED = `0203474554056874747073000a2f68656c6c6f2e747874${FIELD_LINES}000000`;

const EARLY_HINTS =
  '034066 0772756e6e696e670a22736c656570203135220040 67046c696e6b233c2f7374796c652e6373733e3b2072656c3d7072656c6f61643b2061733d7374796c65046c696e6b243c2f7363726970742e6a733e3b2072656c3d7072656c6f61643b2061733d7363726970740040c80464617465 1d4d6f6e2c203237204a756c20323030392031323a32383a353320474d540673657276657206417061636865 0d6c6173742d6d6f6469666965641d5765642c203232204a756c20323030392031393a31353a353620474d540465746167142233346161 3338372d642d3135363865623030220d6163636570742d72616e6765730562797465730e636f6e74656e742d6c656e677468023531047661 72790f4163636570742d456e636f64696e670c636f6e74656e742d747970650a746578742f706c61696e003348656c6c6f20576f726c6421204d7920636f6e74656e7420696e636c75646573206120747261696c696e672043524c462e0d0a0000'.replaceAll(
    ' ',
    '',
  );

async function whole<T extends DecodedRequest | DecodedResponse>(
  decoding: Promise<T>,
): Promise<{ readonly head: T; readonly content: string; readonly trailers: readonly Field[] }> {
  const head = await decoding;
  const content = text(await collect(head.content));
  return { head, content, trailers: head.trailers };
}

describe('the published examples', () => {
  it('of a request come out in both forms', async () => {
    expect(toHex(encodeRequest(REQUEST))).toBe(KNOWN);
    expect(toHex(await collect(encodeRequestStream(REQUEST, pieces())))).toBe(STREAMED);
  });

  it.each([
    ['known length', KNOWN],
    ['without empty content and trailers', KNOWN.slice(0, -4)],
    ['indeterminate length', STREAMED],
    ['indeterminate length, with padding', STREAMED + '00'.repeat(10)],
    ['indeterminate length, without empty content and trailers', STREAMED.slice(0, -4)],
  ])('of a request are read: %s', async (_, message) => {
    const { head, content, trailers } = await whole(decodeRequest(oneByOne(hex(message))));
    expect(head).toMatchObject(REQUEST);
    expect([content, trailers]).toEqual(['', []]);
  });

  it('of a response are read, without what was informational', async () => {
    const { head, content } = await whole(decodeResponse(hex(EARLY_HINTS)));
    expect(head.status).toBe(200);
    expect(head.headers).toHaveLength(8);
    expect(head.headers.at(-1)).toEqual(['content-type', 'text/plain']);
    expect(content).toBe('Hello World! My content includes a trailing CRLF.\r\n');
  });

  it('of a response with a trailer come out and are read', async () => {
    const published =
      '0140c8001d5468697320636f6e74656e7420636f6e7461696e732043524c462e0d0a0d07747261696c65720474657874';
    const content = 'This content contains CRLF.\r\n';
    const encoded = encodeResponse({ status: 200, headers: [] }, utf8(content), [['Trailer', 'text']]);
    expect(toHex(encoded)).toBe(published);
    const read = await whole(decodeResponse(hex(published)));
    expect([read.content, read.trailers]).toEqual([content, [['trailer', 'text']]]);
  });
});

const HEAD = { method: 'POST', scheme: 'https', authority: '', path: '/a?b=%20' } as const;
const ODD: readonly Field[] = [
  ['X-Twice', '1'],
  ['x-twice', ''],
  ['x-latin', 'd\u00e9j\u00e0'],
];
const LOWER = ODD.map(([name, value]) => [name.toLowerCase(), value]);

describe('a message', () => {
  it.each([1, 7, 16_384])('comes back as it was, in pieces of %i bytes', async (size) => {
    const content = 'x'.repeat(20_000);
    const cut = async function* (bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const request = { ...HEAD, headers: ODD };
    const forms = [
      encodeRequest(request, utf8(content), ODD),
      await collect(encodeRequestStream(request, cut(utf8(content)), ODD)),
    ];
    for (const form of forms) {
      const read = await whole(decodeRequest(cut(pad(form))));
      expect(read.head).toMatchObject({ ...HEAD, headers: LOWER });
      expect([read.content, read.trailers]).toEqual([content, LOWER]);
    }
  });

  it('tells its head and each piece before the next has come', async () => {
    const gate = Promise.withResolvers<void>();
    const answer = async function* () {
      yield utf8('first');
      await gate.promise;
      yield utf8('second');
    };
    const { status, content } = await decodeResponse(
      encodeResponseStream({ status: 201, headers: [] }, answer()),
    );
    expect(status).toBe(201);
    expect(text((await content.next()).value as Bytes)).toBe('first');
    gate.resolve();
    expect(text(await collect(content))).toBe('second');
  });

  it('is malformed when cut anywhere but between its sections, where the rest may be left out', async () => {
    const request = { ...HEAD, headers: ODD };
    const trailers: readonly Field[] = [['x-end', '1']];
    const forms = [
      encodeRequest(request, utf8('content'), trailers),
      await collect(encodeRequestStream(request, pieces(utf8('content')), trailers)),
    ];
    for (const message of forms) {
      const readable: unknown[] = [];
      for (let length = 0; length < message.length; length++) {
        const read = await whole(decodeRequest(message.subarray(0, length))).catch((error: unknown) => error);
        if (!(read instanceof MalformedError)) readable.push(read);
      }
      expect(readable).toMatchObject([
        { head: { headers: [] }, content: '', trailers: [] },
        { head: { headers: LOWER }, content: '', trailers: [] },
        { head: { headers: LOWER }, content: 'content', trailers: [] },
      ]);
    }
  });
});

const line = (name: string, value: string) =>
  concat(varint(name.length), utf8(name), varint(value.length), utf8(value));
const control = (...parts: readonly string[]) =>
  concat(...parts.flatMap((part) => [varint(part.length), utf8(part)]));
const section = (...lines: readonly Bytes[]) => {
  const joined = concat(...lines);
  return concat(varint(joined.length), joined);
};
const GET = concat(varint(0), control('GET', 'https', '', '/'));

describe('what no HTTP message can hold is refused', () => {
  it.each<[string, Bytes]>([
    ['nothing', concat()],
    ['another framing', concat(varint(4), control('GET', 'https', '', '/'))],
    ['a response', encodeResponse({ status: 200, headers: [] })],
    ['a method with a space', concat(varint(0), control('GET /', 'https', '', '/'))],
    ['a path with a line end', concat(varint(0), control('GET', 'https', '', '/\r\nx: y'))],
    ['an authority with a space', concat(varint(0), control('GET', 'https', 'a b', '/'))],
    ['a method over the limit', concat(varint(0), varint(2 ** 40))],
    ['an empty name', concat(GET, section(line('', 'x')))],
    ['a pseudo-field', concat(GET, section(line(':path', 'x')))],
    ['an upper-case name', concat(GET, section(line('Host', 'x')))],
    ['a line end in a value', concat(GET, section(line('x', 'y\r\nz: 1')))],
    ['a value longer than its section', concat(GET, varint(3), varint(1), utf8('x'), varint(9))],
    ['fields over the limit', concat(GET, varint(FIELDS_BYTES_MAX + 1))],
    ['bytes after the end', concat(encodeRequest({ ...HEAD, headers: [] }), Uint8Array.of(0, 1))],
    ['a number over 2^53', concat(varint(0), hex('ffffffffffffffff'))],
  ])('%s', async (_, message) => {
    await expect(whole(decodeRequest(message))).rejects.toThrow(MalformedError);
  });

  it.each([99, 600])('status %i', async (status) => {
    await expect(decodeResponse(concat(varint(1), varint(status)))).rejects.toThrow(MalformedError);
  });

  it('endless informational responses and endless empty fields', async () => {
    const early = concat(varint(103), varint(0));
    const many = concat(varint(1), ...Array.from({ length: 100 }, () => early));
    await expect(decodeResponse(many)).rejects.toThrow('too many informational');
    const endless = async function* () {
      yield concat(varint(2), control('GET', 'https', '', '/'));
      for (;;) yield line('x', '');
    };
    await expect(decodeRequest(endless())).rejects.toThrow(MalformedError);
  });

  it.each<Field>([
    ['bad name', 'x'],
    ['x', 'a\nb'],
    ['x', '\u20ac'],
  ])('when sending too: %j', (name, value) => {
    expect(() => encodeRequest({ ...HEAD, headers: [[name, value]] })).toThrow(MalformedError);
  });
});

it('fields of one connection do not pass to the next', () => {
  const fields: readonly Field[] = [
    ['Connection', 'keep-alive, X-Private'],
    ['x-private', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['TE', 'trailers'],
    ['Content-Type', 'text/plain'],
  ];
  expect(endToEnd(fields)).toEqual([['content-type', 'text/plain']]);
});
