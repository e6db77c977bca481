import {
  Client,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type IdentityProvider,
  PUBLIC_CLIENT_ID,
  startIdentityProvider,
} from '../testkit/identity-provider.ts';
import { type Platform, startPlatform } from '../testkit/index.ts';

/** Clients of the protocol that get in by OAuth: the official one, a real provider, the real platform. */
let provider: IdentityProvider;
let platform: Platform;

beforeAll(async () => {
  provider = await startIdentityProvider(
    new Map([
      ['grace', { name: 'Grace', email: 'grace@example.com', email_verified: true }],
      ['stranger', { name: 'Stranger', email: 'stranger@example.com', email_verified: true }],
    ]),
  );
  platform = await startPlatform({ env: { ...provider.env, JELLYFAAS_SIGN_UP: 'open' } });
  // Grace has been in the portal once.
  const out = await fetch(`${platform.url}/sign-in`, { redirect: 'manual' });
  const back = await provider.authorize(out.headers.get('location') ?? '', 'grace');
  const cookie = out.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const page = await fetch(back, { headers: { cookie } });
  expect(page.status).toBe(200);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
  platform.remove();
});

interface Keeper extends OAuthClientProvider {
  /** What the provider's page came back with. */
  callback: URL | undefined;
  accessToken: string | undefined;
}

/** A client of somebody who is `login` at the provider; it asks there for something else, if `change` says so. */
function keeperFor(login: string, change: Record<string, string> = {}): Keeper {
  let verifier = '';
  const keeper: Keeper = {
    callback: undefined,
    accessToken: undefined,
    redirectUrl: 'http://127.0.0.1:1/callback',
    clientMetadata: { redirect_uris: ['http://127.0.0.1:1/callback'] },
    clientInformation: () => ({ client_id: PUBLIC_CLIENT_ID }),
    tokens: () =>
      keeper.accessToken === undefined
        ? undefined
        : { access_token: keeper.accessToken, token_type: 'Bearer' },
    saveTokens: ({ access_token }) => void (keeper.accessToken = access_token),
    async redirectToAuthorization(url) {
      for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
      keeper.callback = await provider.authorize(url.href, login);
    },
    saveCodeVerifier: (text) => void (verifier = text),
    codeVerifier: () => verifier,
  };
  return keeper;
}

const transportOf = (authProvider: OAuthClientProvider): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(new URL(`${platform.url}/mcp`), { authProvider });

/** The whole way: refused, sent to the provider, back with a code. */
async function grant(keeper: Keeper): Promise<void> {
  const transport = transportOf(keeper);
  const refused = new Client({ name: 'test', version: '1' }).connect(transport);
  await expect(refused).rejects.toBeInstanceOf(UnauthorizedError);
  if (keeper.callback === undefined) throw new Error('the client went nowhere');
  await transport.finishAuth(keeper.callback.searchParams);
}

async function post(token: string): Promise<Response> {
  return await fetch(`${platform.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
}

describe('an MCP client without a key', () => {
  it('finds the provider by itself and gets in', async () => {
    const keeper = keeperFor('grace');
    await grant(keeper);
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(transportOf(keeper));
    expect((await client.listTools()).tools).toEqual([]);
    await client.close();
  });

  it('is told the scope that its token lacks', async () => {
    const keeper = keeperFor('grace', { scope: 'openid' });
    await grant(keeper);
    const response = await post(keeper.accessToken ?? '');
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer resource_metadata="${platform.url}/.well-known/oauth-protected-resource/mcp", ` +
        'error="insufficient_scope", scope="functions"',
    );
  });

  it('of somebody who was never here gets no account', async () => {
    const keeper = keeperFor('stranger');
    await grant(keeper);
    const response = await post(keeper.accessToken ?? '');
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { error: { data: { code: 'sign_in.no_account' } } },
    ]);
  });

  it('gets in with no token for somewhere else, and none that was changed', async () => {
    const elsewhere = keeperFor('grace', { resource: 'https://other.example.org/mcp' });
    const transport = transportOf(elsewhere);
    await expect(new Client({ name: 'test', version: '1' }).connect(transport)).rejects.toBeInstanceOf(
      UnauthorizedError,
    );
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: PUBLIC_CLIENT_ID,
      code: elsewhere.callback?.searchParams.get('code') ?? '',
      redirect_uri: String(elsewhere.redirectUrl),
      code_verifier: await elsewhere.codeVerifier(),
      resource: 'https://other.example.org/mcp',
    });
    const answer = await fetch(`${provider.issuer}/token`, { method: 'POST', body: form });
    const { access_token: foreign } = (await answer.json()) as { access_token: string };
    expect(foreign.split('.')).toHaveLength(3);
    for (const token of [foreign, `${foreign.slice(0, -4)}AAAA`, 'a.b.c']) {
      const response = await post(token);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });
});

describe('the metadata of the endpoint', () => {
  it('name the provider as it calls itself', async () => {
    const response = await fetch(`${platform.url}/.well-known/oauth-protected-resource/mcp`);
    expect(await response.json()).toEqual({
      resource: `${platform.url}/mcp`,
      resource_name: 'JellyFaaS function library',
      bearer_methods_supported: ['header'],
      authorization_servers: [provider.issuer],
      scopes_supported: ['functions'],
    });
  });
});
