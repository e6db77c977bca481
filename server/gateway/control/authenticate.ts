import type { FastifyRequest } from 'fastify';
import type { Route } from '../../../contract/index.ts';
import type { Accounts } from '../../accounts/accounts.ts';
import type { Holder, Principal } from '../../accounts/principal.ts';
import { PlatformError } from '../../kernel/errors.ts';

export type Authenticator = Pick<Accounts, 'authenticateKey' | 'verifyToken' | 'unlock'>;

export interface Caller {
  readonly principal: Principal;
  /** The presented API key; undefined when a token proved the caller. */
  readonly apiKey: string | undefined;
  /** The account key that key or token carries, for what the account has sealed. Throws when it was revoked since. */
  readonly unlock: () => Promise<Holder>;
}

/** The API key of a request: `x-jf-apikey`, its old name, or a bearer. */
export function presentedKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-jf-apikey'] ?? request.headers['x-p48-apikey'];
  if (typeof header === 'string' && header !== '') return header;
  return /^Bearer (sk_\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

export function invalidKey(): PlatformError {
  return new PlatformError({
    kind: 'unauthenticated',
    code: 'auth.invalid_key',
    message: 'The API key is missing, wrong or revoked. Send a live key in the header x-jf-apikey.',
  });
}

/** Decides who makes a request, by the route's rule; throws 401 or 403. A bad key is never saved by a good token. */
export async function authenticate(
  accounts: Authenticator,
  request: FastifyRequest,
  access: Exclude<Route['access'], 'open'>,
): Promise<Caller> {
  const apiKey = access === 'token' ? undefined : presentedKey(request);
  if (apiKey === undefined) {
    if (access !== 'token' && access !== 'keyOrToken') throw invalidKey();
    const token = presentedToken(request);
    if (token === undefined) throw access === 'token' ? invalidToken() : invalidKey();
    const principal = await accounts.verifyToken(token);
    if (principal === undefined) throw invalidToken();
    return { principal, apiKey, unlock: () => unlock(accounts, token, invalidToken) };
  }
  const principal = await accounts.authenticateKey(apiKey);
  if (principal === undefined) throw invalidKey();
  if (access === 'ownerKey' && principal.role !== 'owner') {
    throw new PlatformError({
      kind: 'permission_denied',
      code: 'accounts.owner_only',
      message: "Only the installation's owner may do this. Ask the owner, or use the owner's API key.",
    });
  }
  return { principal, apiKey, unlock: () => unlock(accounts, apiKey, invalidKey) };
}

async function unlock(
  accounts: Pick<Accounts, 'unlock'>,
  presented: string,
  refusal: () => PlatformError,
): Promise<Holder> {
  const holder = await accounts.unlock(presented);
  if (holder === undefined) throw refusal();
  return holder;
}

function presentedToken(request: FastifyRequest): string | undefined {
  const token = request.headers['jfwt'] ?? request.headers['p48wt'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

function invalidToken(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'auth.invalid_token',
    message: 'The JFWT is missing, wrong, expired or revoked. Get a new one from /auth-service/v1/validate.',
  });
}
