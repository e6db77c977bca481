import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DESKTOP, launchBrowser, screenshot, signInByLink, violationsOf } from '../testkit/browser.ts';
import { type IdentityProvider, type People, startIdentityProvider } from '../testkit/identity-provider.ts';
import { type Platform, startPlatform } from '../testkit/index.ts';

/** How people get into the portal and out: a real browser, a real provider, a real platform. */
const PASSWORD = 'correct horse battery staple';
const people: People = new Map([
  ['grace', { name: 'Grace Hopper', email: 'grace@example.com', email_verified: true }],
  ['ada', { name: 'Ada Lovelace', email: 'Ada@Example.com', email_verified: true }],
]);
let provider: IdentityProvider;
let platform: Platform;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the browser complained about: broken policies, failed scripts. */
let complaints: string[];

beforeAll(async () => {
  provider = await startIdentityProvider(people);
  const env = { ...provider.env, JELLYFAAS_SIGN_UP: 'open' };
  [platform, browser] = await Promise.all([startPlatform({ env }), launchBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await platform.stop();
  await provider.close();
  platform.remove();
});
beforeEach(async () => {
  complaints = [];
  context = await browser.newContext({ viewport: DESKTOP });
  page = await context.newPage();
  // Refusals are what some of this is about.
  page.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return async () => {
    await context.close();
    expect(complaints).toEqual([]);
  };
});

const account = (name: string | RegExp) => page.getByRole('button', { name });

async function newLink(): Promise<string> {
  const response = await fetch(`${platform.url}/api/v1/sign-in-links`, {
    method: 'POST',
    headers: { 'x-jf-apikey': platform.apiKey },
  });
  return ((await response.json()) as { url: string }).url;
}

/** The provider's own page. */
async function answerProvider(login: string): Promise<void> {
  await page.getByLabel('Login').fill(login);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function signInAs(login: string): Promise<void> {
  await page.goto(platform.url);
  await page.getByRole('link', { name: /Continue with/ }).click();
  await answerProvider(login);
}

/** A request of the page itself, under its session. */
async function asked(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: unknown }> {
  return await page.evaluate(
    async ([how, where, sent]) => {
      const response = await fetch(where ?? '', {
        method: how ?? '',
        headers: { 'x-jellyfaas-portal': '1', ...(sent && { 'content-type': 'application/json' }) },
        ...(sent && { body: sent }),
      });
      return { status: response.status, body: await response.json().catch(() => undefined) };
    },
    [method, path, body && JSON.stringify(body)] as const,
  );
}

describe('a single-use link', () => {
  it('signs in once, unlocked, and is gone from the address', async () => {
    const link = await newLink();
    await signInByLink(page, link);
    await account('Owner').waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: '__Host-jellyfaas',
      path: '/',
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      expires: -1,
    });
    expect(await asked('GET', '/api/v1/session')).toMatchObject({ body: { unlocked: true, fresh: true } });

    const other = await browser.newContext();
    const late = await other.newPage();
    await late.goto(link);
    await late.getByRole('button', { name: 'Sign in' }).click();
    await late.getByRole('alert').waitFor();
    await late.getByRole('button', { name: 'Not with this link' }).click();
    await late.getByLabel('API key').waitFor();
    expect(await other.cookies()).toEqual([]);
    await other.close();
  });

  it('is not used up by whoever only opens it, and asks before it lets anybody in', async () => {
    const link = await newLink();
    for (const method of ['GET', 'HEAD']) expect((await fetch(link, { method })).status).toBe(200);
    const scanner = await browser.newContext();
    const opened = await scanner.newPage();
    await opened.goto(link, { waitUntil: 'networkidle' });
    await opened.getByRole('heading', { name: 'Sign in with this link' }).waitFor();
    expect(opened.url()).toBe(`${platform.url}/`);
    expect(await scanner.cookies()).toEqual([]);
    await scanner.close();

    await page.goto(link);
    await page.getByRole('heading', { name: 'Sign in with this link' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await screenshot(page, 'sign-in-link');
    await signInByLink(page, link);
  });

  it('is dropped by whoever does not want it, and leaves a session alone until then', async () => {
    await signInByLink(page, await newLink());
    const [before] = await context.cookies();
    const link = await newLink();
    // The portal is open already: to the browser, only the fragment is another.
    await page.goto(link);
    await page.getByRole('button', { name: 'Not with this link' }).click();
    await account('Owner').waitFor();
    expect(await context.cookies()).toEqual([before]);
    expect(page.url()).toBe(`${platform.url}/`);
  });

  it('is printed at the first start', () => {
    expect(platform.output()).toMatch(/http:\/\/127\.0\.0\.1:\d+\/#link=[\w-]{43}\n/);
  });
});

describe('the sign-in page', () => {
  it('takes an API key, is accessible, keeps nothing in the browser before, and keeps to its policy', async () => {
    await page.goto(platform.url);
    await page.getByRole('link', { name: /Continue with/ }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await screenshot(page, 'sign-in');
    expect(await context.cookies()).toEqual([]);
    await page.getByLabel('API key').fill(platform.apiKey);
    await page.keyboard.press('Enter');
    await account('Owner').waitFor();
  });

  it('ends the session on both sides when somebody signs out', async () => {
    await signInByLink(page, await newLink());
    await account('Owner').click();
    const [cookie] = await context.cookies();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await context.cookies()).toEqual([]);
    const replayed = await fetch(`${platform.url}/api/v1/session`, {
      headers: {
        cookie: `__Host-jellyfaas=${cookie?.value}`,
        'x-jellyfaas-portal': '1',
        'sec-fetch-site': 'same-origin',
      },
    });
    expect(replayed.status).toBe(401);
  });
});

describe('signing in through the provider', () => {
  it('makes an account at the first time, unlocked, and shows its first key once', async () => {
    await signInAs('grace');
    const dialog = page.getByRole('dialog', { name: 'Your first API key' });
    await dialog.waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
    expect(await violationsOf(page)).toEqual([]);
    await screenshot(page, 'sign-in-first-key');
    const key = (await dialog.locator('pre').textContent()) ?? '';
    expect(key).toMatch(/^sk_[0-9A-Za-z]{27}$/);
    await page.getByRole('button', { name: 'I have put it away' }).click();
    const session = await asked('GET', '/api/v1/session');
    expect(session.body).toMatchObject({ unlocked: true, account: { name: 'Grace Hopper', role: 'member' } });
    expect(session.body).not.toHaveProperty('firstApiKey');
    expect((await context.cookies()).map(({ name, domain }) => `${name} ${domain}`)).toContain(
      '__Host-jellyfaas 127.0.0.1',
    );

    // The second time the account is known, and locked until the key opens it.
    await context.clearCookies();
    await signInAs('grace');
    await account('Grace Hopper').waitFor();
    expect(await asked('POST', '/api/v1/sql', { name: 'fleet' })).toMatchObject({
      status: 403,
      body: { code: 'auth.locked' },
    });
    expect((await asked('GET', '/core-service/v1/library')).status).toBe(200);
    expect(await asked('POST', '/api/v1/session/unlock', { apiKey: platform.apiKey })).toMatchObject({
      status: 401,
    });
    expect(await asked('POST', '/api/v1/session/unlock', { apiKey: key })).toMatchObject({
      body: { unlocked: true, fresh: true },
    });
    expect((await asked('POST', '/api/v1/sql', { name: 'fleet' })).status).toBe(201);
    expect((await asked('POST', '/api/v1/session/token')).status).toBe(201);
  });

  it('links the account that the owner made for the same verified address, whatever its case', async () => {
    const made = await fetch(`${platform.url}/core-service/v1/entity`, {
      method: 'POST',
      headers: { 'x-jf-apikey': platform.apiKey, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'user', name: 'Countess', email: 'ada@example.com' }),
    });
    expect(made.status).toBeLessThan(300);
    await signInAs('ada');
    // The name is the one that the account has: the provider never overwrites it.
    await account('Countess').waitFor();
    people.set('ada', { name: 'Augusta', email: 'augusta@example.com', email_verified: true });
    await context.clearCookies();
    await signInAs('ada');
    await account('Countess').waitFor();
    expect(await asked('GET', '/api/v1/me')).toMatchObject({ body: { email: 'ada@example.com' } });
  });

  it('asks again before what cannot be undone', async () => {
    await signInAs('grace');
    await account('Grace Hopper').waitFor();
    const drop = () => asked('DELETE', '/api/v1/functions/nothing');
    expect(await drop()).toMatchObject({ status: 403, body: { code: 'auth.fresh_sign_in_required' } });
    await page.goto(`${platform.url}/sign-in?confirm=1&returnTo=/library`);
    // The provider knows him, and asks nevertheless.
    await answerProvider('grace');
    await page.waitForURL(`${platform.url}/library`);
    expect(await drop()).toMatchObject({ status: 404 });
  });

  it('confirms nobody by somebody else', async () => {
    await signInAs('grace');
    await account('Grace Hopper').waitFor();
    await page.goto(`${platform.url}/sign-in?confirm=1`);
    await answerProvider('ada');
    await account('Grace Hopper').waitFor();
    expect(await asked('GET', '/api/v1/session')).toMatchObject({ body: { fresh: false } });
  });
});

describe('signing out', () => {
  const signOut = async (name: string): Promise<void> => {
    await account(name).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
  };

  it('signs out at the provider, too, which hears nothing of who it is but its own cookie', async () => {
    await signInAs('grace');
    await account('Grace Hopper').waitFor();
    const [request] = await Promise.all([
      page.waitForRequest((sent) => sent.url().startsWith(`${provider.issuer}/session/end`)),
      signOut('Grace Hopper'),
    ]);
    const sent = new URL(request.url()).searchParams;
    expect(Object.fromEntries(sent)).toEqual({
      client_id: 'jellyfaas',
      post_logout_redirect_uri: `${platform.url}/`,
    });
    // Before the provider has said anything, the session here is over.
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('__Host-jellyfaas');
    await page.getByRole('button', { name: 'Yes, sign me out' }).click();
    await page.waitForURL(`${platform.url}/`);
    await page.getByRole('link', { name: /Continue with/ }).click();
    await page.getByLabel('Login').waitFor();
  });

  it('stays here where the provider did not let him in', async () => {
    await signInByLink(page, await newLink());
    await signOut('Owner');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(page.url()).toBe(`${platform.url}/`);
  });
});

describe('a page of another site', () => {
  it('can neither use the session of a visitor nor end it', async () => {
    await signInByLink(page, await newLink());
    await account('Owner').waitFor();
    // To a browser, another name of the same machine is another site.
    const other = createServer((_req, res) =>
      res.setHeader('content-type', 'text/html').end('<h1>Other</h1>'),
    );
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const foreign = await context.newPage();
    await foreign.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    const outcomes = await foreign.evaluate(async (target) => {
      const end = { method: 'DELETE', credentials: 'include' } as const;
      const header = { 'x-jellyfaas-portal': '1' };
      const attempts = [
        () => fetch(`${target}/api/v1/session`, { ...end, headers: header, mode: 'cors' }),
        () => fetch(`${target}/api/v1/session`, { credentials: 'include', headers: header }),
        () => fetch(`${target}/api/v1/session`, { credentials: 'include', method: 'POST', mode: 'no-cors' }),
      ];
      return await Promise.all(
        attempts.map((attempt) =>
          attempt().then(
            ({ type, status }) => `${type} ${status}`,
            () => 'refused',
          ),
        ),
      );
    }, platform.url);
    // What needs no leave of ours is sent, and told nothing; without the cookie, which is not sent along.
    expect(outcomes).toEqual(['refused', 'refused', 'opaque 0']);
    await foreign.close();
    expect(await asked('GET', '/api/v1/session')).toMatchObject({ status: 200 });
  });
});

describe('a restart', () => {
  it('signs everybody out', async () => {
    await signInByLink(page, await newLink());
    await account('Owner').waitFor();
    // What the page still loads would be missed, which it says.
    await page.waitForLoadState('networkidle');
    await platform.stop();
    platform = await startPlatform({ dataDir: platform.dataDir, env: provider.env });
    // Another port is the same host to a cookie, and nobody can have taken it meanwhile.
    await page.goto(platform.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});
