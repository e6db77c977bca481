import { createLocalJWKSet } from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '../kernel/clock.ts';
import { PlatformError, causesOf } from '../kernel/errors.ts';
import { type ProvenPerson, completedBy, personOf } from './claims.ts';
import { Kept } from './kept.ts';
import { type Fetch, type ProviderFetch, ProviderUnreachable } from './provider-fetch.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { signInErrors } from './errors.ts';
import { type TokenVerifier, createTokenVerifier } from './token-verifier.ts';

/** What the two ends of a sign-in have to agree on. */
export interface Handshake {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/** A person whom the provider vouches for, and how to ask it again. */
export interface Voucher {
  readonly issuer: string;
  readonly person: ProvenPerson;
  /** When what the provider said of roles has to be read again, in epoch milliseconds. */
  readonly goodUntil: number;
  /** Undefined when the provider gave no means. */
  readonly renew: (() => Promise<Voucher>) | undefined;
}

/** The identity provider, by OpenID Connect: discovery, authorization code, PKCE. */
export interface Provider {
  readonly name: string;
  /** Where the browser goes. `reauthenticate`: whoever is signed in there already is asked again. */
  authorizationUrl(handshake: Handshake, reauthenticate: boolean): Promise<string>;
  /**
   * Takes what the browser came back with. `provedSince`: the person has to have proved who he is since then. Throws
   * `sign_in.*`, with nothing of what the provider said.
   */
  redeem(
    answer: URLSearchParams,
    handshake: Handshake,
    expected: { readonly provedSince: number | undefined },
  ): Promise<Voucher>;
  /**
   * Where the browser signs out at the provider, and comes back from to `returnTo`; undefined where the provider has no such
   * page or cannot be reached. Nothing in it tells who signs out: an ID token would have to be kept for that.
   */
  endSessionUrl(returnTo: string): Promise<string | undefined>;
  /** The issuer as it calls itself. */
  issuer(): Promise<string>;
  /** Claims of an access token for `audience`; undefined for every other token. */
  accessTokenClaims(token: string, audience: string): Promise<Record<string, unknown> | undefined>;
  close(): void;
}

export interface ProviderOptions {
  readonly settings: ProviderSettings;
  readonly outside: ProviderFetch;
  readonly clock: Clock;
}

const HOUR_MS = 3_600_000;
const METADATA_COOL_DOWN_MS = 2_000;
const KEYS_FRESH_MS = HOUR_MS / 6;
const KEYS_COOL_DOWN_MS = 15_000;
/** Roles are read again at least so often. */
const VOUCHER_MS_MAX = HOUR_MS;

export function createProvider({ settings, outside, clock }: ProviderOptions): Provider {
  const metadata = new Kept({
    load: () => discover(settings, outside),
    clock,
    freshMs: HOUR_MS,
    coolDownMs: METADATA_COOL_DOWN_MS,
  });
  const keys = new Kept({
    load: async () => await fetchKeys((await metadata.get()).jwks_uri, outside),
    clock,
    freshMs: KEYS_FRESH_MS,
    coolDownMs: KEYS_COOL_DOWN_MS,
  });
  const verifier = createTokenVerifier({ settings, keys, clock });
  const context: Context = { settings, outside, clock, verifier, metadata };

  return {
    name: settings.preset === 'kinde' ? 'Kinde' : settings.issuer.host,
    async authorizationUrl(handshake, reauthenticate) {
      const server = await metadata.get().catch(unreachable);
      const configuration = configure(settings, server, outside.fetch);
      return oidc.buildAuthorizationUrl(configuration, await parametersOf(context, handshake, reauthenticate))
        .href;
    },
    redeem: (answer, handshake, { provedSince }) => redeem(context, { answer, handshake, provedSince }),
    async endSessionUrl(returnTo) {
      const server = await metadata.get().catch(() => undefined);
      return server && endSessionUrl(context, server, returnTo);
    },
    issuer: async () => (await metadata.get().catch(unreachable)).issuer,
    async accessTokenClaims(token, audience) {
      const { issuer } = await metadata.get().catch(unreachable);
      return await verifier.accessToken(token, issuer, audience).catch(() => undefined);
    },
    close: () => outside.close(),
  };
}

interface Context {
  readonly settings: ProviderSettings;
  readonly outside: ProviderFetch;
  readonly clock: Clock;
  readonly verifier: TokenVerifier;
  readonly metadata: Kept<oidc.ServerMetadata>;
}

async function discover(settings: ProviderSettings, { fetch }: ProviderFetch): Promise<oidc.ServerMetadata> {
  const configuration = await oidc.discovery(settings.issuer, settings.clientId, undefined, undefined, {
    [oidc.customFetch]: fetch,
    execute: settings.issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
  });
  return configuration.serverMetadata();
}

async function fetchKeys(
  url: string | undefined,
  { fetch }: ProviderFetch,
): Promise<ReturnType<typeof createLocalJWKSet>> {
  const response = await fetch(url ?? '');
  if (!response.ok) throw new Error('the provider publishes no keys');
  return createLocalJWKSet((await response.json()) as Parameters<typeof createLocalJWKSet>[0]);
}

function configure(
  { clientId, clientSecret, issuer }: ProviderSettings,
  server: oidc.ServerMetadata,
  fetch: Fetch,
): oidc.Configuration {
  const configuration = new oidc.Configuration(
    server,
    clientId,
    {},
    clientAuthOf(server, clientSecret?.reveal()),
  );
  configuration[oidc.customFetch] = fetch;
  if (issuer.protocol === 'http:') oidc.allowInsecureRequests(configuration);
  return configuration;
}

function clientAuthOf(
  { token_endpoint_auth_methods_supported: methods }: oidc.ServerMetadata,
  secret: string | undefined,
): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  // Without a list, the standard says: basic.
  return methods?.includes('client_secret_post') === true
    ? oidc.ClientSecretPost(secret)
    : oidc.ClientSecretBasic(secret);
}

async function parametersOf(
  { settings }: Context,
  { state, nonce, codeVerifier, redirectUri }: Handshake,
  reauthenticate: boolean,
): Promise<Record<string, string>> {
  const offline = settings.preset === 'kinde' ? 'offline' : 'offline_access';
  // Roles are asked for again while a session lasts; nothing else needs that.
  const scopes = ['openid', 'profile', 'email', ...(settings.ownerPermission === undefined ? [] : [offline])];
  return {
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(reauthenticate && { prompt: 'login', max_age: '0' }),
  };
}

function endSessionUrl(
  { settings, outside }: Context,
  server: oidc.ServerMetadata,
  returnTo: string,
): string | undefined {
  const { end_session_endpoint: endpoint } = server;
  // A browser goes there as it stands: it has to be a page of the same kind as the issuer.
  if (endpoint === undefined || !URL.canParse(endpoint)) return undefined;
  if (new URL(endpoint).protocol !== settings.issuer.protocol) return undefined;
  return oidc.buildEndSessionUrl(configure(settings, server, outside.fetch), {
    post_logout_redirect_uri: returnTo,
    // Kinde's own name for it.
    ...(settings.preset === 'kinde' && { redirect: returnTo }),
  }).href;
}

async function redeem(context: Context, { answer, handshake, provedSince }: Redemption): Promise<Voucher> {
  const { settings, outside, verifier, metadata } = context;
  const server = await metadata.get().catch(unreachable);
  const held = withholdIdToken(outside.fetch);
  const url = new URL(handshake.redirectUri);
  url.search = answer.toString();
  try {
    const tokens = await oidc.authorizationCodeGrant(configure(settings, server, held.fetch), url, {
      expectedState: handshake.state,
      pkceCodeVerifier: handshake.codeVerifier,
    });
    const { nonce } = handshake;
    const claims = await verifier.idToken(held.take() ?? '', server.issuer, { nonce, provedSince });
    return await vouch(context, server, { person: personOf(claims), tokens });
  } catch (thrown) {
    throw failureOf(thrown);
  }
}

interface Redemption {
  readonly answer: URLSearchParams;
  readonly handshake: Handshake;
  readonly provedSince: number | undefined;
}

/** A person of whom the ID token tells, and the tokens that came with it. */
interface Granted {
  readonly person: ProvenPerson;
  readonly tokens: Pick<oidc.TokenEndpointResponse, 'access_token' | 'refresh_token' | 'expires_in'>;
}

async function vouch(context: Context, server: oidc.ServerMetadata, granted: Granted): Promise<Voucher> {
  const { refresh_token: refreshToken, expires_in: expiresIn = 300 } = granted.tokens;
  const person = await complete(context, server, granted);
  return {
    issuer: server.issuer,
    person,
    goodUntil: context.clock.now() + Math.min(expiresIn * 1000, VOUCHER_MS_MAX),
    renew: refreshToken === undefined ? undefined : () => renew(context, server, { person, refreshToken }),
  };
}

async function renew(
  context: Context,
  server: oidc.ServerMetadata,
  { person, refreshToken }: { readonly person: ProvenPerson; readonly refreshToken: string },
): Promise<Voucher> {
  const { settings, outside, verifier } = context;
  const held = withholdIdToken(outside.fetch);
  const tokens = await oidc.refreshTokenGrant(configure(settings, server, held.fetch), refreshToken);
  const idToken = held.take();
  const claims = idToken && (await verifier.idToken(idToken, server.issuer, {}));
  // What he was allowed before is not asked for again: it stands in the new tokens, or nowhere.
  const bare = { ...person, permissions: new Set<string>() };
  const renewed = claims === undefined || claims === '' ? bare : completedBy(bare, personOf(claims));
  return await vouch(context, server, {
    person: renewed,
    // A provider that gives no new one means that this one goes on.
    tokens: { ...tokens, refresh_token: tokens.refresh_token ?? refreshToken },
  });
}

/** Permissions may stand in the access token, and name and address at the user info endpoint. */
async function complete(
  context: Context,
  server: oidc.ServerMetadata,
  { person, tokens }: Granted,
): Promise<ProvenPerson> {
  const { settings, outside, verifier } = context;
  const { access_token: accessToken } = tokens;
  const isJwt = accessToken.split('.').length === 3;
  const claims = isJwt
    ? await verifier.accessToken(accessToken, server.issuer).catch(() => undefined)
    : undefined;
  const known = claims?.sub === undefined ? person : completedBy(person, personOf(claims));
  const isEnough =
    settings.ownerPermission === undefined && known.name !== undefined && known.isEmailVerified !== undefined;
  if (isEnough || server.userinfo_endpoint === undefined) return known;
  const configuration = configure(settings, server, outside.fetch);
  return completedBy(known, personOf(await oidc.fetchUserInfo(configuration, accessToken, known.subject)));
}

interface Withholding {
  readonly fetch: Fetch;
  readonly take: () => string | undefined;
}

/**
 * Takes the ID token out of the token endpoint's answer: openid-client reads its claims without looking at the signature,
 * and would refuse an audience that the preset of a provider allows. There is one place that verifies tokens.
 */
function withholdIdToken(fetch: Fetch): Withholding {
  let idToken: string | undefined;
  return {
    async fetch(url, init) {
      const response = await fetch(url, init);
      const body: unknown = await response.json();
      if (typeof body !== 'object' || body === null)
        throw new Error('the token endpoint answered with no object');
      const { id_token: withheld, ...rest } = body as Record<string, unknown>;
      if (typeof withheld === 'string') idToken = withheld;
      return Response.json(rest, { status: response.status });
    },
    take: () => idToken,
  };
}

function unreachable(): never {
  throw signInErrors.unreachable();
}

/** Nothing of what the provider, or whoever stands in for it, said is told on. */
function failureOf(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (causesOf(thrown).some((cause) => cause instanceof ProviderUnreachable))
    return signInErrors.unreachable();
  const isRefusal = thrown instanceof oidc.AuthorizationResponseError && thrown.error === 'access_denied';
  return isRefusal ? signInErrors.refused() : signInErrors.notProven();
}
