import { type ResponseHead, encodeResponse, encodeResponseStream } from './bhttp.ts';
import { type Bytes, collect, concat } from './bytes.ts';

/** Small messages all look alike. */
const SMALLEST_BUCKET_BYTES = 256;

/**
 * Appends zeros, which binary HTTP allows, up to the next Padmé bucket (at most 12 % more): the size of a sealed message
 * then tells only the order of magnitude and a few bits.
 */
export function pad(message: Uint8Array): Bytes {
  return concat(message, new Uint8Array(padmeLength(message.length) - message.length));
}

export function padmeLength(length: number): number {
  if (length <= SMALLEST_BUCKET_BYTES) return SMALLEST_BUCKET_BYTES;
  const exponent = Math.floor(Math.log2(length));
  const significantBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - significantBits);
  return Math.ceil(length / step) * step;
}

/** Longer answers flow as they come: to hold them would cost more than their length tells. */
const GATHERED_BYTES_MAX = 1_048_576;

/**
 * As `encodeResponseStream`. Content whose head declares its length, up to 1 MiB, is gathered and padded, so that neither its
 * length nor the rhythm in which it was written shows. It must be no longer than declared.
 */
export async function* encodePaddedResponse(
  head: ResponseHead,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Bytes, void> {
  const declared = head.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  if (declared !== undefined && Number(declared) <= GATHERED_BYTES_MAX)
    yield pad(encodeResponse(head, await collect(content)));
  else yield* encodeResponseStream(head, content);
}
