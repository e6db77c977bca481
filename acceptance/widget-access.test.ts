import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DESKTOP, PHONE, launchBrowser, screenshot, violationsOf } from '../testkit/browser.ts';
import {
  ANSWER,
  type FakeAimee,
  type Garden,
  SUGGESTIONS,
  type Site,
  askWidget,
  gardenPage,
  openWidget,
  saying,
  startFakeAimee,
  startSite,
  visitSite,
} from '../testkit/widget-site.ts';

/** Whoever comes, with whatever: keyboards, screen readers, languages, screens. Only the answers are scripted. */
let browser: Browser;
let site: Site;
let server: FakeAimee;
const said: FakeAimee['answer'] = ({ path }) =>
  path.endsWith('/messages') ? saying('Hello.') : { status: 204 };

beforeAll(async () => {
  [browser, site, server] = await Promise.all([launchBrowser(), startSite(), startFakeAimee()]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site.close(), server.close()]);
});
beforeEach(() => {
  server.answer = said;
});

type Visit = Garden & { readonly options?: BrowserContextOptions };

async function visit({ options = {}, ...garden }: Visit = {}): Promise<Page> {
  return await visitSite(browser, site, {
    viewport: DESKTOP,
    reducedMotion: 'reduce',
    ...options,
    page: gardenPage(server.url, garden),
  });
}

async function chat(given: Visit = {}): Promise<{ page: Page; frame: Frame }> {
  const page = await visit(given);
  return { page, frame: await openWidget(page) };
}

describe('everybody', () => {
  it('reaches everything by keyboard, and the focus goes in and comes back', async () => {
    const page = await visit({ attributes: { suggestions: JSON.stringify(SUGGESTIONS) } });
    await page.locator('aimee-chat .launcher').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const launcher = page.getByRole('button', { name: 'AI assistant' });
    expect(await launcher.getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press('Enter');
    await page.locator('aimee-chat iframe.open').waitFor();
    expect(await launcher.getAttribute('aria-expanded')).toBe('true');
    const frame = page.frames()[1] as Frame;
    const focused = (): Promise<string> =>
      frame.evaluate<string>(
        'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
      );
    await expect.poll(focused).toBe('Your question');
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Enter');
    await frame.locator('.actions').waitFor();
    expect(await focused()).toBe('Your question');
    const order: string[] = [];
    for (let at = 0; at < 6; at++) {
      await page.keyboard.press('Shift+Tab');
      order.push(await focused());
    }
    expect(order).toEqual(['Not helpful', 'Helpful', 'Copy', 'AI assistant', 'Close', 'New conversation']);
    await frame.locator('textarea').focus();
    await page.keyboard.press('Escape');
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    expect(await page.evaluate('document.activeElement.shadowRoot.activeElement.className')).toBe('launcher');
    await page.close();
  });

  it('is told at once that this is an AI, and finds the privacy text of the site', async () => {
    site.pages.set('/privacy', '<title>Privacy</title>');
    const { page, frame } = await chat();
    const dialog = frame.getByRole('dialog', { name: 'AI assistant' });
    await dialog.getByText('You are talking to an AI. It can be wrong.').waitFor();
    expect(await dialog.getAttribute('aria-describedby')).toBe('notice');
    const opened = page.context().waitForEvent('page');
    await frame.getByRole('button', { name: 'Privacy' }).click();
    await (await opened).waitForURL(`${site.url}/privacy`);
    await page.context().close();
  });

  const looks: readonly [string, Visit][] = [
    ['desktop', { attributes: { suggestions: JSON.stringify(SUGGESTIONS) } }],
    [
      'dark',
      { attributes: { accent: '#ffd43b', title: 'Ask Ada’s gardeners' }, options: { colorScheme: 'dark' } },
    ],
    ['phone', { attributes: { accent: '#0b6b45', theme: 'light' }, options: { viewport: PHONE } }],
    ['left', { attributes: { position: 'left', accent: '#777777', theme: 'dark' } }],
    ['rtl', { language: 'ar-EG' }],
    ['zoom', { options: { viewport: { width: 320, height: 256 } } }],
    ['forced-colors', { options: { forcedColors: 'active', reducedMotion: 'reduce' } }],
  ];
  it.each(looks)('can read and use it: %s', async (name, given) => {
    const { page, frame } = await chat(given);
    await screenshot(page, `widget-${name}-open`);
    server.answer = () => saying(ANSWER, { sources: [{ title: 'Prices', url: `${site.url}/prices` }] });
    await askWidget(frame, 'What does a spring check cost, and what do you do for it?');
    await screenshot(page, `widget-${name}`);
    expect(await violationsOf(frame as unknown as Page)).toEqual([]);
    expect(await violationsOf(page)).toEqual([]);
    const small = await frame.evaluate<string[]>(`
      [...document.querySelectorAll('button, input, textarea')]
        .filter((element) => Math.min(element.offsetWidth, element.offsetHeight) < 44)
        .map((element) => element.textContent)
    `);
    // Links in words are as wide as their words.
    expect(small.filter((text) => !text.endsWith('↗'))).toEqual([]);
    const overflow = await frame.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await page.close();
  });

  it('whatever the accent, reads what is written on it', async () => {
    const accents = ['#ff0000', '#767676', '#777777', '#ffffff'];
    for (const accent of accents) {
      const { page, frame } = await chat({ attributes: { accent } });
      expect(await violationsOf(frame as unknown as Page), accent).toEqual([]);
      await page.close();
    }
  });

  it.each([
    ['de-CH', 'ltr', 'Sie sprechen mit einer KI.'],
    ['ja', 'ltr', 'AIがお答えします。'],
    ['he', 'rtl', 'השיחה היא עם בינה מלאכותית.'],
    ['xx', 'ltr', 'You are talking to an AI.'],
    ['', 'ltr', 'You are talking to an AI.'],
  ])('is spoken to in the language of the page: %s', async (language, direction, notice) => {
    const { page, frame } = await chat({ language });
    expect(await frame.locator('#notice').innerText()).toContain(notice);
    expect(await frame.evaluate('document.documentElement.dir')).toBe(direction);
    await page.close();
  });
});

describe('a chat that the page opens', () => {
  it('leaves the focus where it is, and closes as any other', async () => {
    const page = await visit({ attributes: { open: '' } });
    await page.locator('#own').focus();
    await page.locator('aimee-chat iframe.open').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('own');
    const frame = page.frames()[1] as Frame;
    await askWidget(frame, 'Open?');
    // It was not modal; it closes with Escape all the same, and is like any other from then on.
    await frame.locator('textarea').press('Escape');
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    await openWidget(page);
    await frame.getByText('Open?').waitFor();
    await frame.locator('textarea:focus').waitFor();
    await frame.getByRole('button', { name: 'Close' }).click();
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    await page.close();
  });
});
