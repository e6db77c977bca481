import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { Route } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { Restriction } from '../../rights/restriction.ts';
import { type Authenticator, type Caller, type CredentialStores, authenticate } from './authenticate.ts';

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Part<R extends Route, K extends 'params' | 'query' | 'body'> =
  R extends Record<K, infer S> ? Parsed<S> : undefined;

/** A request of one route: proven caller, and exactly what the contract's schemas let through. */
export interface RouteCall<R extends Route> extends Caller {
  readonly params: Part<R, 'params'>;
  readonly query: Part<R, 'query'>;
  readonly body: Part<R, 'body'>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Answer<R extends Route> = R['success'] extends { content: 'json'; schema: infer S extends z.ZodType }
  ? R['success'] extends { events: z.ZodType } | { lines: z.ZodType }
    ? z.input<S> | undefined
    : z.input<S>
  : void;

/**
 * Serves one route of the contract. The caller is proven before a byte of the body is read. A handler that answers
 * with an event stream takes the reply over and returns nothing.
 */
export function bind<const R extends Route>(
  app: FastifyInstance,
  accounts: Authenticator,
  route: R,
  handle: (call: RouteCall<R>) => Promise<Answer<R>>,
): void {
  if (route.access === 'open') throw new Error(`${route.path} is open: it has no caller to bind`);
  const sessions = app.getDecorator<CredentialStores['sessions']>('sessions');
  const asOwnAct = app.getDecorator<Restriction['asOwnAct']>('asOwnAct');
  app.route({
    method: route.method,
    url: fastifyPath(route),
    ...(route.bodyBytesMax !== undefined && { bodyLimit: route.bodyBytesMax }),
    exposeHeadRoute: route.success.content === 'json',
    onRequest: async (request) => {
      request.setDecorator('caller', await authenticate({ accounts, sessions }, request, route));
    },
    handler: async (request, reply) => {
      const caller = request.getDecorator<Caller>('caller');
      const call = {
        ...caller,
        params: parse(route.params, request.params, 'path') as Part<R, 'params'>,
        query: parse(route.query, request.query, 'query') as Part<R, 'query'>,
        body: parse(route.body, request.body, 'body') as Part<R, 'body'>,
        request,
        reply,
      };
      const { accountId } = caller.principal;
      const answer = await (route.ownAct === true ? asOwnAct(accountId, () => handle(call)) : handle(call));
      if (['events', 'stream'].includes(route.success.content) || reply.sent) return reply;
      return reply.status(route.success.status).send(answer);
    },
  });
}

/** `/library/{functionId}` as Fastify spells it. */
export function fastifyPath(route: Route): string {
  return route.path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** The value as the schema lets it through; throws `request.invalid`, which names the fields. */
export function parse(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'request.invalid',
    message: `The request's ${place} is not valid.`,
    faults: outcome.error.issues.slice(0, 20).map((issue) => ({
      pointer: issue.path.map((step) => `/${String(step)}`).join(''),
      message: issue.message.slice(0, 200),
    })),
  });
}
