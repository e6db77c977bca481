import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toPlatformError } from '../../kernel/errors.ts';
import type { ProviderSignIn } from '../../sign-in/provider-sign-in.ts';
import type { Session } from '../../sign-in/sessions.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import { renderError, reportFailure } from '../errors.ts';
import {
  NO_SIGN_IN_COOKIE,
  SESSION_COOKIE,
  SIGN_IN_COOKIE,
  readCookie,
  sessionCookie,
  signInCookie,
} from './cookies.ts';
import { insecureOrigin, keepsCookies } from './secure-origin.ts';

/** The way to the identity provider and back: pages that a browser visits, not requests of one. */
export function serveProvider(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { provider } = options.portal.signIn;
  const route = { exposeHeadRoute: false };
  app.get('/sign-in', route, (request, reply) =>
    answerPage(options, reply, async () => {
      if (provider === undefined) return '/';
      return await leave(options, provider, { request, reply });
    }),
  );
  app.get('/sign-in/callback', route, (request, reply) =>
    answerPage(options, reply, async () => {
      if (provider === undefined) return '/';
      const answer = new URL(request.url, 'http://localhost').searchParams;
      const { returnTo, begun } = await provider.complete(answer, readCookie(request, SIGN_IN_COOKIE));
      void reply.header('set-cookie', NO_SIGN_IN_COOKIE);
      if (begun !== undefined) void reply.header('set-cookie', sessionCookie(begun.cookie.reveal()));
      return returnTo;
    }),
  );
}

interface Visit {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function leave(
  { portal, publicUrl }: ControlPlaneOptions,
  provider: ProviderSignIn,
  { request, reply }: Visit,
): Promise<undefined> {
  if (!keepsCookies(new URL(publicUrl()))) throw insecureOrigin(publicUrl());
  const { returnTo, confirm } = request.query as Record<string, unknown>;
  const { url, binding } = await provider.begin({
    redirectUri: `${publicUrl()}/sign-in/callback`,
    returnTo: ownPath(returnTo),
    session: sessionOf(portal.signIn.sessions, request),
    confirm: confirm === '1',
  });
  void reply.header('set-cookie', signInCookie(binding.reveal())).redirect(url);
}

/** Here the cookie alone counts: browsers send it along only when a page of ours led to this one. */
function sessionOf(
  sessions: ControlPlaneOptions['portal']['signIn']['sessions'],
  request: FastifyRequest,
): Session | undefined {
  const cookie = readCookie(request, SESSION_COOKIE);
  return cookie === undefined ? undefined : sessions.find(cookie);
}

const OWN_PATH = /^\/(?!\/)[\w\-./~%?=&,:@+]{0,300}$/;

/** Whatever is not plainly a path of ours leads home: this server sends nobody anywhere else. */
function ownPath(value: unknown): string {
  return typeof value === 'string' && OWN_PATH.test(value) ? value : '/';
}

/**
 * Goes on by itself to where `visit` says, as a page and not as a redirect: browsers hold the session's cookie back on a
 * way that began at another site. The sign-in page tells of errors; it gets their code.
 */
async function answerPage(
  { events }: ControlPlaneOptions,
  reply: FastifyReply,
  visit: () => Promise<string | undefined>,
): Promise<FastifyReply> {
  try {
    const target = await visit();
    return target === undefined ? reply : reply.type('text/html; charset=utf-8').send(pageTo(target));
  } catch (thrown) {
    const error = toPlatformError(thrown);
    reportFailure(events, error, 'sign_in');
    const { status } = renderError(error, 'problem');
    return reply
      .status(status)
      .type('text/html; charset=utf-8')
      .send(pageTo(`/#sign-in=${error.code}`));
  }
}

function pageTo(target: string): string {
  const escaped = target.replaceAll('&', '&amp;');
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>JellyFaaS</title>' +
    `<meta http-equiv="refresh" content="0;url=${escaped}"><a href="${escaped}">Continue</a></html>`
  );
}
