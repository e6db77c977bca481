/** `SqlValue` of server/sql/sql.ts for what is no JSON value as it is. */
export const binary = (buffer) => ({ base64: buffer.toString('base64') });

/** Whole numbers beyond 2^53 keep their digits. */
export function integer(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : { int: text };
}

/** The result did not fit on the wire; whoever reads it goes on with what is there. */
export class TooLarge extends Error {}

/** Collects rows until one of the limits is reached. */
export function rowsWithin({ rowsMax, bytesMax }) {
  const rows = [];
  let bytes = 0;
  let truncated = false;
  return {
    rows,
    isTruncated: () => truncated,
    /** Whether there is room for more. */
    add(row) {
      bytes += Buffer.byteLength(JSON.stringify(row));
      truncated ||= rows.length === rowsMax || bytes > bytesMax;
      if (!truncated) rows.push(row);
      return !truncated;
    },
  };
}

const POLL_MS = 10;

/** Ends a connection that receives more than `bytesMax` while `work` runs: one value can be as large as a gigabyte. */
export async function withinBytes(stream, bytesMax, work) {
  const from = stream.bytesRead;
  const poll = setInterval(() => {
    if (stream.bytesRead - from > bytesMax) stream.destroy(new TooLarge());
  }, POLL_MS);
  try {
    return await work();
  } finally {
    clearInterval(poll);
  }
}
