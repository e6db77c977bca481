import type { FastifyRequest } from 'fastify';

/** Everything that the platform ever keeps in a browser. Both end with it, and none is set on pages that are open to all. */
export const SESSION_COOKIE = '__Host-jellyfaas';
/** Ties a sign-in in progress to the browser that began it; Lax, because the way back leads from another site. */
export const SIGN_IN_COOKIE = '__Secure-jellyfaas-sign-in';

/** Undefined when there is none, or more than one: then somebody else may have put one of them there. */
export function readCookie({ headers }: FastifyRequest, name: string): string | undefined {
  const found = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined;
}

export function sessionCookie(value: string): string {
  return `${SESSION_COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

export const NO_SESSION_COOKIE = `${sessionCookie('')}; Max-Age=0`;

export function signInCookie(value: string): string {
  return `${SIGN_IN_COOKIE}=${value}; Path=/sign-in/callback; Secure; HttpOnly; SameSite=Lax; Max-Age=600`;
}

export const NO_SIGN_IN_COOKIE = `${SIGN_IN_COOKIE}=; Path=/sign-in/callback; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;
