import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Restriction } from '../../rights/restriction.ts';
import { type ErrorFormat, renderError, reportFailure, writeError } from '../errors.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';
import type { CredentialStores } from './authenticate.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { fastifyError, invalidJson, unsupportedMedia } from './fastify-error.ts';

export interface AppOptions extends Pick<ControlPlaneOptions, 'limits' | 'events'> {
  readonly sessions: CredentialStores['sessions'];
  readonly asOwnAct: Restriction['asOwnAct'];
}

/** What all routes of the contract share, wherever they are served: bodies, errors, headers. */
export function createApp(
  { limits, events, sessions, asOwnAct }: AppOptions,
  server: Pick<FastifyServerOptions, 'serverFactory' | 'clientErrorHandler'>,
): FastifyInstance {
  const app = Fastify({
    ...server,
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    requestIdHeader: false,
    frameworkErrors: (error, request, reply) => {
      writeError(reply.raw, fastifyError(error), formatOf(request.url));
    },
  });
  app.decorateRequest('caller');
  app.decorate('sessions', sessions);
  app.decorate('asOwnAct', asOwnAct);
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  parseBodies(app);
  app.setErrorHandler((thrown, request, reply) => {
    const error = fastifyError(thrown);
    reportFailure(events, error, 'control');
    const { status, headers, body } = renderError(error, formatOf(request.url));
    return reply.status(status).headers(headers).send(body);
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
      done(invalidJson());
    }
  });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else done(unsupportedMedia());
  });
}
