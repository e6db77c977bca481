import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyServerFactory } from 'fastify';
import multipart from '@fastify/multipart';
import { PlatformError } from '../../kernel/errors.ts';
import { serveHealth } from '../health.ts';
import { serveAi } from '../ai/serve-ai.ts';
import { serveAimee } from '../aimee/serve-aimee.ts';
import { createApp } from './create-app.ts';
import { serveApiV1 } from './api-v1.ts';
import { serveBackups } from './serve-backups.ts';
import { serveRights } from './serve-rights.ts';
import { serveKeyRotations } from './serve-key-rotations.ts';
import { serveCompatible } from './compatible.ts';
import { serveCopies } from './serve-copies.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { serveMcp } from '../mcp/serve-mcp.ts';
import { serveVectors } from '../vectors/serve-vectors.ts';
import { serveSql } from '../sql/serve-sql.ts';
import { answerWithPortal } from '../portal/serve-portal.ts';
import { serveProvider } from '../portal/serve-provider.ts';
import { serveSessions } from '../portal/serve-sessions.ts';

/** Everything that is not a function call: compatible endpoints, /api/v1, health and metrics. */
export function createControlPlane(
  options: ControlPlaneOptions,
  serverFactory: FastifyServerFactory,
  clientErrorHandler: (error: Error, socket: Socket) => void,
): FastifyInstance {
  const app = createApp(
    { ...options, sessions: options.portal.signIn.sessions, asOwnAct: options.rights.restriction.asOwnAct },
    {
      serverFactory,
      clientErrorHandler,
    },
  );
  void app.register(multipart);
  app.setNotFoundHandler(async (request, reply) => {
    if (await answerWithPortal(options.portal.files, request, reply)) return reply;
    throw new PlatformError({
      kind: 'not_found',
      code: 'request.unknown_route',
      message: 'There is no such endpoint. Check method and path; /api/v1/openapi.json lists them.',
    });
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
