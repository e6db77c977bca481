import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';

/** Browsers keep our cookies from https, and from the machine itself. */
export function checkCookiesWork({ headers }: FastifyRequest, publicUrl: string): void {
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin) || keepsCookies(new URL(origin))) return;
  throw insecureOrigin(publicUrl);
}

export function keepsCookies({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

export function insecureOrigin(publicUrl: string): PlatformError {
  const secure = publicUrl.startsWith('https:')
    ? `Open ${publicUrl} instead.`
    : 'Put a proxy with a certificate before the server and set publicUrl (JELLYFAAS_PUBLIC_URL) to its https address, or open the portal on the machine itself at 127.0.0.1, for example through an SSH tunnel.';
  return new PlatformError({
    kind: 'failed_precondition',
    code: 'session.insecure_origin',
    message: `Browsers keep the portal's cookie from encrypted pages only. ${secure}`,
  });
}
