import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type Route,
  type WidgetEvent,
  WidgetFeedback,
  WidgetHandOver,
  WidgetMessage,
  aimeeWidgetRoutes as routes,
} from '../../../contract/index.ts';
import type { Admitted } from '../../aimee/visitors.ts';
import { notFound, toPlatformError } from '../../kernel/errors.ts';
import { parse } from '../control/bind.ts';
import { openEventStream } from '../control/event-stream.ts';
import { createSlots } from '../control/slots.ts';
import { reportFailure } from '../errors.ts';
import { acceptsGzip } from '../portal/serve-portal.ts';
import type { AimeeOptions } from './parts.ts';

/** Any page may send, and no page gets anything that a browser would add by itself: widgets have an opaque origin. */
const CORS = { 'access-control-allow-origin': '*' };
const PREFLIGHT = {
  ...CORS,
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type',
  'access-control-max-age': '86400',
};
/** The name of the file changes with its content, so that browsers ask once; nothing marks who has it. */
const FILE = {
  ...CORS,
  'cache-control': 'public, max-age=31536000, immutable',
  'content-type': 'text/javascript; charset=utf-8',
  'cross-origin-resource-policy': 'cross-origin',
  vary: 'accept-encoding',
};

/** What visitors' browsers reach: the widget's file, and three requests that only write. */
export function serveVisitors(app: FastifyInstance, options: AimeeOptions): void {
  const { aimee } = options;
  app.get<{ Params: { file: string } }>('/widget/:file', async (request, reply) => {
    const file = await aimee.widget.named(request.params.file);
    if (file === undefined) throw notFound('file');
    const { compressed } = file;
    const isCompressed = compressed !== undefined && acceptsGzip(request);
    if (isCompressed) void reply.header('content-encoding', 'gzip');
    return reply.headers(FILE).send(isCompressed ? compressed : file.content);
  });
  void app.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => void reply.headers(CORS));
    serveMessages(scope, options);
    serveNotes(scope, options);
  });
}

function serveMessages(app: FastifyInstance, options: AimeeOptions): void {
  const { aimee, limits } = options;
  const slots = createSlots({
    total: limits.visitorMessagesMax,
    perHolder: limits.visitorMessagesPerSiteMax,
    code: 'aimee.busy',
    what: 'messages',
  });
  receive(app, options, routes.sendWidgetMessage, async (request, reply) => {
    const message = parse(WidgetMessage, request.body, 'body') as WidgetMessage;
    const originIp = aimee.originIp(request.raw);
    const admitted = await aimee.service.visitors.message({ ...message, originIp });
    const release = slots.take(admitted.siteId);
    try {
      await streamAnswer(options, reply, admitted);
    } finally {
      release();
    }
    return reply;
  });
}

async function streamAnswer(
  { limits, closing, events }: AimeeOptions,
  reply: FastifyReply,
  admitted: Admitted,
): Promise<void> {
  const stream = openEventStream(reply, { heartbeatMs: limits.heartbeatMs, closing, headers: CORS });
  const send = (event: WidgetEvent): void => void stream.send(event, event.type);
  try {
    const answered = await admitted.answer((text) => send({ type: 'text', text }), stream.signal);
    send({ type: 'done', ...answered, sources: [...answered.sources] });
  } catch (thrown) {
    reportFailure(events, thrown, 'aimee');
    const { code, message, retryAfterSeconds } = toPlatformError(thrown);
    const later = retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds };
    send({ type: 'error', code, detail: message, ...later });
  }
  stream.end();
}

function serveNotes(app: FastifyInstance, options: AimeeOptions): void {
  const { aimee } = options;
  const { visitors } = aimee.service;
  receive(app, options, routes.sendWidgetFeedback, async (request, reply) => {
    const feedback = parse(WidgetFeedback, request.body, 'body') as WidgetFeedback;
    await visitors.rate({ ...feedback, originIp: aimee.originIp(request.raw) });
    return reply.status(204).send();
  });
  receive(app, options, routes.requestWidgetHandOver, async (request, reply) => {
    const handOver = parse(WidgetHandOver, request.body, 'body') as WidgetHandOver;
    await visitors.handOver({ ...handOver, originIp: aimee.originIp(request.raw) });
    return reply.status(204).send();
  });
}

/** A request without credentials, from any page. */
function receive(
  app: FastifyInstance,
  { limits }: AimeeOptions,
  { path }: Route,
  handle: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  app.options(path, async (_request, reply) => reply.headers(PREFLIGHT).status(204).send());
  app.post(path, { bodyLimit: limits.visitorBodyBytesMax }, handle);
}
