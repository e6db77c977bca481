import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../testkit/browser.ts';
import {
  type FakeAimee,
  type Site,
  askWidget,
  openWidget,
  startFakeAimee,
  startSite,
  visitSite,
  widgetFile,
  widgetTag,
} from '../testkit/widget-site.ts';

/** Policies: of pages that trust nobody, of the frame, and of the tag that pins its file. */
let browser: Browser;
let site: Site;
let server: FakeAimee;
const file = widgetFile();

beforeAll(async () => {
  [browser, site, server] = await Promise.all([launchBrowser(), startSite(), startFakeAimee()]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site.close(), server.close()]);
});

interface Around {
  readonly headers?: Record<string, string>;
  readonly tag?: string;
}

async function visit({
  headers = {},
  tag = widgetTag({ endpoint: server.url }),
}: Around = {}): Promise<Page> {
  const html = `<!doctype html><html lang="en"><title>A site</title><button id="own">Own</button>${tag}`;
  return await visitSite(browser, site, { page: { html, headers } });
}

async function converse(page: Page): Promise<Frame> {
  const frame = await openWidget(page);
  await askWidget(frame, 'Hello?');
  await frame.getByText('Hello.').waitFor();
  return frame;
}

describe('policies of pages', () => {
  const policy = (script: string): Record<string, string> => ({
    'content-security-policy':
      `default-src 'none'; ${script}; connect-src ${server.url}; ` +
      `require-trusted-types-for 'script'; trusted-types aimee`,
  });
  const attributes = (): Record<string, string> => ({ endpoint: server.url });
  const pinned = (): string =>
    widgetTag(attributes()).replace(
      '<script ',
      `<script integrity="${file.integrity}" crossorigin="anonymous" `,
    );

  it.each([
    ['hashes', () => policy(`script-src '${file.integrity}' '${file.frameScript}'`), pinned],
    ['places', () => policy(`script-src 'self' '${file.frameScript}'`), () => widgetTag(attributes())],
    [
      'nonces',
      () => policy(`script-src 'nonce-abc' 'strict-dynamic'`),
      () => widgetTag(attributes()).replace('<script ', '<script nonce="abc" '),
    ],
  ])('of %s need only what the guide says', async (_, headers, tag) => {
    const page = await visit({ headers: headers(), tag: tag() });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    await converse(page);
    expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
    await page.close();
  });

  it('that know nothing of the frame give no chat, and the page stays as it is', async () => {
    const page = await visit({ headers: { 'content-security-policy': "script-src 'self'" } });
    await page.locator('aimee-chat .launcher').click();
    await page.locator('#own').click();
    expect(await page.locator('aimee-chat iframe.open').count()).toBe(0);
    await page.close();
  });

  it('a file that was tampered with is refused by its integrity', async () => {
    site.pages.set('/tampered.js', {
      html: file.code.replace('aimee-chat', 'aimee-evil'),
      headers: { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' },
    });
    for (const [src, expected] of [
      ['/tampered.js', 0],
      ['/widget.js', 1],
    ] as const) {
      const page = await visit({ tag: pinned().replace('/widget.js', src).replace(' async', '') });
      expect(await page.locator('aimee-chat, aimee-evil').count()).toBe(expected);
      await page.close();
    }
  });

  it('a script that got into the frame all the same reaches nobody', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    const count = server.requests.length;
    const reached = await frame.evaluate<string[]>(`(async () => {
      const tries = {
        fetch: () => fetch('${site.url}/').then((answer) => answer.text()),
        elsewhere: () => fetch('${server.url}/api/v1/session').then((answer) => answer.text()),
        html: () => { document.body.innerHTML = '<img src="${site.url}/x">'; },
        script: () => document.body.append(Object.assign(document.createElement('script'), { text: 'evil = 1' })),
        socket: () => new Promise((done, fail) => Object.assign(new WebSocket('ws://127.0.0.1:9'), { onopen: done, onerror: fail })),
        worker: () => new Worker('data:text/javascript,1'),
        eval: () => (0, eval)('1'),
        top: () => { top.location = '${site.url}/evil'; },
      };
      const done = [];
      for (const [name, run] of Object.entries(tries))
        await Promise.resolve().then(run).then(() => done.push(name), () => undefined);
      return typeof evil === 'undefined' ? done.filter((name) => name !== 'script') : [...done, 'evil'];
    })()`);
    expect(reached).toEqual([]);
    expect(server.requests).toHaveLength(count);
    expect(page.url()).toBe(`${site.url}/`);
    await page.close();
  });
});
