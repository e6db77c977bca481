/** Passes bytes on up to `bytesMax`; the first one beyond fails the stream with what `flood` makes. */
export function atMost(bytesMax: number, flood: () => Error): TransformStream<Uint8Array, Uint8Array> {
  let seen = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.byteLength;
      if (seen > bytesMax) controller.error(flood());
      else controller.enqueue(chunk);
    },
  });
}
