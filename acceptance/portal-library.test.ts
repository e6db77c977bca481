import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import {
  type Platform,
  type ScriptedModel,
  type ScriptedReply,
  startPlatform,
  startScriptedModel,
  templateFiles,
  zip,
} from '../testkit/index.ts';
import { type PortalPage, portalPage } from './portal-page.ts';

/** Home, library and questions of the portal, in a real browser against the real platform; only the model is scripted. */
let model: ScriptedModel;
let replies: ScriptedReply[] = [];
let platform: Platform;
let browser: Browser;
let portal: PortalPage;
let page: PortalPage['page'];
let button: PortalPage['button'];

beforeAll(async () => {
  model = await startScriptedModel(() => replies.shift() ?? { text: 'Nothing more to say.' });
  [platform, browser] = await Promise.all([
    startPlatform({
      layersOf: inject('platform').dataDir,
      env: { JELLYFAAS_MODEL_URL: model.url, JELLYFAAS_MODEL_NAME: 'scripted' },
    }),
    launchBrowser(),
  ]);
  const context = await browser.newContext({ viewport: DESKTOP, permissions: ['clipboard-write'] });
  portal = portalPage(await context.newPage(), platform.url);
  ({ page, button } = portal);
  page.setDefaultTimeout(15_000);
  await page.goto(platform.url);
  await page.getByLabel('API key').fill(platform.apiKey);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
});

afterAll(async () => {
  await browser.close();
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => screenshot(page, 'library-failed')));

describe('a fresh installation', () => {
  it('shows three steps to the first answer', async () => {
    await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor();
    await portal.look('home-empty');
  });
});

describe('a function', () => {
  it('is deployed from a zip, and one sees it build', async () => {
    await portal.visit('Library');
    await page.getByRole('heading', { name: 'No functions yet' }).waitFor();
    await page.getByRole('link', { name: 'Deploy a function' }).first().click();
    const archive = join(platform.dataDir, '..', `greeter-${process.pid}.zip`);
    writeFileSync(archive, await zip('greeter', templateFiles('nodejs24', { shortname: 'greeter' })));
    await page.locator('input[type=file]').setInputFiles(archive);
    await page.getByRole('link', { name: 'Try it' }).waitFor({ timeout: 60_000 });
    await portal.look('library-deployed');
  });

  it('shows what it wants and how to call it', async () => {
    await page.getByRole('link', { name: 'Open the function' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    for (const tab of ['Requirements', 'Code', 'Versions', 'Overview']) {
      await page.getByRole('tab', { name: tab }).click();
      await portal.look(`library-${tab.toLowerCase()}`);
    }
  });

  it('is tried, and answers', async () => {
    await page.getByRole('tab', { name: 'Try it' }).click();
    await button(/^Send /).click();
    await page.getByText('Status 200').waitFor();
    await portal.look('library-tried');
  });

  it('is called by a model that is asked', async () => {
    replies = [
      { toolCalls: [{ name: 'greeter', arguments: { name: 'Ada' } }] },
      { text: 'It says **hello** to Ada.' },
    ];
    await portal.visit('Ask');
    await page.getByText('All mine').click();
    await page.getByLabel('Your question').fill('Greet Ada.');
    await page.keyboard.press('Enter');
    await page.getByText('Called greeter').waitFor();
    await page.locator('strong', { hasText: 'hello' }).waitFor();
    await portal.look('ask-answered');
  });

  it('is counted at home, from its call records', async () => {
    await portal.visit('Home');
    await page.getByRole('heading', { name: 'Calls per day' }).waitFor();
    await page.getByRole('heading', { name: 'Quick start' }).waitFor();
    await portal.look('home-used');
  });

  it('is deleted, once its name is typed', async () => {
    await portal.visit('Library');
    await page
      .getByRole('link', { name: /greeter/i })
      .first()
      .click();
    await button(/^Delete/)
      .first()
      .click();
    const confirm = page.getByRole('dialog');
    await confirm.getByRole('textbox').fill('greeter');
    await button(/^Delete/, confirm).click();
    await page.getByRole('heading', { name: 'No functions yet' }).waitFor();
  });
});

it('asks nobody else and breaks no policy', () => {
  expect(portal.foreign).toEqual([]);
  expect(portal.complaints.filter((line) => !line.includes('401'))).toEqual([]);
});
