const NEWLINE = 0x0a;

/** Lines of a stream without their ends; undefined, and no further one, for a line that is too long. */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      held = 0;
      from = end + 1;
    }
    held += chunk.byteLength - from;
    if (held > bytesMax) {
      yield undefined;
      return;
    }
    parts.push(chunk.subarray(from));
  }
  if (held > 0) yield Buffer.concat(parts);
}
