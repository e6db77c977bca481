import { ByteReader } from './byte-reader.ts';
import { type Bytes, chunksOf, concat, utf8, varint } from './bytes.ts';
import { MalformedError } from './errors.ts';

/** Binary HTTP (RFC 9292): whole messages in known-length, streams in indeterminate-length form; both are read. */

/** Name and value; names are lower case on the wire, values one byte a character, as in `Headers`. */
export type Field = readonly [name: string, value: string];

export interface RequestHead {
  readonly method: string;
  /** `https`, or empty where the receiver knows. */
  readonly scheme: string;
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly Field[];
}

export interface ResponseHead {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: readonly Field[];
}

export interface Content {
  /** Throws MalformedError if the message is; it is whole when this ends. */
  readonly content: AsyncGenerator<Bytes, void>;
  /** Filled when the content has ended. */
  readonly trailers: readonly Field[];
}

export type DecodedRequest = RequestHead & Content;
export type DecodedResponse = ResponseHead & Content;

/** Control data and headers of a message, and its trailers, at most. */
export const FIELDS_BYTES_MAX = 64 * 1024;
const INFORMATIONAL_MAX = 16;

const KNOWN_REQUEST = 0;
const KNOWN_RESPONSE = 1;
const STREAMED_REQUEST = 2;
const STREAMED_RESPONSE = 3;

export function encodeRequest(
  head: RequestHead,
  content: Uint8Array = new Uint8Array(0),
  trailers: readonly Field[] = [],
): Bytes {
  return concat(varint(KNOWN_REQUEST), requestControl(head), knownRest(head, content, trailers));
}

export function encodeResponse(
  head: ResponseHead,
  content: Uint8Array = new Uint8Array(0),
  trailers: readonly Field[] = [],
): Bytes {
  return concat(varint(KNOWN_RESPONSE), varint(head.status), knownRest(head, content, trailers));
}

export function encodeRequestStream(
  head: RequestHead,
  content: AsyncIterable<Uint8Array>,
  trailers: readonly Field[] = [],
): AsyncGenerator<Bytes, void> {
  return streamed(concat(varint(STREAMED_REQUEST), requestControl(head), fieldLines(head.headers)), {
    content,
    trailers,
  });
}

export function encodeResponseStream(
  head: ResponseHead,
  content: AsyncIterable<Uint8Array>,
  trailers: readonly Field[] = [],
): AsyncGenerator<Bytes, void> {
  return streamed(concat(varint(STREAMED_RESPONSE), varint(head.status), fieldLines(head.headers)), {
    content,
    trailers,
  });
}

/** Resolves with the head as soon as it is there. Throws MalformedError. */
export async function decodeRequest(
  message: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<DecodedRequest> {
  const { reader, isKnown } = await begin(message, [KNOWN_REQUEST, STREAMED_REQUEST]);
  const method = await takeText(reader, /^[!#$%&'*+.^_`|~\w-]+$/);
  const scheme = await takeText(reader, /^[a-z0-9+.-]*$/i);
  const authority = await takeText(reader, /^[\x21-\x7e]*$/);
  const path = await takeText(reader, /^[\x21-\x7e]*$/);
  const headers = await takeFields(reader, isKnown);
  return { method, scheme, authority, path, headers, ...contentOf(reader, isKnown) };
}

/** As `decodeRequest`; informational responses are left out. */
export async function decodeResponse(
  message: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<DecodedResponse> {
  const { reader, isKnown } = await begin(message, [KNOWN_RESPONSE, STREAMED_RESPONSE]);
  for (let informational = 0; informational <= INFORMATIONAL_MAX; informational++) {
    const status = await reader.takeVarint();
    if (status < 100 || status > 599) throw new MalformedError('a status is out of range');
    const headers = await takeFields(reader, isKnown);
    if (status >= 200) return { status, headers, ...contentOf(reader, isKnown) };
  }
  throw new MalformedError('there are too many informational responses');
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Without the fields that belong to one connection (RFC 9110, section 7.6.1). */
export function endToEnd(fields: Iterable<Field>): Field[] {
  const all = [...fields].map(([name, value]): Field => [name.toLowerCase(), value]);
  const named = all
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((name) => name.trim());
  return all.filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name));
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// oxlint-disable-next-line no-control-regex -- these are what a value must not hold
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/;

function prefixed(bytes: Uint8Array): Bytes {
  return concat(varint(bytes.length), bytes);
}

function requestControl({ method, scheme, authority, path }: RequestHead): Bytes {
  return concat(...[method, scheme, authority, path].map((text) => prefixed(utf8(text))));
}

/** Throws MalformedError for fields that no message can hold. */
function fieldLines(fields: readonly Field[]): Bytes {
  const lines = fields.map(([name, value]) => {
    const lower = name.toLowerCase();
    checkField(lower, value);
    return concat(prefixed(utf8(lower)), prefixed(Uint8Array.from(value, (char) => char.charCodeAt(0))));
  });
  return concat(...lines);
}

function checkField(name: string, value: string): void {
  if (!NAME.test(name) || !VALUE.test(value)) throw new MalformedError('a field is not allowed');
}

function knownRest(head: ResponseHead | RequestHead, content: Uint8Array, trailers: readonly Field[]): Bytes {
  return concat(prefixed(fieldLines(head.headers)), prefixed(content), prefixed(fieldLines(trailers)));
}

async function* streamed(
  head: Bytes,
  { content, trailers }: { content: AsyncIterable<Uint8Array>; trailers: readonly Field[] },
): AsyncGenerator<Bytes, void> {
  yield concat(head, varint(0));
  for await (const piece of content) if (piece.length > 0) yield prefixed(piece);
  yield concat(varint(0), fieldLines(trailers), varint(0));
}

async function begin(
  message: Uint8Array | AsyncIterable<Uint8Array>,
  [known, streaming]: readonly [known: number, streaming: number],
): Promise<{ reader: ByteReader; isKnown: boolean }> {
  const reader = readerOf(message instanceof Uint8Array ? chunksOf(message) : message);
  const framing = await reader.takeVarint();
  if (framing !== known && framing !== streaming) throw new MalformedError('the framing is another one');
  return { reader, isKnown: framing === known };
}

function readerOf(chunks: AsyncIterable<Uint8Array>): ByteReader {
  return new ByteReader(chunks, () => new MalformedError('the message is cut off'));
}

async function takeLength(reader: ByteReader, max: number): Promise<number> {
  const length = await reader.takeVarint();
  if (length > max) throw new MalformedError('the fields are too long');
  return length;
}

async function takeText(reader: ByteReader, form: RegExp): Promise<string> {
  const text = latin1(await reader.take(await takeLength(reader, FIELDS_BYTES_MAX)));
  if (!form.test(text)) throw new MalformedError('the request line is not allowed');
  return text;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

/** A section that is left out at the end of a message is an empty one. */
async function takeFields(reader: ByteReader, isKnown: boolean): Promise<Field[]> {
  if (await reader.isAtEnd()) return [];
  if (!isKnown) return takeLines(reader, isKnown);
  const section = await reader.take(await takeLength(reader, FIELDS_BYTES_MAX));
  return takeLines(readerOf(chunksOf(section)), isKnown);
}

async function takeLines(reader: ByteReader, isKnown: boolean): Promise<Field[]> {
  const fields: Field[] = [];
  for (let left = FIELDS_BYTES_MAX; !isKnown || !(await reader.isAtEnd());) {
    const nameBytes = await takeLength(reader, left);
    if (nameBytes === 0 && !isKnown) break;
    const name = latin1(await reader.take(nameBytes));
    const value = latin1(await reader.take(await takeLength(reader, left - nameBytes)));
    checkField(name, value);
    fields.push([name, value]);
    // Two bytes of length at least, so that empty values are not free.
    left -= name.length + value.length + 2;
  }
  return fields;
}

function contentOf(reader: ByteReader, isKnown: boolean): Content {
  const trailers: Field[] = [];
  return { content: takeContent(reader, isKnown, trailers), trailers };
}

async function* takeContent(
  reader: ByteReader,
  isKnown: boolean,
  trailers: Field[],
): AsyncGenerator<Bytes, void> {
  try {
    while (!(await reader.isAtEnd())) {
      const length = await reader.takeVarint();
      for (let left = length; left > 0;) {
        const piece = await reader.takeSome(left);
        left -= piece.length;
        yield piece;
      }
      if (isKnown || length === 0) break;
      if (await reader.isAtEnd()) throw new MalformedError('the content has no end');
    }
    trailers.push(...(await takeFields(reader, isKnown)));
    await skipPadding(reader);
  } finally {
    await reader.close();
  }
}

async function skipPadding(reader: ByteReader): Promise<void> {
  while (!(await reader.isAtEnd())) {
    const padding = await reader.takeSome(FIELDS_BYTES_MAX);
    if (padding.some((byte) => byte !== 0)) throw new MalformedError('the padding is not all zero');
  }
}
