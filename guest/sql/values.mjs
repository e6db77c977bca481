/** `SqlValue` of server/sql/sql.ts for what is no JSON value as it is. */
export const binary = (buffer) => ({ base64: buffer.toString('base64') });

/** Whole numbers beyond 2^53 keep their digits. */
export function integer(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : { int: text };
}

/** Not one row of the result fits. */
export class TooLarge extends Error {}

/** Collects rows until one of the limits is reached. */
export function rowsWithin({ rowsMax, bytesMax }) {
  const rows = [];
  let bytes = 0;
  let truncated = false;
  return {
    /** Whether there is room for more. */
    add(row) {
      bytes += Buffer.byteLength(JSON.stringify(row));
      truncated ||= rows.length === rowsMax || bytes > bytesMax;
      if (!truncated) rows.push(row);
      return !truncated;
    },
    /** What there is; throws when not even one row did fit. */
    result(columns, isCut) {
      if ((truncated || isCut) && rows.length === 0) throw new TooLarge();
      return { columns, rows, truncated: truncated || isCut };
    },
  };
}

const POLL_MS = 10;

/**
 * Whether a connection had to be ended while `work` ran, because it received more than `bytesMax`: one value can be as
 * large as a gigabyte.
 */
export async function isCutAt(stream, bytesMax, work) {
  const from = stream.bytesRead;
  let isCut = false;
  const poll = setInterval(() => {
    isCut ||= stream.bytesRead - from > bytesMax;
    if (isCut) stream.destroy();
  }, POLL_MS);
  try {
    await work();
  } catch (error) {
    if (!isCut) throw error;
  } finally {
    clearInterval(poll);
  }
  return isCut;
}
