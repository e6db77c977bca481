import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { SECURITY_HEADERS } from '../security-headers.ts';

/** Server-sent events to one client. `data` is JSON on one line. */
export interface EventStream {
  /** Aborted when the stream has ended, by whichever side. */
  readonly signal: AbortSignal;
  /** Runs once at the end of the stream; at once if it has ended. */
  onEnd(callback: () => void): void;
  /** False once the client is too far behind to take more; `writable` then tells when it has caught up. */
  send(data: unknown, event?: string): boolean;
  writable(): Promise<void>;
  backlogBytes(): number;
  end(): void;
}

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  /** Aborted when the server drains: streams would otherwise hold it up without end. */
  readonly closing: AbortSignal;
  /** Beside those of every stream. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Takes the reply over. */
export function openEventStream(reply: FastifyReply, options: EventStreamOptions): EventStream {
  reply.hijack();
  const { raw } = reply;
  const ended = new AbortController();
  const heartbeat = setInterval(() => raw.write(': alive\n\n'), options.heartbeatMs);
  const end = (): void => void raw.end();

  const onClose = (): void => {
    clearInterval(heartbeat);
    options.closing.removeEventListener('abort', end);
    ended.abort();
  };

  if (raw.destroyed) onClose();
  else raw.once('close', onClose);
  raw.writeHead(200, {
    ...SECURITY_HEADERS,
    ...options.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  });
  raw.write(': open\n\n');
  if (options.closing.aborted) end();
  else options.closing.addEventListener('abort', end);

  return {
    signal: ended.signal,
    onEnd(callback) {
      if (ended.signal.aborted) callback();
      else ended.signal.addEventListener('abort', callback, { once: true });
    },
    send(data, event) {
      if (raw.writableEnded || raw.destroyed) return false;
      const name = event === undefined ? '' : `event: ${event}\n`;
      return raw.write(`${name}data: ${JSON.stringify(data)}\n\n`);
    },
    async writable() {
      if (!raw.writableNeedDrain || ended.signal.aborted) return;
      await once(raw, 'drain', { signal: ended.signal }).catch(() => undefined);
    },
    backlogBytes: () => raw.writableLength,
    end,
  };
}
