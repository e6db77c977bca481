import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { DESKTOP, PHONE, screenshot, violationsOf } from '../testkit/browser.ts';

/** A page of the portal in the hands of a test. */
export interface PortalPage {
  readonly page: Page;
  /** What the browser complained about: broken policies, failed scripts, refused requests. */
  readonly complaints: readonly string[];
  /** Requests to anywhere but the platform. */
  readonly foreign: readonly string[];
  /** On a wide light screen and on a narrow dark one: nothing is in anybody's way. Keeps how it looks. */
  readonly look: (name: string) => Promise<void>;
  /** Goes to a page by its entry in the navigation. */
  readonly visit: (name: string) => Promise<void>;
  readonly button: (name: string | RegExp, within?: Locator) => Locator;
  /** Whether or not its box is hidden behind a drawn one. */
  readonly check: (label: string | RegExp) => Promise<void>;
  /** The one press that saves a file, and what is in it. */
  readonly saved: (press: () => Promise<void>) => Promise<{ readonly name: string; readonly text: string }>;
}

export function portalPage(page: Page, url: string): PortalPage {
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const isOurs = /^(?:blob|data):/.test(request.url()) || request.url().startsWith(url);
    if (!isOurs) foreign.push(request.url());
  });
  return {
    page,
    complaints,
    foreign,
    async look(name) {
      expect(await violationsOf(page)).toEqual([]);
      await screenshot(page, `${name}-light`);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize(PHONE);
      expect(await violationsOf(page)).toEqual([]);
      await screenshot(page, `${name}-dark-phone`);
      const [content, width] = await page.evaluate<number[]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(content).toBe(width);
      await page.setViewportSize(DESKTOP);
      await page.emulateMedia({ colorScheme: 'light' });
    },
    async visit(name) {
      const pages = page.getByRole('navigation', { name: 'Pages' });
      await pages.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
    },
    button: (name, within) => (within ?? page).getByRole('button', { name, exact: typeof name === 'string' }),
    check: (label) => page.getByLabel(label).click({ force: true }),
    async saved(press) {
      const [download] = await Promise.all([page.waitForEvent('download'), press()]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
    },
  };
}
