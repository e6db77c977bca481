import type { FastifyReply, FastifyRequest } from 'fastify';
import { toPlatformError } from '../../kernel/errors.ts';
import { renderError, reportFailure } from '../errors.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { openEventStream } from './event-stream.ts';

/** Aborts when the client leaves before its answer is complete. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  if (raw.destroyed) gone.abort();
  return gone.signal;
}

export function acceptsEvents({ headers }: FastifyRequest): boolean {
  return /(?:^|[\s,])text\/event-stream(?:$|[\s,;])/i.test(headers.accept ?? '');
}

export interface ErrorEvent {
  type: 'error';
  code: string;
  detail: string;
  status: number;
}

/** A failure as the last but one event of a stream: its status is sent already. */
export function errorEvent(thrown: unknown): ErrorEvent {
  const { code, message } = toPlatformError(thrown);
  return { type: 'error', code, detail: message, status: renderError(thrown, 'problem').status };
}

export interface AnswerStream<E> {
  /** For the log, where a failure is the platform's. */
  readonly area: string;
  /** Sends what happens as it happens. The signal aborts when the client leaves. */
  readonly work: (send: (event: E) => void, signal: AbortSignal) => Promise<void>;
}

/** Takes the reply over: what the work sends, or its failure as `error`, then `done`. */
export async function streamAnswer<E extends { type: string }>(
  { events, limits, closing }: Pick<ControlPlaneOptions, 'events' | 'limits' | 'closing'>,
  reply: FastifyReply,
  { area, work }: AnswerStream<E>,
): Promise<void> {
  const client = openEventStream(reply, { heartbeatMs: limits.heartbeatMs, closing });
  const send = (event: { type: string }): void => void client.send(event, event.type);
  try {
    await work(send, client.signal);
  } catch (thrown) {
    reportFailure(events, thrown, area);
    send(errorEvent(thrown));
  }
  send({ type: 'done' });
  client.end();
}
