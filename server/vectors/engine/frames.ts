import type { Duplex } from 'node:stream';

/**
 * A frame: two lengths of four bytes, a JSON header, and a payload of a key and vectors as they are, which are many and
 * would be several times as long in JSON.
 */
export interface Frame<Header> {
  readonly header: Header;
  readonly parts: readonly Uint8Array[];
}

const PREFIX_BYTES = 8;
/** A thousand long texts; as many vectors. */
const HEADER_BYTES_MAX = 64 * 2 ** 20;
const PAYLOAD_BYTES_MAX = 192 * 2 ** 20;

interface Envelope {
  readonly header: unknown;
  /** Lengths of the payload's parts. */
  readonly lengths: readonly number[];
}

/** Undefined if it would be too large. */
export function encodeFrame({ header, parts }: Frame<unknown>): Uint8Array[] | undefined {
  const lengths = parts.map(({ byteLength }) => byteLength);
  const envelope: Envelope = { header, lengths };
  const text = Buffer.from(JSON.stringify(envelope));
  const payloadBytes = lengths.reduce((sum, length) => sum + length, 0);
  if (text.length > HEADER_BYTES_MAX || payloadBytes > PAYLOAD_BYTES_MAX) return undefined;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(payloadBytes, 4);
  return [Buffer.concat([prefix, text]), ...parts];
}

/** Of a frame that is there whole; undefined if it is none. */
export function decodeFrame<Header>(bytes: Uint8Array): Frame<Header> | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (all.length < PREFIX_BYTES) return undefined;
  const [text, payload] = [all.readUInt32LE(0), all.readUInt32LE(4)];
  if (all.length !== PREFIX_BYTES + text + payload) return undefined;
  return decode(all.subarray(PREFIX_BYTES), text);
}

/** Calls `onFrame` for each frame that arrives; a frame beyond the bounds destroys the stream. */
export function readFrames<Header>(stream: Duplex, onFrame: (frame: Frame<Header>) => void): void {
  let chunks: Uint8Array[] = [];
  let held = 0;
  /** Of the frame that arrives, once they are known. */
  let lengths: { readonly text: number; readonly payload: number } | undefined;

  /** Undefined until so many bytes are there. */
  function take(bytes: number): Buffer | undefined {
    if (held < bytes) return undefined;
    const all = Buffer.concat(chunks);
    chunks = [all.subarray(bytes)];
    held -= bytes;
    return all.subarray(0, bytes);
  }

  function next(): Frame<Header> | undefined {
    const prefix = lengths === undefined ? take(PREFIX_BYTES) : undefined;
    if (prefix !== undefined) lengths = { text: prefix.readUInt32LE(0), payload: prefix.readUInt32LE(4) };
    if (lengths === undefined) return undefined;
    if (lengths.text > HEADER_BYTES_MAX || lengths.payload > PAYLOAD_BYTES_MAX) {
      stream.destroy();
      return undefined;
    }
    const bytes = take(lengths.text + lengths.payload);
    if (bytes === undefined) return undefined;
    const frame = decode<Header>(bytes, lengths.text);
    lengths = undefined;
    return frame;
  }

  stream.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    held += chunk.byteLength;
    for (let frame = next(); frame !== undefined; frame = next()) onFrame(frame);
  });
}

function decode<Header>(bytes: Buffer, textBytes: number): Frame<Header> {
  const { header, lengths } = JSON.parse(bytes.toString('utf8', 0, textBytes)) as Envelope;
  const parts: Uint8Array[] = [];
  let from = textBytes;
  for (const length of lengths) parts.push(bytes.subarray(from, (from += length)));
  return { header: header as Header, parts };
}

export function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A copy: the bytes may begin where no float can. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
