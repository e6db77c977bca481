import { type NetConnectOpts, connect } from 'node:net';

/**
 * A closed-loop HTTP/1.1 load over keep-alive connections, written against the bytes so that the client costs
 * less than what it measures. Every request is the same; an answer must have a Content-Length or be chunked.
 */
export interface LoadOptions {
  readonly target: NetConnectOpts;
  readonly request: string;
  readonly connections: number;
  readonly requests: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** From the request to the last byte of its answer; sorted. */
  readonly latenciesMs: readonly number[];
  /** Answers other than 200. */
  readonly failures: number;
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let left = options.requests;
  let failures = 0;
  const take = (): boolean => left-- > 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      drive(options, take, (tookMs, ok) => {
        latenciesMs.push(tookMs);
        if (!ok) failures++;
      }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  latenciesMs.sort((a, b) => a - b);
  return { perSecond: latenciesMs.length / seconds, latenciesMs, failures };
}

/** One connection: sends, waits for the whole answer, sends again. */
function drive(
  options: LoadOptions,
  take: () => boolean,
  record: (tookMs: number, ok: boolean) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let buffer = '';
    let sentAt = 0;
    const socket = connect(options.target, () => next());
    const next = (): void => {
      if (!take()) {
        socket.destroy();
        resolve();
        return;
      }
      buffer = '';
      sentAt = performance.now();
      socket.write(options.request);
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      if (!isWhole(buffer)) return;
      record(performance.now() - sentAt, buffer.startsWith('HTTP/1.1 200'));
      next();
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error('the server closed a connection of the load')));
  });
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, headEnd + 2))?.[1];
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length);
  return answer.endsWith('0\r\n\r\n');
}
