import { type Sequence, TAG_BYTES } from './aead.ts';
import type { ByteReader } from './byte-reader.ts';
import { type Bytes, EMPTY, concat, utf8, varint } from './bytes.ts';
import { OpeningError } from './errors.ts';

/** Plaintext of one chunk at most: what every receiver has to take. */
export const CHUNK_BYTES_MAX = 16_384;
const FINAL = utf8('final');

/** Each piece is sealed as it comes, so that nothing waits for more. */
export async function* sealChunks(
  sequence: Sequence,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Bytes, void> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES_MAX) {
      const sealed = await sequence.seal(new Uint8Array(piece.subarray(at, at + CHUNK_BYTES_MAX)));
      yield concat(varint(sealed.length), sealed);
    }
  }
  yield concat(varint(0), await sequence.seal(EMPTY, FINAL));
}

/**
 * Every piece that comes out is authentic and in its place; that nothing is missing is sure when this ends without
 * OpeningError, and not before.
 */
export async function* openChunks(sequence: Sequence, reader: ByteReader): AsyncGenerator<Bytes, void> {
  try {
    for (;;) {
      const length = await reader.takeVarint();
      if (length === 0) break;
      // Empty chunks would let a message grow without saying anything.
      if (length <= TAG_BYTES || length > CHUNK_BYTES_MAX + TAG_BYTES) throw new OpeningError();
      yield await sequence.open(await reader.take(length));
    }
    const last = await sequence.open(await reader.takeRest(CHUNK_BYTES_MAX + TAG_BYTES), FINAL);
    if (last.length > 0) yield last;
  } finally {
    await reader.close();
  }
}
