import type { FastifyRequest } from 'fastify';
import type { Accounts } from '../../accounts/accounts.ts';
import type { Principal } from '../../accounts/principal.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { invalidKey, presentedKey } from '../control/authenticate.ts';

/** Proves the caller of a request; asked again before news goes out on a stream that has been open for long. */
export type Proof = () => Promise<Principal | undefined>;

/**
 * What a request presents: an API key, or a JFWT as bearer or in its own header. A JFWT is encrypted by this
 * installation for itself, so one of another installation is no token here. Throws 401 for whatever is not live.
 */
export async function authorize(
  accounts: Pick<Accounts, 'authenticateKey' | 'verifyToken'>,
  request: FastifyRequest,
): Promise<{ principal: Principal; prove: Proof }> {
  const key = presentedKey(request);
  const token = key === undefined ? presentedToken(request) : undefined;
  const prove: Proof = async () => {
    if (key !== undefined) return accounts.authenticateKey(key);
    return token === undefined ? undefined : accounts.verifyToken(token);
  };
  const principal = await prove();
  if (principal !== undefined) return { principal, prove };
  throw token === undefined ? invalidKey() : invalidToken();
}

function presentedToken({ headers }: FastifyRequest): string | undefined {
  const header = headers['jfwt'] ?? headers['p48wt'];
  if (typeof header === 'string' && header !== '') return header;
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function invalidToken(): PlatformError {
  return new PlatformError({
    kind: 'unauthenticated',
    code: 'auth.invalid_token',
    message: 'The token is wrong, expired or revoked. Get a new one from /auth-service/v1/validate.',
  });
}

/** RFC 9728, 5.1: where a client learns how to get in. An error is named only to those who tried (RFC 6750, 3.1). */
export function challenge(request: FastifyRequest, metadataUrl: string): string {
  const tried = presentedKey(request) !== undefined || presentedToken(request) !== undefined;
  return `Bearer resource_metadata="${metadataUrl}"${tried ? ', error="invalid_token"' : ''}`;
}

/**
 * Browsers name the page that a request comes from. Pages of other sites are refused: one whose name was bound to our
 * address anew (DNS rebinding) gives itself away by it. Clients that are no browsers send none.
 */
export function checkOrigin(origin: string | undefined, publicUrl: string): void {
  if (origin === undefined || origin === new URL(publicUrl).origin) return;
  throw new PlatformError({
    kind: 'permission_denied',
    code: 'mcp.foreign_origin',
    message: 'Pages of other sites may not use this endpoint. Use a client outside the browser.',
  });
}
