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
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = [];
  let left = options.requests;
  let failures = 0;
  const take = (): boolean => left-- > 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      drive(options, take, (tookMs, ok) => {
        latencies.push(tookMs);
        if (!ok) failures++;
      }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  return {
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    failures,
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
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
  });
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, headEnd + 2))?.[1];
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length);
  return answer.endsWith('0\r\n\r\n');
}
