import type { FastifyRequest } from 'fastify';
import type { Accounts } from '../../accounts/accounts.ts';
import type { Principal } from '../../accounts/principal.ts';
import { PlatformError } from '../../kernel/errors.ts';
import { type AccessTokens, FUNCTIONS_SCOPE } from '../../sign-in/access-tokens.ts';
import { invalidKey, presentedKey } from '../control/authenticate.ts';

/** Proves the caller of a request; asked again before news goes out on a stream that has been open for long. */
export type Proof = () => Promise<Principal | undefined>;

export interface Verifiers {
  readonly accounts: Pick<Accounts, 'authenticateKey' | 'verifyToken'>;
  /** Undefined where there is no identity provider. */
  readonly accessTokens: AccessTokens | undefined;
  /** Whom access tokens have to be for: this endpoint, by its public address. */
  readonly audience: string;
}

/**
 * What a request presents: an API key, or a token as bearer, or a JFWT in its own header. A JFWT is encrypted by this
 * installation for itself, so one of another installation is no token here; an access token of the identity provider
 * names this endpoint as its audience. Throws 401 for whatever is not live.
 */
export async function authorize(
  { accounts, accessTokens, audience }: Verifiers,
  request: FastifyRequest,
): Promise<{ principal: Principal; prove: Proof }> {
  const key = presentedKey(request);
  const token = key === undefined ? presentedToken(request) : undefined;
  const prove: Proof = async () => {
    if (key !== undefined) return await accounts.authenticateKey(key);
    if (token === undefined) return undefined;
    return isSigned(token)
      ? await accessTokens?.principalOf(token, audience)
      : await accounts.verifyToken(token);
  };
  const principal = await prove();
  if (principal !== undefined) return { principal, prove };
  throw token === undefined ? invalidKey() : invalidToken();
}

/** A JWS has three parts; a JFWT is a JWE and has five. */
function isSigned(token: string): boolean {
  return token.split('.', 4).length === 3;
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
export function challenge(
  request: FastifyRequest,
  { metadataUrl, error }: { readonly metadataUrl: string; readonly error: PlatformError },
): string {
  const tried = presentedKey(request) !== undefined || presentedToken(request) !== undefined;
  const isScope = error.code === 'sign_in.insufficient_scope';
  const fault = isScope ? 'insufficient_scope' : tried ? 'invalid_token' : undefined;
  return [
    `Bearer resource_metadata="${metadataUrl}"`,
    ...(fault === undefined ? [] : [`error="${fault}"`]),
    ...(isScope ? [`scope="${FUNCTIONS_SCOPE}"`] : []),
  ].join(', ');
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
