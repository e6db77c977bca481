import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ForgingProvider, startForgingProvider } from '../../testkit/forging-provider.ts';
import type { Clock } from '../kernel/clock.ts';
import { Secret } from '../kernel/secret.ts';
import { hostNetwork } from '../sandbox/egress-guard.ts';
import { createProviderFetch } from './provider-fetch.ts';
import { createProviderRole } from './provider-role.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { type Handshake, type Provider, type Voucher, createProvider } from './provider.ts';

/** One provider over real HTTP; only time is ours. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PUBLIC = 'https://faas.example.org/mcp';
let far: ForgingProvider;
let now: number;
let refused: string[];
/** How far the clock on the wall is off. */
let off = 0;
const clock: Clock = { now: () => now + off, monotonicMs: () => now };

beforeEach(async () => {
  off = 0;
  now = Date.now();
  refused = [];
  far = await startForgingProvider();
  far.now = () => now;
  return () => far.close();
});

function open(over: Partial<ProviderSettings> = {}): Provider {
  const issuer = new URL(far.issuer);
  const events = {
    emit: (_name: string, fields: { code?: unknown } = {}) => void refused.push(String(fields.code)),
  };
  const outside = createProviderFetch({ issuer, network: hostNetwork, events });
  const provider = createProvider({
    settings: {
      issuer,
      clientId: far.clientId,
      clientSecret: new Secret(far.env['JELLYFAAS_OIDC_CLIENT_SECRET'] ?? ''),
      preset: undefined,
      ownerPermission: undefined,
      trustEmails: false,
      signUp: 'open',
      ...over,
    },
    outside,
    clock,
  });
  opened.push(provider);
  return provider;
}

const opened: Provider[] = [];
afterEach(() => opened.splice(0).forEach((provider) => provider.close()));

async function redeem(provider: Provider, change: Record<string, string> = {}): Promise<Voucher> {
  const handshake: Handshake = {
    state: 'state',
    nonce: 'nonce',
    codeVerifier: 'v'.repeat(43),
    redirectUri: 'http://127.0.0.1:8080/sign-in/callback',
  };
  const answer = far.answer(await provider.authorizationUrl(handshake, false));
  for (const [name, value] of Object.entries(change)) answer.set(name, value);
  return await provider.redeem(answer, handshake, { provedSince: undefined });
}

const NOT_PROVEN = { code: 'sign_in.not_proven' };
const UNREACHABLE = { code: 'sign_in.provider_unreachable' };

describe('signing out at a provider', () => {
  const HOME = 'https://faas.example.org/';

  it('is a page that its metadata names, with nothing of who signs out', async () => {
    far.metadata = { end_session_endpoint: `${far.issuer}/end?theme=dark` };
    const url = new URL((await open().endSessionUrl(HOME)) ?? '');
    expect(url.origin + url.pathname).toBe(`${far.issuer}/end`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      theme: 'dark',
      client_id: far.clientId,
      post_logout_redirect_uri: HOME,
    });
  });

  it.each([undefined, 'javascript:alert(1)', 'data:text/html,hi', '/end', 'not a page'])(
    'is not asked for where that is %s',
    async (endpoint) => {
      far.metadata = endpoint === undefined ? {} : { end_session_endpoint: endpoint };
      expect(await open().endSessionUrl(HOME)).toBeUndefined();
    },
  );

  it('is not waited for while it is down', async () => {
    far.isDown = true;
    expect(await open().endSessionUrl(HOME)).toBeUndefined();
  });
});

describe('the keys of a provider', () => {
  it('may change at any time', async () => {
    const provider = open();
    await redeem(provider);
    await far.rotate();
    now += MINUTE;
    await redeem(provider);
    expect(far.asked.filter((path) => path === '/jwks')).toHaveLength(2);
  });

  it('are not fetched for every token of an unknown key', async () => {
    const provider = open();
    await redeem(provider);
    now += MINUTE;
    far.forge = (claims) => far.sign(claims, { kid: 'unknown' });
    for (let times = 0; times < 5; times++) await expect(redeem(provider)).rejects.toMatchObject(NOT_PROVEN);
    expect(far.asked.filter((path) => path === '/jwks')).toHaveLength(2);
  });

  it('that it no longer publishes are good no more', async () => {
    const provider = open();
    const token = await far.sign({ iss: far.issuer, aud: PUBLIC, exp: now / 1000 + 9000, sub: 'x' });
    expect(await provider.accessTokenClaims(token, PUBLIC)).toBeDefined();
    await far.rotate();
    now += HOUR;
    expect(await provider.accessTokenClaims(token, PUBLIC)).toBeUndefined();
  });
});

describe('a provider that is down', () => {
  it('goes on to count by the keys that are known', async () => {
    const provider = open();
    const token = await far.sign({ iss: far.issuer, aud: PUBLIC, exp: now / 1000 + 90_000, sub: 'x' });
    expect(await provider.accessTokenClaims(token, PUBLIC)).toMatchObject({ sub: 'x' });
    far.isDown = true;
    now += 12 * HOUR;
    expect(await provider.accessTokenClaims(token, PUBLIC)).toMatchObject({ sub: 'x' });
    await expect(redeem(provider)).rejects.toMatchObject(UNREACHABLE);
  });

  it('from the beginning is told as such, and asked again when it is back', async () => {
    far.isDown = true;
    const provider = open();
    await expect(redeem(provider)).rejects.toMatchObject(UNREACHABLE);
    await expect(provider.accessTokenClaims('a.b.c', PUBLIC)).rejects.toMatchObject(UNREACHABLE);
    far.isDown = false;
    now += MINUTE;
    await redeem(provider);
  });
});

describe('a provider', () => {
  it('that calls itself something else is none', async () => {
    far.metadata = { issuer: 'https://id.example.com' };
    await expect(redeem(open())).rejects.toMatchObject(UNREACHABLE);
  });

  it('that says it names itself in its answers has to (mix-up)', async () => {
    far.metadata = { authorization_response_iss_parameter_supported: true };
    const provider = open();
    await expect(redeem(provider)).rejects.toMatchObject(NOT_PROVEN);
    await expect(redeem(provider, { iss: 'https://evil.example.com' })).rejects.toMatchObject(NOT_PROVEN);
    await redeem(provider, { iss: far.issuer });
  });

  it.each([
    'http://127.0.0.1:8081/jwks',
    'https://127.0.0.1/jwks',
    'http://169.254.169.254/latest/meta-data',
  ])('cannot send this server to %s', async (url) => {
    far.metadata = { jwks_uri: url };
    await expect(redeem(open())).rejects.toMatchObject(UNREACHABLE);
    expect(refused).toHaveLength(1);
  });

  it('tells of a person what is kept, and no more gets in', async () => {
    far.person = {
      ...far.person,
      picture: 'p',
      roles: ['a', { id: 1, key: 'b', name: 'B' }],
      permissions: ['c', 7],
    };
    const { person } = await redeem(open());
    expect(person).toEqual({
      subject: 'mallory',
      name: 'Mallory',
      email: 'mallory@example.com',
      isEmailVerified: true,
      permissions: new Set(['a', 'b']),
      provedAt: undefined,
    });
  });

  it('may name itself as audience under the preset that allows it, and its party has to be us', async () => {
    const provider = open({ preset: 'kinde' });
    far.change = (claims) => ({ ...claims, aud: [far.issuer], azp: far.clientId });
    await redeem(provider);
    for (const azp of [undefined, 'another-client']) {
      far.change = (claims) => ({ ...claims, aud: [far.issuer], azp });
      await expect(redeem(provider)).rejects.toMatchObject(NOT_PROVEN);
    }
    far.change = (claims) => claims;
    await redeem(provider);
  });
});

describe('an access token', () => {
  const claims = (): Record<string, unknown> => ({
    iss: far.issuer,
    aud: PUBLIC,
    exp: now / 1000 + 60,
    sub: 'x',
  });

  it('counts for the audience that it names, until it ends', async () => {
    const provider = open();
    const token = await far.sign(claims(), { typ: 'at+jwt' });
    expect(await provider.accessTokenClaims(token, PUBLIC)).toMatchObject({ sub: 'x' });
    expect(await provider.accessTokenClaims(token, 'https://other.example.org/mcp')).toBeUndefined();
    now += 2 * MINUTE;
    expect(await provider.accessTokenClaims(token, PUBLIC)).toBeUndefined();
  });

  it('of another issuer, without an end, or of another type does not count', async () => {
    const provider = open();
    const { exp: _, ...endless } = claims();
    for (const token of [
      await far.sign({ ...claims(), iss: 'https://id.example.com' }),
      await far.sign(endless),
      await far.sign(claims(), { typ: 'logout+jwt' }),
      'a.b.c',
    ])
      expect(await provider.accessTokenClaims(token, PUBLIC)).toBeUndefined();
  });
});

describe('an owner by permission', () => {
  const permission = 'jellyfaas:own';

  it('is one for as long as the latest tokens of the provider say so', async () => {
    far.person = { ...far.person, permissions: [permission] };
    far.extra = { refresh_token: 'again' };
    const provider = open({ ownerPermission: permission });
    const voucher = await redeem(provider);
    const role = createProviderRole({ role: 'member', voucher, ownerPermission: permission, clock });
    expect(role()).toBe('owner');
    // Renewed ahead of its end: what was good for five minutes goes on.
    now += 4.5 * MINUTE;
    expect(role()).toBe('owner');
    now += 1 * MINUTE;
    await expect.poll(role).toBe('owner');
    // Taken back: the next tokens do not say so any more.
    far.person = { ...far.person, permissions: [] };
    now += 4.5 * MINUTE;
    expect(role()).toBe('owner');
    await expect.poll(role).toBe('member');
  });

  it('is none any more when the provider renews nothing', async () => {
    far.person = { ...far.person, permissions: [permission] };
    const voucher = await redeem(open({ ownerPermission: permission }));
    const role = createProviderRole({ role: 'member', voucher, ownerPermission: permission, clock });
    expect(role()).toBe('owner');
    off = -24 * 60 * MINUTE;
    now += 6 * MINUTE;
    expect(role()).toBe('member');
  });

  it('is never less than what the account is by itself', async () => {
    const voucher = await redeem(open());
    expect(createProviderRole({ role: 'owner', voucher, ownerPermission: permission, clock })()).toBe(
      'owner',
    );
    expect(createProviderRole({ role: 'member', voucher, ownerPermission: undefined, clock })()).toBe(
      'member',
    );
  });
});
