import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Context, Provider } from 'oidc-provider';
import { onLoopback } from './loopback.ts';

/** A person of the provider: claims beside `sub`, which is the key. */
export type People = Map<string, Record<string, unknown>>;

export interface IdentityProvider {
  readonly issuer: string;
  /** May be changed while it runs. Whoever is in here signs in with any password. */
  readonly people: People;
  /** Goes where a client sends the browser, signs in there as `login`, and gives the address that it comes back to. */
  authorize(url: string, login: string): Promise<URL>;
  /** Settings of a platform that uses it. */
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

const CLIENT_ID = 'jellyfaas';
const CLIENT_SECRET = 'client-secret-of-the-tests-0123456789';
export const PUBLIC_CLIENT_ID = 'mcp-client';
const SCOPES = 'openid profile email offline_access';

/** A certified OpenID provider on the loopback, with a sign-in page of its own. */
export async function startIdentityProvider(people: People): Promise<IdentityProvider> {
  const server = createServer();
  const { url: issuer, close } = await onLoopback(server);
  const provider = new Provider(
    issuer,
    configurationOf(people, () => provider),
  );
  // The platform's port is known only later.
  const isLocal = (uri: string): boolean => /^http:\/\/127\.0\.0\.1:\d+\//.test(uri);
  provider.Client.prototype.redirectUriAllowed = isLocal;
  provider.Client.prototype.postLogoutRedirectUriAllowed = isLocal;
  const serve = provider.callback();
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/') === true) void interact(provider, req, res);
    else serve(req, res);
  });
  return {
    issuer,
    people,
    authorize: (url, login) => walk(issuer, url, login),
    env: {
      JELLYFAAS_OIDC_ISSUER: issuer,
      JELLYFAAS_OIDC_CLIENT_ID: CLIENT_ID,
      JELLYFAAS_OIDC_CLIENT_SECRET: CLIENT_SECRET,
    },
    close,
  };
}

function configurationOf(people: People, provider: () => Provider): object {
  const common = {
    redirect_uris: ['http://127.0.0.1/'],
    grant_types: ['authorization_code', 'refresh_token'],
  };
  return {
    clients: [
      {
        ...common,
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...common,
        client_id: PUBLIC_CLIENT_ID,
        token_endpoint_auth_method: 'none',
      },
    ],
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    cookies: { keys: ['keys-of-the-tests'] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'picture', 'phone_number', 'permissions'],
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: 'functions',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_context: unknown, sub: string) => {
      const claims = people.get(sub);
      return claims && { accountId: sub, claims: () => ({ sub, ...claims }) };
    },
    /** Nobody is asked for consent. */
    async loadExistingGrant({ oidc }: Context) {
      const { client, session, params } = oidc;
      const grant = new (provider().Grant)({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(SCOPES);
      for (const resource of [params.resource ?? []].flat())
        grant.addResourceScope(resource, params.scope ?? '');
      await grant.save();
      return grant;
    },
  };
}

/** What a browser does, without one. */
async function walk(issuer: string, url: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let next = new URL(url);
  for (let steps = 0; next.origin === issuer && steps < 10; steps++) {
    const isPage = next.pathname.startsWith('/interaction/');
    const response = await fetch(next, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(isPage && { method: 'POST', body: new URLSearchParams({ login, password: 'any' }) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=');
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
    next = new URL(location, next);
  }
  return next;
}

/** The provider's sign-in page: a name, and a password that is never looked at. */
async function interact(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === 'POST') {
    const form = new URLSearchParams(await text(req));
    await provider.interactionFinished(req, res, { login: { accountId: form.get('login') } });
    return;
  }
  const { uid } = await provider.interactionDetails(req, res);
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(
    `<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1>` +
      `<form method="post" action="/interaction/${uid}"><label>Login <input name="login"></label>` +
      `<label>Password <input name="password" type="password"></label><button>Sign in</button></form></html>`,
  );
}
