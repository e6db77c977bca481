import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import { type IdentityProvider, startIdentityProvider } from '../testkit/identity-provider.ts';
import { type Platform, startPlatform } from '../testkit/index.ts';
import { type PortalPage, portalPage } from './portal-page.ts';

/** What the portal shows somebody whom the identity provider let in: signed in, not unlocked, and not lately. */
let provider: IdentityProvider;
let platform: Platform;
let browser: Browser;
let portal: PortalPage;
let page: PortalPage['page'];
let button: PortalPage['button'];
/** The first key of the account, and another one. */
let apiKey: string;
let second: string;

beforeAll(async () => {
  const grace = { name: 'Grace Hopper', email: 'grace@example.com', email_verified: true };
  provider = await startIdentityProvider(new Map([['grace', grace]]));
  const env = { ...provider.env, JELLYFAAS_SIGN_UP: 'open' };
  [platform, browser] = await Promise.all([startPlatform({ env }), launchBrowser()]);
  const context = await browser.newContext({ viewport: DESKTOP });
  portal = portalPage(await context.newPage(), platform.url);
  ({ page, button } = portal);
  await signIn();
  apiKey = await page.getByRole('dialog').locator('pre').innerText();
  await furnish();
  await context.clearCookies();
  await signIn();
});

afterAll(async () => {
  await browser.close();
  await platform.stop();
  await provider.close();
  platform.remove();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => screenshot(page, 'locked-failed')));

async function signIn(): Promise<void> {
  await page.goto(platform.url);
  await page.getByRole('link', { name: /Continue with/ }).click();
  await answerProvider();
}

async function answerProvider(): Promise<void> {
  await page.getByLabel('Login').fill('grace');
  await page.getByLabel('Password').fill('any');
  await button('Sign in').click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** With the key, behind the back of the portal. */
async function furnish(): Promise<void> {
  const post = async <T>(path: string, body: object): Promise<T> => {
    const headers = { 'x-jf-apikey': apiKey, 'content-type': 'application/json' };
    const made = await fetch(`${platform.url}/api/v1${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    expect(made.status).toBe(201);
    return (await made.json()) as T;
  };
  await post('/sql', { name: 'fleet' });
  await post('/aimee/sites', { name: 'Morgenrot' });
  second = (await post<{ apiKey: string }>('/api-keys', {})).apiKey;
}

const UNLOCK = 'Unlock with an API key';

describe('a session that no key has opened', () => {
  it.each([
    ['Vectors', 'locked-vectors'],
    ['SQL', 'locked-sql'],
    ['Keys and tokens', 'locked-keys'],
  ])('says on the page %s why it is shut, and what opens it', async (name, picture) => {
    await portal.visit(name);
    await page.getByRole('heading', { name: UNLOCK }).waitFor();
    await page.getByText('Signing in alone does not').waitFor();
    expect(await page.getByText('fleet').count()).toBe(0);
    await portal.look(picture);
  });

  it('says so of conversations, and shows the site', async () => {
    await portal.visit('AI.Mee');
    await page.getByRole('link', { name: 'Morgenrot' }).click();
    await page.getByRole('heading', { level: 1, name: 'Morgenrot' }).waitFor();
    await page.getByRole('tab', { name: 'Conversations' }).click();
    await page.getByRole('heading', { name: UNLOCK }).waitFor();
    await portal.look('locked-conversations');
  });

  it('is not opened by a key that is none, and says so', async () => {
    await portal.visit('SQL');
    await page.getByLabel('API key').fill(platform.apiKey);
    await button('Unlock').click();
    await page.getByRole('alert').waitFor();
    await portal.look('locked-refused');
    expect(await page.getByLabel('API key').inputValue()).toBe(platform.apiKey);
  });
});

describe('a sign-in that is too long ago', () => {
  const revoke = async (): Promise<void> => {
    await button(/^Revoke/)
      .last()
      .click();
    await button('Revoke', page.getByRole('dialog')).click();
  };

  it('is confirmed at the provider before a key is revoked, and nothing has happened until then', async () => {
    await portal.visit('Keys and tokens');
    await revoke();
    const asking = page.getByRole('dialog');
    await asking.getByText('needs a sign-in of the last five minutes').waitFor();
    await portal.look('locked-not-fresh');
    expect((await me(second)).status).toBe(200);
    await asking.getByRole('link', { name: /Confirm with/ }).click();
    await answerProvider();
    await page.getByRole('heading', { level: 1, name: 'Keys and tokens' }).waitFor();
    await revoke();
    await page.getByText('This is your only key').waitFor();
    expect([(await me(apiKey)).status, (await me(second)).status]).toEqual([200, 401]);
  });

  const me = (key: string): Promise<Response> =>
    fetch(`${platform.url}/api/v1/me`, { headers: { 'x-jf-apikey': key } });
});

describe('a key', () => {
  it('opens what is sealed, on the page where it is asked for', async () => {
    await portal.visit('SQL');
    await page.getByLabel('API key').fill(apiKey);
    await page.keyboard.press('Enter');
    await page.getByText('fleet').waitFor();
    expect(portal.foreign.filter((url) => !url.startsWith(provider.issuer))).toEqual([]);
  });
});

describe('an installation without a model', () => {
  it('says on the page Ask what an operator can do about it', async () => {
    const { url, apiKey: key } = inject('platform');
    const context = await browser.newContext({ viewport: DESKTOP });
    const asking = portalPage(await context.newPage(), url);
    await asking.page.goto(url);
    await asking.page.getByLabel('API key').fill(key);
    await asking.page.keyboard.press('Enter');
    await asking.visit('Ask');
    await asking.page.getByRole('heading', { name: 'There is no model yet' }).waitFor();
    for (const name of ['A model on this machine', 'A model at an endpoint'])
      await asking.page.getByRole('heading', { name, exact: true }).waitFor();
    expect(await asking.page.getByRole('region', { name: 'Settings of the server' }).allInnerTexts()).toEqual(
      [expect.stringContaining('JELLYFAAS_MODEL_FILE'), expect.stringContaining('JELLYFAAS_MODEL_URL')],
    );
    expect(await asking.page.getByRole('textbox').count()).toBe(0);
    await asking.look('ask-no-model');
    await context.close();
  });
});
