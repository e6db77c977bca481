import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Authenticator, authenticate } from './control/authenticate.ts';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  readonly accounts: Authenticator;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly ready: () => boolean;
  readonly closing: AbortSignal;
}

/** Liveness, readiness (503 before recovery has ended and while draining) and Prometheus metrics. */
export function serveHealth(app: FastifyInstance, options: HealthOptions): void {
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    const ready = options.ready() && !options.closing.aborted;
    return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
  });
  app.get('/metrics', async (request, reply) => {
    if (!isLocal(request)) await authenticate(options, request, { access: 'ownerKey' });
    return reply.type(options.metrics.contentType).send(await options.metrics.render());
  });
}

/**
 * Sums over the installation would tell an outsider when its few users are at work, so they are for the machine
 * itself and for the owner. A request that a proxy passed on is not local.
 */
function isLocal({ headers, socket }: FastifyRequest): boolean {
  if (headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) return false;
  return /^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
}
