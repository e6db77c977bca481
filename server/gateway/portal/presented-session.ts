import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';
import type { Session, Sessions } from '../../sign-in/sessions.ts';
import { SESSION_COOKIE, readCookie } from './cookies.ts';

/**
 * The session of a request of the portal. Browsers send the cookie along with whatever a page asks for, so it counts only
 * with a header that forms and links cannot send, on requests that the browser says come from our own pages.
 */
export function presentedSession(
  sessions: Pick<Sessions, 'find'>,
  request: FastifyRequest,
): Session | undefined {
  if (request.headers['x-jellyfaas-portal'] !== '1') return undefined;
  checkSameOrigin(request);
  const cookie = readCookie(request, SESSION_COOKIE);
  return cookie === undefined ? undefined : sessions.find(cookie);
}

/** Throws `auth.cross_site` unless a page of ours makes the request, and says so in the header of the portal. */
export function checkSameOrigin({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  // Older browsers do not say; then the page's own name has to be that of the server.
  const isOurs = site === undefined ? isFromHost(headers.origin, headers.host) : site === 'same-origin';
  if (isOurs && headers['x-jellyfaas-portal'] === '1') return;
  throw new PlatformError({
    kind: 'permission_denied',
    code: 'auth.cross_site',
    message: 'Only pages of the portal itself may do this. Open the portal and try it there.',
  });
}

function isFromHost(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
