import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type Page, chromium } from 'playwright-core';

/** A real Chromium (Debian's package) for tests that look at pages as people do. */

const root = fileURLToPath(new URL('..', import.meta.url));
const SCREENSHOTS = join(root, '.tmp', 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Viewport {
  readonly width: number;
  readonly height: number;
}
export const DESKTOP: Viewport = { width: 1280, height: 900 };
export const PHONE: Viewport = { width: 360, height: 740 };

// Its own sandbox wants user namespaces and another user than root; the pages here are ours.
const CHROMIUM = {
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
};

export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, ...args] });
}

export interface ProfileOptions {
  /** Kept, for those who look what browsing left on disk. */
  readonly directory: string;
  /** Each connection that the browser and its children open is a line of this file, as strace tells it. */
  readonly connections: string;
}

/** One browser with a profile on disk, its system calls watched. Ends with its context. */
export async function launchWatched({ directory, connections }: ProfileOptions): Promise<BrowserContext> {
  const wrapper = join(directory, '..', 'watched-chromium');
  const strace = `strace -f -qq -e trace=connect,sendto -e signal=none -s 64 -o '${connections}'`;
  writeFileSync(wrapper, `#!/bin/sh\nexec ${strace} ${CHROMIUM.executablePath} "$@"\n`, { mode: 0o755 });
  return await chromium.launchPersistentContext(directory, { ...CHROMIUM, executablePath: wrapper });
}

/** Opens a single-use link and says yes. */
export async function signInByLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** Kept as build output below `.tmp/screenshots/`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

export interface Violation {
  readonly rule: string;
  readonly impact: string;
  /** Where, as CSS selectors. */
  readonly targets: readonly string[];
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[] }[];
  }[];
}

/** Serious and critical violations of WCAG 2.2 A and AA on the page as it stands; none is what tests ask for. */
export async function violationsOf(page: Page): Promise<Violation[]> {
  // By the debugging protocol: the page's policy, which forbids foreign scripts, stays as it is.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResult>(
    // React Aria speaks through the part that is left out: hidden, gone in seconds, it may name what has left the page.
    `axe.run({ exclude: ['[data-live-announcer]'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({
      rule: id,
      impact: String(impact),
      targets: nodes.map(({ target }) => target.join(' ')),
    }));
}
