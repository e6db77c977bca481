import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyServerFactory } from 'fastify';
import multipart from '@fastify/multipart';
import { PlatformError } from '../../kernel/errors.ts';
import { type ErrorFormat, renderError, reportFailure, writeError } from '../errors.ts';
import { serveHealth } from '../health.ts';
import { serveAi } from '../ai/serve-ai.ts';
import { serveAimee } from '../aimee/serve-aimee.ts';
import { serveApiV1 } from './api-v1.ts';
import { serveBackups } from './serve-backups.ts';
import { serveRights } from './serve-rights.ts';
import { serveKeyRotations } from './serve-key-rotations.ts';
import { serveCompatible } from './compatible.ts';
import { serveCopies } from './serve-copies.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { fastifyError, unsupportedMedia } from './fastify-error.ts';
import { serveMcp } from '../mcp/serve-mcp.ts';
import { serveVectors } from '../vectors/serve-vectors.ts';
import { serveSql } from '../sql/serve-sql.ts';
import { answerWithPortal } from '../portal/serve-portal.ts';
import { serveProvider } from '../portal/serve-provider.ts';
import { serveSessions } from '../portal/serve-sessions.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';

/** Everything that is not a function call: compatible endpoints, /api/v1, health and metrics. */
export function createControlPlane(
  options: ControlPlaneOptions,
  serverFactory: FastifyServerFactory,
  clientErrorHandler: (error: Error, socket: Socket) => void,
): FastifyInstance {
  const app = Fastify({
    serverFactory,
    clientErrorHandler,
    logger: false,
    bodyLimit: options.limits.bodyBytesMax,
    requestIdHeader: false,
    frameworkErrors: (error, request, reply) => {
      writeError(reply.raw, fastifyError(error), formatOf(request.url));
    },
  });
  app.decorateRequest('caller');
  app.decorate('sessions', options.portal.signIn.sessions);
  app.decorate('asOwnAct', options.rights.restriction.asOwnAct);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  parseBodies(app);
  void app.register(multipart);
  app.setNotFoundHandler(async (request, reply) => {
    if (await answerWithPortal(options.portal.files, request, reply)) return reply;
    throw new PlatformError({
      kind: 'not_found',
      code: 'request.unknown_route',
      message: 'There is no such endpoint. Check method and path; /api/v1/openapi.json lists them.',
    });
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = fastifyError(thrown);
    reportFailure(options.events, error, 'control');
    const { status, headers, body } = renderError(error, formatOf(request.url));
    return reply.status(status).headers(headers).send(body);
  });
  void app.register(async (scope) => {
    serveHealth(scope, options);
    serveCompatible(scope, options);
    serveApiV1(scope, options);
    serveBackups(scope, options);
    serveRights(scope, options);
    serveKeyRotations(scope, options);
    serveCopies(scope, options);
    serveSessions(scope, options);
    serveProvider(scope, options);
    serveAi(scope, options);
    serveMcp(scope, options);
    if (options.sql !== undefined) serveSql(scope, { ...options, sql: options.sql });
    serveVectors(scope, options);
    serveAimee(scope, options);
  });
  return app;
}

function formatOf(url: string): ErrorFormat {
  return /^\/(?:api|aimee)\/v1(?:[/?]|$)/.test(url) ? 'problem' : 'compatible';
}

/** Clients send `Content-Type: application/json` with nothing behind it, on every method. */
function parseBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(
        new PlatformError({
          kind: 'invalid_argument',
          code: 'request.invalid_json',
          message: 'The body is not valid JSON, though its content type says so.',
        }),
      );
    }
  });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(unsupportedMedia());
  });
}
