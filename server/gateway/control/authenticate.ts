import type { FastifyRequest } from 'fastify';
import type { Route } from '../../../contract/index.ts';
import type { Accounts } from '../../accounts/accounts.ts';
import type { Holder, Principal } from '../../accounts/principal.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { Session, Sessions } from '../../sign-in/sessions.ts';
import { presentedSession } from '../portal/presented-session.ts';

export type Authenticator = Pick<Accounts, 'authenticateKey' | 'verifyToken' | 'unlock'>;

export interface Caller {
  readonly principal: Principal;
  /** Undefined when a key or token proved the caller. */
  readonly session: Session | undefined;
  /**
   * The account key that key or token carries, or that the session was unlocked with, for what the account has sealed.
   * Throws when it was revoked since, and `auth.locked` for a session without one.
   */
  readonly unlock: () => Promise<Holder>;
}

export interface CredentialStores {
  readonly accounts: Authenticator;
  /** Absent where the portal's sessions do not count. */
  readonly sessions?: Pick<Sessions, 'find'> | undefined;
}

export type Rule = Pick<Route, 'access' | 'fresh'>;

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

/**
 * Decides who makes a request, by the route's rule; throws 401 or 403. What is presented first counts, in the order key,
 * token, session: a bad key is never saved by a good token.
 */
export async function authenticate(
  { accounts, sessions }: CredentialStores,
  request: FastifyRequest,
  rule: Rule,
): Promise<Caller> {
  const caller =
    (await byKey(accounts, request, rule)) ??
    (await byToken(accounts, request, rule)) ??
    bySession(sessions, request, rule);
  if (caller === undefined) throw refusalOf(rule);
  if (rule.access === 'ownerKey' && caller.principal.role !== 'owner') throw ownerOnly();
  return caller;
}

async function byKey(
  accounts: Authenticator,
  request: FastifyRequest,
  { access }: Rule,
): Promise<Caller | undefined> {
  const key = access === 'token' || access === 'session' ? undefined : presentedKey(request);
  if (key === undefined) return undefined;
  const principal = await accounts.authenticateKey(key);
  if (principal === undefined) throw invalidKey();
  return { principal, session: undefined, unlock: () => unlock(accounts, key, invalidKey) };
}

async function byToken(
  accounts: Authenticator,
  request: FastifyRequest,
  { access }: Rule,
): Promise<Caller | undefined> {
  const token = access === 'token' || access === 'keyOrToken' ? presentedToken(request) : undefined;
  if (token === undefined) return undefined;
  const principal = await accounts.verifyToken(token);
  if (principal === undefined) throw invalidToken();
  return { principal, session: undefined, unlock: () => unlock(accounts, token, invalidToken) };
}

function bySession(
  sessions: Pick<Sessions, 'find'> | undefined,
  request: FastifyRequest,
  { access, fresh }: Rule,
): Caller | undefined {
  if (access === 'token' || sessions === undefined) return undefined;
  const session = presentedSession(sessions, request);
  if (session === undefined) return undefined;
  if (fresh === true && !session.isFresh()) throw staleSession();
  return {
    principal: session.principal(),
    session,
    async unlock() {
      const holder = session.holder();
      if (holder === undefined) throw lockedSession();
      return holder;
    },
  };
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

function refusalOf({ access }: Rule): PlatformError {
  if (access === 'token') return invalidToken();
  return access === 'session' ? noSession() : invalidKey();
}

function invalidToken(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'auth.invalid_token',
    message: 'The JFWT is missing, wrong, expired or revoked. Get a new one from /auth-service/v1/validate.',
  });
}

function ownerOnly(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'accounts.owner_only',
    message: "Only the installation's owner may do this. Ask the owner, or use the owner's API key.",
  });
}

function noSession(): PlatformError {
  return new PlatformError({
    kind: 'unauthenticated',
    code: 'auth.no_session',
    message: 'Nobody is signed in, or the session has ended. Sign in to the portal again.',
  });
}

function lockedSession(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'auth.locked',
    message: 'What the account has sealed opens with one of its API keys only. Unlock the session with one.',
  });
}

function staleSession(): PlatformError {
  return new PlatformError({
    kind: 'permission_denied',
    code: 'auth.fresh_sign_in_required',
    message: 'This cannot be undone, so it wants a sign-in of the last five minutes. Confirm who you are.',
  });
}
