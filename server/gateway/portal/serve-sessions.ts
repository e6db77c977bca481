import type { FastifyInstance } from 'fastify';
import { type SessionResource, sessionRoutes as routes } from '../../../contract/index.ts';
import type { ApiKeyId } from '../../kernel/ids.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import type { Session } from '../../sign-in/sessions.ts';
import type { Caller } from '../control/authenticate.ts';
import { bind, fastifyPath, parse } from '../control/bind.ts';
import type { ControlPlaneOptions } from '../control/control-plane-options.ts';
import { NO_SESSION_COOKIE, sessionCookie } from './cookies.ts';
import { checkCookiesWork } from './secure-origin.ts';
import { checkSameOrigin, presentedSession } from './presented-session.ts';

/** Signing in to the portal and out, as requests of its pages. */
export function serveSessions(app: FastifyInstance, options: ControlPlaneOptions): void {
  serveBeginnings(app, options);
  serveSession(app, options);
}

function serveBeginnings(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, portal, publicUrl } = options;
  const { signIn } = portal;

  app.get(fastifyPath(routes.getSignInWays), async () => ({
    provider:
      signIn.provider === undefined ? null : { name: signIn.provider.name, url: `${publicUrl()}/sign-in` },
    link: true,
  }));

  bind(app, accounts, routes.createSignInLink, async (caller) => {
    const { secret, expiresAt } = signIn.createLink(await keyHolder(caller));
    return { url: linkUrl(publicUrl(), secret.reveal()), expiresAt: rfc3339(expiresAt) };
  });

  app.post(fastifyPath(routes.redeemSignInLink), {
    onRequest: async (request) => {
      checkCookiesWork(request, publicUrl());
      // Or pages of other sites could sign somebody in to an account of theirs (login CSRF).
      checkSameOrigin(request);
    },
    handler: async (request, reply) => {
      const body = parse(routes.redeemSignInLink.body, request.body, 'body') as BeginBody;
      const { cookie, session } =
        'link' in body ? signIn.beginWithLink(body.link) : await signIn.beginWithKey(body.apiKey);
      // One browser, one session: what was open before does not stay behind.
      presentedSession(signIn.sessions, request)?.end();
      void reply.header('set-cookie', sessionCookie(cookie.reveal()));
      return await reply.status(201).send(await resourceOf(options, session));
    },
  });
}

type BeginBody = { readonly link: string } | { readonly apiKey: string };

function serveSession(app: FastifyInstance, options: ControlPlaneOptions): void {
  const { accounts, portal } = options;

  bind(app, accounts, routes.getSession, async ({ session, request }) => {
    const resource = await resourceOf(options, present(session));
    // HEAD shows nothing, so it must not use the one showing up.
    const first = request.method === 'GET' ? session?.takeFirstApiKey() : undefined;
    return { ...resource, ...(first !== undefined && { firstApiKey: first.reveal() }) };
  });

  bind(app, accounts, routes.unlockSession, async ({ session, body }) => {
    await portal.signIn.unlock(present(session), body.apiKey);
    return await resourceOf(options, present(session));
  });

  bind(app, accounts, routes.createSessionToken, async (caller) => {
    const { principal, holder } = await keyHolder(caller);
    const issued = await accounts.issueTokenFor(principal.keyId, holder);
    if (issued === undefined) throw new Error('a session outlived its key');
    return { token: issued.token.reveal(), expiresAt: rfc3339(issued.expiresAt) };
  });

  bind(app, accounts, routes.endSession, async ({ session, reply }) => {
    const { by } = present(session);
    present(session).end();
    void reply.header('set-cookie', NO_SESSION_COOKIE);
    const { provider } = portal.signIn;
    const url = by === 'provider' ? await provider?.endSessionUrl(`${options.publicUrl()}/`) : undefined;
    return { providerUrl: url ?? null };
  });
}

async function resourceOf(
  { accounts, rights }: ControlPlaneOptions,
  session: Session,
): Promise<SessionResource> {
  const { accountId } = session;
  const { id, name, email } = await rights.restriction.asOwnAct(accountId, () => accounts.get(accountId));
  return {
    account: { id, name, email, role: session.principal().role },
    unlocked: session.holder() !== undefined,
    fresh: session.isFresh(),
    expiresAt: rfc3339(session.expiresAt),
  };
}

/** The caller with the key that proved him or unlocked his session; throws `auth.locked` when there is none. */
async function keyHolder({ principal, unlock }: Caller): Promise<{
  principal: Caller['principal'] & { readonly keyId: ApiKeyId };
  holder: Awaited<ReturnType<Caller['unlock']>>;
}> {
  const holder = await unlock();
  const { keyId } = principal;
  if (keyId === undefined) throw new Error('a caller without a key opened the account key');
  return { principal: { ...principal, keyId }, holder };
}

/** Routes of access `session` have one. */
function present(session: Session | undefined): Session {
  if (session === undefined) throw new Error('the route was bound without a session');
  return session;
}

/** The secret stands behind `#`, which browsers keep to themselves: no proxy and no log sees it. */
export function linkUrl(publicUrl: string, secret: string): string {
  return `${publicUrl}/#link=${secret}`;
}
