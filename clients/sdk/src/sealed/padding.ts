import { type Bytes, concat } from './bytes.ts';

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
