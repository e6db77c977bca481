import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ForgingProvider, startForgingProvider } from '../testkit/forging-provider.ts';
import { type Platform, startPlatform } from '../testkit/index.ts';
import { type Arrived, PAGE, type Visitor, createVisitor, refusal } from './portal-visitor.ts';

/** Attacks on people who are signed in: by pages of other sites, by cookies put upon them, by keys that are no more. */
let provider: ForgingProvider;
let platform: Platform;
let visitor: Visitor;
let honest: Pick<ForgingProvider, 'person' | 'change'>;

beforeAll(async () => {
  provider = await startForgingProvider();
  honest = { person: provider.person, change: provider.change };
  platform = await startPlatform({ env: { ...provider.env, JELLYFAAS_SIGN_UP: 'open' } });
  visitor = createVisitor(platform.url, provider);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
  platform.remove();
});
afterEach(() => {
  Object.assign(provider, honest);
});

describe('a session', () => {
  it('is not one that somebody brought along (fixation)', async () => {
    const fixed = `__Host-jellyfaas=${randomBytes(32).toString('base64url')}`;
    const { location, cookie } = await visitor.depart('', { cookie: fixed });
    const { session } = await visitor.arrive(provider.answer(location), `${cookie}; ${fixed}`);
    expect(session).toBeDefined();
    expect(session).not.toBe(fixed);
    expect((await visitor.ask(fixed)).status).toBe(401);
  });

  it('ends when its browser signs in again', async () => {
    const { session: first = '' } = await visitor.signIn();
    const { location, cookie } = await visitor.depart('', { cookie: first });
    const { session } = await visitor.arrive(provider.answer(location), cookie);
    expect((await visitor.ask(session)).status).toBe(200);
    expect((await visitor.ask(first)).status).toBe(401);
  });

  it('does not count when the browser sends two of them', async () => {
    const { session = '' } = await visitor.signIn();
    expect((await visitor.ask(`${session}; __Host-jellyfaas=other`)).status).toBe(401);
  });

  it.each([
    ['without the header of the portal', { 'x-jellyfaas-portal': '' }, 401],
    ['for a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['for a page of a sibling', { 'sec-fetch-site': 'same-site' }, 403],
    ['for what was typed into the address bar', { 'sec-fetch-site': 'none' }, 403],
    [
      'for another origin of an older browser',
      { 'sec-fetch-site': undefined, origin: 'https://evil.example.com' },
      403,
    ],
    ['for a request that does not say where it comes from', { 'sec-fetch-site': undefined }, 403],
  ])('does not count %s (CSRF)', async (_name, change, status) => {
    const { session = '' } = await visitor.signIn();
    const headers = Object.entries({ ...PAGE, cookie: session, ...change });
    const kept = headers.filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(`${platform.url}/api/v1/session`, {
        method,
        headers: Object.fromEntries(kept),
      });
      expect(response.status).toBe(status);
    }
    expect((await visitor.ask(session)).status).toBe(200);
  });

  it('can be begun by pages of ours alone (login CSRF)', async () => {
    const body = JSON.stringify({ apiKey: platform.apiKey });
    const begin = async (headers: Record<string, string>, type = 'application/json') =>
      await fetch(`${platform.url}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': type, ...headers },
        body,
      });
    for (const headers of [{}, { 'x-jellyfaas-portal': '1' }, { ...PAGE, 'sec-fetch-site': 'cross-site' }]) {
      const response = await begin(headers);
      expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
    }
    expect((await begin(PAGE)).status).toBe(201);
    const insecure = await begin({ ...PAGE, origin: 'http://192.168.1.5:8080' });
    expect([insecure.status, await insecure.json()]).toMatchObject([
      409,
      { code: 'session.insecure_origin', detail: expect.stringContaining('publicUrl') },
    ]);
  });

  it('of a revoked key is over, and one that the key unlocked is locked again', async () => {
    const key = { 'x-jf-apikey': platform.apiKey };
    const made = await fetch(`${platform.url}/api/v1/api-keys`, { method: 'POST', headers: key });
    const { id, apiKey } = (await made.json()) as { id: string; apiKey: string };
    const begun = await fetch(`${platform.url}/api/v1/session`, {
      method: 'POST',
      headers: { ...PAGE, 'content-type': 'application/json' },
      body: JSON.stringify({ apiKey }),
    });
    const session = begun.headers.getSetCookie()[0]?.split(';')[0];
    const { body: linked } = await fetch(`${platform.url}/api/v1/sign-in-links`, {
      method: 'POST',
      headers: { 'x-jf-apikey': apiKey },
    }).then(async (response) => ({ body: (await response.json()) as { url: string } }));
    expect((await visitor.ask(session)).status).toBe(200);
    await fetch(`${platform.url}/api/v1/api-keys/${id}`, { method: 'DELETE', headers: key });
    expect((await visitor.ask(session)).status).toBe(401);
    const late = await visitor.ask(undefined, '/api/v1/session', {
      method: 'POST',
      body: { link: linked.url.split('#link=')[1] },
    });
    expect([late.status, late.headers.getSetCookie()]).toEqual([401, []]);
  });

  it('opens nothing of another account with a key of that account', async () => {
    const { session } = await visitor.signIn();
    const unlocked = await visitor.ask(session, '/api/v1/session/unlock', {
      method: 'POST',
      body: { apiKey: platform.apiKey },
    });
    expect(unlocked.status).toBe(401);
  });

  it('asks for a fresh sign-in before what cannot be undone, and the provider has to have asked', async () => {
    provider.person = { ...honest.person, sub: 'fresh', email: 'fresh@example.com' };
    await visitor.signIn();
    const { session = '' } = await visitor.signIn();
    const drop = async (): Promise<number> =>
      (await visitor.ask(session, '/api/v1/functions/nothing', { method: 'DELETE' })).status;
    expect(await drop()).toBe(403);
    const confirm = async (authTime: number | undefined): Promise<Arrived> => {
      provider.change = (claims) => ({ ...claims, auth_time: authTime });
      const { location, cookie } = await visitor.depart('?confirm=1', { cookie: session });
      expect(Object.fromEntries(new URL(location).searchParams)).toMatchObject({
        prompt: 'login',
        max_age: '0',
      });
      return await visitor.arrive(provider.answer(location), cookie);
    };
    const now = Math.floor(Date.now() / 1000);
    expect(refusal(await confirm(undefined))).toEqual([403, 'sign_in.not_proven']);
    expect(refusal(await confirm(now - 3600))).toEqual([403, 'sign_in.not_proven']);
    expect(await drop()).toBe(403);
    expect((await confirm(now)).status).toBe(200);
    expect(await drop()).toBe(404);
  });
});
