import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DESKTOP, launchBrowser, screenshot, violationsOf } from '../testkit/browser.ts';
import {
  ANSWER,
  DONE,
  type FakeAimee,
  type Garden,
  SITE_KEY,
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

/** What is said in the chat, in a real browser; only the server's answers are scripted. */
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
    ...options,
    page: gardenPage(server.url, garden),
  });
}

async function chat(given: Visit = {}): Promise<{ page: Page; frame: Frame }> {
  const page = await visit(given);
  return { page, frame: await openWidget(page) };
}

const messages = (): typeof server.posts => server.posts.filter(({ path }) => path === '/aimee/v1/messages');
const last = (): Readonly<Record<string, unknown>> => server.posts.at(-1)?.body ?? {};

describe('a question', () => {
  it('is sent once, with nothing beside it but where it was asked', async () => {
    const { page, frame } = await chat();
    const before = server.requests.length;
    await askWidget(frame, '  Do you open on Sundays?\nAnd when?  ');
    expect(server.requests.slice(before).map(({ method }) => method)).toEqual(['OPTIONS', 'POST']);
    expect(last()).toEqual({
      site: SITE_KEY,
      origin: site.url,
      text: 'Do you open on Sundays?\nAnd when?',
      turns: [],
      language: 'en',
    });
    const { headers } = server.posts.at(-1) ?? {};
    expect(headers).toMatchObject({ origin: 'null', 'content-type': 'application/json' });
    expect(headers).not.toHaveProperty('referer');
    expect(headers).not.toHaveProperty('cookie');
    await page.close();
  });

  it('brings along the earlier turns and the ticket, out of the memory of the page', async () => {
    const { page, frame } = await chat();
    server.answer = () => saying('The first **answer**.', { ticket: 'first ticket' });
    await askWidget(frame, 'One?');
    await askWidget(frame, 'Two?');
    expect(last()).toMatchObject({
      text: 'Two?',
      ticket: 'first ticket',
      turns: [
        { role: 'visitor', text: 'One?' },
        { role: 'assistant', text: 'The first **answer**.' },
      ],
    });
    await page.reload();
    await askWidget(await openWidget(page), 'Three?');
    expect(last()).toMatchObject({ turns: [] });
    expect(last()).not.toHaveProperty('ticket');
    await page.close();
  });

  it('goes with at most twenty turns', async () => {
    const { page, frame } = await chat();
    for (let at = 0; at < 12; at++) await askWidget(frame, `Question ${at}`);
    expect(last()['turns']).toHaveLength(20);
    expect((last()['turns'] as { text: string }[])[0]?.text).toBe('Question 1');
    await page.close();
  });

  it('is a press of a suggestion as well, on the same way, and leaves a draft alone', async () => {
    const { page, frame } = await chat({ attributes: { suggestions: JSON.stringify(SUGGESTIONS) } });
    await frame.locator('textarea').fill('a draft');
    await frame.getByRole('button', { name: 'Do you work on Saturdays?' }).click();
    await frame.locator('.actions').waitFor();
    expect(last()['text']).toBe('Do you work on Saturdays?');
    expect(await frame.locator('textarea').inputValue()).toBe('a draft');
    expect(await frame.locator('.suggestions').count()).toBe(0);
    await page.close();
  });

  it('takes more than one line with Shift and Enter, is not sent empty, and not sent too long', async () => {
    const { page, frame } = await chat();
    const before = server.requests.length;
    const input = frame.locator('textarea');
    await input.press('Enter');
    await input.fill('   ');
    await input.press('Enter');
    await input.fill('x'.repeat(4001));
    await input.press('Enter');
    await frame.getByText('At most 4,000 characters.').waitFor();
    expect(await input.inputValue()).toHaveLength(4001);
    expect(server.requests).toHaveLength(before);
    await input.fill('');
    await input.pressSequentially('a');
    await input.press('Shift+Enter');
    await input.pressSequentially('b');
    await askAgain(frame);
    expect(last()['text']).toBe('a\nb');
    await page.close();
  });
});

/** Submits what stands in the form. */
async function askAgain(frame: Frame): Promise<void> {
  await frame.locator('textarea').press('Enter');
  await frame.locator('.actions').last().waitFor();
}

describe('an answer', () => {
  it('grows as it comes, can be stopped, and takes no second question meanwhile', async () => {
    const { page, frame } = await chat();
    const held = Promise.withResolvers<void>();
    server.answer = () => ({ ...saying('Half an answer'), hold: held.promise });
    const count = messages().length;
    await frame.locator('textarea').fill('Go on?');
    await frame.locator('textarea').press('Enter');
    await frame.getByText('Half an answer').waitFor();
    await frame.locator('textarea').fill('Next?');
    await frame.locator('textarea').press('Enter');
    await frame.getByRole('button', { name: 'Stop' }).click();
    await frame.getByText('Broken off.').waitFor();
    expect(await frame.locator('textarea').inputValue()).toBe('Next?');
    expect(await frame.getByText('Half an answer').count()).toBe(1);
    expect(messages()).toHaveLength(count + 1);
    held.resolve();
    await page.close();
  });

  it('is announced once, whole, and by itself', async () => {
    const { page, frame } = await chat();
    const held = Promise.withResolvers<void>();
    server.answer = () => ({
      events: [{ type: 'text', text: 'One ' }, { type: 'text', text: 'two.' }, DONE],
      hold: held.promise,
    });
    await frame.evaluate(`
      window.seen = [];
      new MutationObserver((records) => {
        for (const { addedNodes } of records)
          for (const node of addedNodes)
            if (node.parentElement?.closest('[aria-live]')?.getAttribute('aria-live') === 'polite')
              seen.push(node.textContent);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    `);
    await frame.locator('textarea').fill('Count!');
    await frame.locator('textarea').press('Enter');
    await frame.getByText('One').waitFor();
    held.resolve();
    await frame.locator('.actions').waitFor();
    const seen = await frame.evaluate<string[]>('seen');
    expect(seen.filter((text) => text !== '')).toEqual(['You: Count!', 'AI assistant: One two.']);
    expect(await frame.locator('.actions').getAttribute('aria-live')).toBe('off');
    await page.close();
  });

  it('shows where it comes from, and opens a page of the site only when pressed, without a referrer', async () => {
    const { page, frame } = await chat();
    site.pages.set(
      '/prices',
      '<title>Prices</title><script>document.title = `[${document.referrer}]`</script>',
    );
    server.answer = () =>
      saying(ANSWER, {
        sources: [
          { title: 'Prices and services', url: `${site.url}/prices` },
          { title: 'Handbook 2026.pdf', url: null },
        ],
      });
    await askWidget(frame, 'What does a spring check cost?');
    expect(await frame.locator('.sources li').allInnerTexts()).toEqual([
      'Prices and services ↗',
      'Handbook 2026.pdf',
    ]);
    const opened = page.context().waitForEvent('page');
    await frame.getByRole('button', { name: 'Prices and services' }).click();
    const prices = await opened;
    await prices.waitForLoadState();
    expect(await prices.title()).toBe('[]');
    expect(await prices.evaluate('opener === null && origin === location.origin')).toBe(true);
    await prices.close();
    await page.close();
  });

  it('can be rated, the other way round, and not at all again', async () => {
    const { page, frame } = await chat();
    server.answer = ({ path }) =>
      path.endsWith('/messages') ? saying('Rated.', { ticket: 'a ticket', message: 7 }) : { status: 204 };
    await askWidget(frame, 'Rate?');
    const thumb = (name: string): ReturnType<Frame['getByRole']> =>
      frame.getByRole('button', { name, exact: true });
    for (const [name, rating] of [
      ['Helpful', 'up'],
      ['Not helpful', 'down'],
      ['Not helpful', 'none'],
    ] as const) {
      const sent = page.waitForResponse('**/feedback');
      await thumb(name).click();
      await sent;
      expect(last()).toEqual({ site: SITE_KEY, origin: site.url, ticket: 'a ticket', message: 7, rating });
    }
    server.answer = () => ({ status: 500 });
    await thumb('Helpful').click();
    await frame.locator('[aria-label="Helpful"][aria-pressed="false"]').waitFor();
    await page.close();
  });

  it('can be copied, without any permission of the page', async () => {
    const { page, frame } = await chat({ options: { permissions: [] } });
    server.answer = () => saying(ANSWER);
    await askWidget(frame, 'Copy?');
    await frame.getByRole('button', { name: 'Copy' }).click();
    await frame.locator('textarea').focus();
    await page.keyboard.press('ControlOrMeta+V');
    expect(await frame.locator('textarea').inputValue()).toBe(ANSWER);
    await page.close();
  });

  it('says when the site does not know, and offers a person', async () => {
    const { page, frame } = await chat();
    server.answer = ({ path }) =>
      path.endsWith('/messages')
        ? saying('I cannot tell.', { answered: false, handOver: { kind: 'email' }, ticket: 'a ticket' })
        : { status: 204 };
    await askWidget(frame, 'Unknown?');
    await frame.getByText('This site does not say.').waitFor();
    await frame.getByRole('button', { name: 'Ask a person' }).click();
    await screenshot(page, 'widget-hand-over');
    expect(await violationsOf(frame as unknown as Page)).toEqual([]);
    await frame.getByLabel('Your e-mail').fill('ada@example.com');
    const sent = page.waitForResponse('**/hand-over');
    await frame.getByLabel('Your e-mail').press('Enter');
    await sent;
    const body = { site: SITE_KEY, origin: site.url, ticket: 'a ticket', email: 'ada@example.com', text: '' };
    expect(last()).toEqual({ ...body, turns: [] });
    await frame.getByText('Sent. You will get an e-mail.').waitFor();

    await frame.getByRole('button', { name: 'Ask a person' }).click();
    await frame.getByLabel('Your e-mail').fill('ada@example.com');
    await frame.getByLabel('Include this conversation').check();
    await frame.getByLabel('Your e-mail').press('Enter');
    await frame.getByText('Sent. You will get an e-mail.').nth(1).waitFor();
    expect(last()).toEqual({
      ...body,
      turns: [
        { role: 'visitor', text: 'Unknown?' },
        { role: 'assistant', text: 'I cannot tell.' },
      ],
    });
    await page.close();
  });

  it('hands over to a page where the site says so', async () => {
    const { page, frame } = await chat();
    site.pages.set('/desk', '<title>Help desk</title>');
    server.answer = () =>
      saying('Ask them.', { handOver: { kind: 'link', url: `${site.url}/desk`, label: 'Help desk' } });
    await askWidget(frame, 'A person?');
    const opened = page.context().waitForEvent('page');
    await frame.getByRole('button', { name: 'Help desk' }).click();
    await (await opened).waitForURL(`${site.url}/desk`);
    await page.context().close();
  });
});

describe('failures', () => {
  const cases: readonly [string, FakeAimee['answer'], string][] = [
    [
      'a crowd',
      () => ({ status: 429, problem: { retryAfter: 12 } }),
      'Too many questions. Please wait. (12 s)',
    ],
    [
      'a spent day',
      () => ({ status: 429, problem: { retryAfter: 40_000 } }),
      'Too many questions. Please wait.',
    ],
    ['a text that the server finds too long', () => ({ status: 413 }), 'At most 4,000 characters.'],
    ['a site that is gone', () => ({ status: 404 }), 'Not available right now.'],
    ['a server in trouble', () => ({ status: 503 }), 'Not available right now.'],
    [
      'an answer that ends in an error',
      () => ({ events: [{ type: 'error', code: 'ai.failed', detail: 'secret detail' }] }),
      'Not available right now.',
    ],
    [
      'an answer that is cut',
      () => ({ events: [{ type: 'text', text: 'Half' }], isCut: true }),
      'Broken off.',
    ],
  ];

  it.each(cases)('%s is told, and asked again only when the visitor presses', async (_, answer, told) => {
    const { page, frame } = await chat();
    server.answer = answer;
    const count = messages().length;
    await askWidget(frame, 'Again?');
    expect(await frame.locator('.fault:not(:empty)').innerText()).toBe(told);
    expect(messages()).toHaveLength(count + 1);
    server.answer = said;
    await frame.getByRole('button', { name: 'Try again' }).click();
    await frame.getByText('Hello.').waitFor();
    expect(await frame.locator('.fault:not(:empty), .visitor').allInnerTexts()).toHaveLength(1);
    expect(
      messages()
        .slice(count)
        .map(({ body }) => body['text']),
    ).toEqual(['Again?', 'Again?']);
    expect(last()['turns']).toEqual([]);
    await page.close();
  });

  it('a platform that is down leaves the page as it was, and says so in the chat alone', async () => {
    const { page, frame } = await chat({ attributes: { endpoint: 'http://127.0.0.1:9' } });
    await askWidget(frame, 'Anybody?');
    expect(await frame.locator('.fault:not(:empty)').innerText()).toBe('No connection.');
    await screenshot(page, 'widget-offline');
    await page.locator('#own').click();
    await page.close();
  });
});

describe('conversations', () => {
  it('begin anew on demand, with nothing of the old one', async () => {
    const { page, frame } = await chat({ attributes: { suggestions: JSON.stringify(SUGGESTIONS) } });
    const held = Promise.withResolvers<void>();
    await askWidget(frame, 'One?');
    await frame.getByText('Reference for deletion: K7QF-2M9X').waitFor();
    server.answer = () => ({ ...saying('Late.'), hold: held.promise });
    await frame.locator('textarea').fill('Two?');
    await frame.locator('textarea').press('Enter');
    await frame.getByText('Late.').waitFor();
    await frame.getByRole('button', { name: 'New conversation' }).click();
    held.resolve();
    server.answer = said;
    expect(await frame.getByText(/One\?|Late|K7QF/).count()).toBe(0);
    expect(await frame.locator('.suggestions button').allInnerTexts()).toEqual(SUGGESTIONS);
    await askWidget(frame, 'Three?');
    expect(last()).toMatchObject({ text: 'Three?', turns: [] });
    expect(last()).not.toHaveProperty('ticket');
    expect(await frame.getByText('Late.').count()).toBe(0);
    await page.close();
  });

  it('stay while the chat is closed and opened again', async () => {
    const { page, frame } = await chat();
    await askWidget(frame, 'One?');
    await page.keyboard.press('Escape');
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    await openWidget(page);
    await frame.getByText('One?').waitFor();
    await page.close();
  });
});
