import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { JellyFaaSError } from '../../sdk/src/index.ts';
import { CliError } from '../failure.ts';

/** What the proxy itself has to say to its client. */
export class Refused extends Error {
  readonly status: number;
  readonly errorId: string;

  constructor(status: number, errorId: string, message: string) {
    super(message);
    this.status = status;
    this.errorId = errorId;
  }
}

/** Everything of a stream; throws Refused for more than `bytesMax`. */
export async function readBounded(stream: Readable, bytesMax: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let left = bytesMax;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left < 0) {
      const message = `More than ${bytesMax / 1_048_576} MiB do not pass through this proxy.`;
      throw new Refused(413, 'proxy.too_large', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Answers with an error in the shape that clients know from the server; an answer that has begun is cut instead. */
export function tell(res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, errorId, message } = refusalOf(error);
  const body = Buffer.from(JSON.stringify({ errorId, errorMessage: message }));
  const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };
  res.writeHead(status, { ...headers, connection: 'close' }).end(body);
}

function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof JellyFaaSError) {
    // What did not open, or never came, is no success of anybody.
    return new Refused(error.status >= 400 ? error.status : 502, error.errorId, error.message);
  }
  if (error instanceof CliError) return new Refused(502, error.code, error.message);
  return new Refused(500, 'proxy.internal', 'Something unexpected happened in the sealing proxy.');
}
