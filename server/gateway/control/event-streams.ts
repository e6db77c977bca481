import type { FastifyInstance, FastifyReply } from 'fastify';
import { apiV1Routes as routes } from '../../../contract/index.ts';
import { notFound } from '../../kernel/errors.ts';
import type { ConsoleLine } from '../../calls/console.ts';
import type { BuildEvent } from '../../functions/functions.ts';
import { renderError, reportFailure } from '../errors.ts';
import { bind } from './bind.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { createSlots } from './slots.ts';

/** The two live tails. Both come from memory and leave nothing behind. */
export function serveEventStreams(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, functions, console, limits, closing } = options;
  const slots = createSlots({
    total: limits.eventStreamsMax,
    perHolder: limits.eventStreamsPerAccountMax,
    code: 'streams.too_many',
    what: 'event streams',
  });
  /** Opens a stream that gives its slot back when it ends, whoever ends it. */
  const open = (reply: FastifyReply, holder: string): EventStream => {
    const release = slots.take(holder);
    const stream = openEventStream(reply, { heartbeatMs: limits.heartbeatMs, closing });
    stream.onEnd(release);
    return stream;
  };

  bind(app, accounts, routes.watchConsole, async ({ principal, params, reply }) => {
    const fn = await functions.get(principal, params.shortname);
    if (!fn.mine) throw notFound('function');
    const stream = open(reply, principal.accountId);
    let dropped = 0;
    const show = (line: ConsoleLine): void => {
      if (stream.backlogBytes() > limits.eventBacklogBytesMax) {
        dropped++;
        return;
      }
      if (dropped > 0) stream.send({ lines: dropped }, 'dropped');
      dropped = 0;
      stream.send(line);
    };
    try {
      stream.onEnd(console.attach(principal.accountId, fn.id, show));
    } catch (thrown) {
      endWith(stream, thrown, options);
    }
  });

  bind(app, accounts, routes.watchBuild, async ({ principal, params, reply }) => {
    // Answers 404 while an error can still have a status.
    await functions.buildStatus(principal, params.id);
    const stream = open(reply, principal.accountId);
    await follow(stream, functions.watchBuild(principal, params.id, stream.signal), options);
  });
}

/** Sends a build's events as fast as the client takes them. */
async function follow(
  stream: EventStream,
  events: AsyncIterable<BuildEvent>,
  options: Pick<ControlPlaneOptions, 'events'>,
): Promise<void> {
  try {
    for await (const event of events) {
      if (stream.signal.aborted) return;
      if (!stream.send(event)) await stream.writable();
    }
    stream.end();
  } catch (thrown) {
    if (!stream.signal.aborted) endWith(stream, thrown, options);
  }
}

/** The status is sent already, so a failure is the stream's last event. */
function endWith(
  stream: EventStream,
  thrown: unknown,
  { events }: Pick<ControlPlaneOptions, 'events'>,
): void {
  reportFailure(events, thrown, 'streams');
  stream.send(renderError(thrown, 'problem').body, 'error');
  stream.end();
}
