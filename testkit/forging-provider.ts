import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
  exportJWK,
  exportSPKI,
  generateKeyPair,
} from 'jose';
import { onLoopback } from './loopback.ts';

type Claims = Record<string, unknown>;

/** An identity provider that says whatever a test wants, over real HTTP. Left alone it is an honest one. */
export interface ForgingProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly env: Record<string, string>;
  /** Of the one person who signs in. */
  person: Claims;
  /** Changes the ID token's claims before they are signed. */
  change: (claims: Claims) => Claims;
  /** Makes the ID token of its claims; signs them honestly if absent. */
  forge: ((claims: Claims) => Promise<string> | string) | undefined;
  /** Nothing but the person's `sub` if absent. */
  userInfo: Claims | undefined;
  /** Of the token endpoint's answer, beside the tokens. */
  extra: Claims;
  accessTokenSeconds: number;
  /** What its discovery document says beside the usual. */
  metadata: Claims;
  /** Its clock, in epoch milliseconds. */
  now: () => number;
  /** Answers nothing. */
  isDown: boolean;
  /** Paths that were asked for. */
  readonly asked: string[];
  readonly publicJwk: JWK;
  readonly publicPem: string;
  readonly sign: (claims: Claims, header?: Partial<JWTHeaderParameters>, key?: CryptoKey) => Promise<string>;
  /** What the browser would come back with, from where the platform sent it: the query of the callback. */
  answer(authorizationUrl: string): URLSearchParams;
  /** From now on other keys, under another name. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** A header parameter that only forgeries use. */
export const ODD = 'urn:odd';
const CLIENT_ID = 'jellyfaas';
const CLIENT_SECRET = 'forged-client-secret-0123456789';

interface Code {
  readonly nonce: string;
  readonly challenge: string;
}

export async function startForgingProvider(): Promise<ForgingProvider> {
  const server = createServer();
  const { url: issuer, close } = await onLoopback(server);
  const codes = new Map<string, Code>();
  let { key, publicJwk, publicPem, kid } = await newKey();

  const provider: ForgingProvider = {
    issuer,
    clientId: CLIENT_ID,
    env: {
      JELLYFAAS_OIDC_ISSUER: issuer,
      JELLYFAAS_OIDC_CLIENT_ID: CLIENT_ID,
      JELLYFAAS_OIDC_CLIENT_SECRET: CLIENT_SECRET,
    },
    person: { sub: 'mallory', name: 'Mallory', email: 'mallory@example.com', email_verified: true },
    change: (claims) => claims,
    forge: undefined,
    userInfo: undefined,
    extra: {},
    accessTokenSeconds: 300,
    metadata: {},
    now: Date.now,
    isDown: false,
    asked: [],
    get publicJwk() {
      return publicJwk;
    },
    get publicPem() {
      return publicPem;
    },
    sign: (claims, header = {}, signer = key) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid, ...header })
        .sign(signer, { crit: { [ODD]: true } }),
    answer(authorizationUrl) {
      const { searchParams: asked } = new URL(authorizationUrl);
      const code = randomBytes(16).toString('hex');
      codes.set(code, {
        nonce: asked.get('nonce') ?? '',
        challenge: asked.get('code_challenge') ?? '',
      });
      return new URLSearchParams({ code, state: asked.get('state') ?? '' });
    },
    async rotate() {
      ({ key, publicJwk, publicPem, kid } = await newKey());
    },
    close,
  };
  server.on('request', (req, res) => void serve(provider, codes, { req, res }));
  return provider;
}

async function newKey(): Promise<{ key: CryptoKey; publicJwk: JWK; publicPem: string; kid: string }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomBytes(4).toString('hex');
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  return { key: privateKey, publicJwk, publicPem: await exportSPKI(publicKey), kid };
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

async function serve(
  provider: ForgingProvider,
  codes: Map<string, Code>,
  { req, res }: Exchange,
): Promise<void> {
  if (provider.isDown) {
    req.socket.destroy();
    return;
  }
  const path = (req.url ?? '').split('?')[0] ?? '';
  provider.asked.push(path);
  const answers: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => metadataOf(provider),
    '/jwks': () => ({ keys: [provider.publicJwk] }),
    '/token': async () => await tokens(provider, codes, new URLSearchParams(await text(req))),
    '/userinfo': () => provider.userInfo ?? { sub: provider.person['sub'] },
  };
  const body = await answers[path]?.();
  res.writeHead(body === undefined ? 400 : 200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body ?? { error: 'invalid_grant', error_description: 'said-by-the-provider' }));
}

function metadataOf({ issuer, metadata }: ForgingProvider): Claims {
  return {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    ...metadata,
  };
}

/** A code is good once, and only with the verifier of its challenge. */
async function tokens(
  provider: ForgingProvider,
  codes: Map<string, Code>,
  form: URLSearchParams,
): Promise<Claims | undefined> {
  const { issuer, person, change, forge, sign, extra, accessTokenSeconds } = provider;
  const name = form.get('code') ?? '';
  const code = codes.get(name);
  codes.delete(name);
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  const isRenewal = form.get('grant_type') === 'refresh_token';
  if (!isRenewal && code?.challenge !== challenge) return undefined;
  if (form.get('client_secret') !== CLIENT_SECRET) return undefined;
  const now = Math.floor(provider.now() / 1000);
  const claims = change({
    iss: issuer,
    aud: CLIENT_ID,
    iat: now,
    exp: now + 300,
    ...(code !== undefined && { nonce: code.nonce }),
    ...person,
  });
  return {
    access_token: 'opaque-access-token',
    token_type: 'bearer',
    expires_in: accessTokenSeconds,
    id_token: await (forge ?? sign)(claims),
    ...extra,
  };
}
