import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { DESKTOP, PHONE, screenshot, violationsOf } from '../testkit/browser.ts';
import {
  type AimeePortal,
  type Answered,
  CAKE,
  KNOWLEDGE,
  ORIGIN,
  SPACE,
  SUNDAYS,
  type Turn,
  destroy,
  intrudersOn,
  startAimeePortal,
} from './aimee-portal.ts';
import { HOSTILE } from './hostile-texts.ts';

/** AI.Mee as its customers see it: real browser, platform, reader and embedding model; what the model says is scripted. */
let portal: AimeePortal;
/** The customer's. */
let page: Page;
let siteId: string;

beforeAll(async () => {
  portal = await startAimeePortal();
  ({ page } = portal.customer);
});
afterAll(() => portal.stop());

function tab(name: string): Promise<void> {
  return page.getByRole('tab', { name }).click();
}

function rows(): Promise<number> {
  return page.locator('.conversation').count();
}

function said(text: string, conversation?: Parameters<AimeePortal['say']>[2]): Promise<Answered> {
  return portal.say(siteId, text, conversation);
}

describe('a customer', () => {
  it('gives his site an assistant and teaches it, with progress', async () => {
    await screenshot(page, 'aimee-empty');
    await page.getByRole('button', { name: 'New site' }).click();
    await page.getByLabel('Name').fill('Morgenrot');
    await page.getByLabel('Address of the site').fill(`${ORIGIN}/hours?x=1`);
    await screenshot(page, 'aimee-create');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { level: 1, name: 'Morgenrot' }).waitFor();
    siteId = /site_\w{20}/.exec(page.url())?.[0] ?? '';

    await page.locator('input[type=file]').setInputFiles({
      name: 'Opening hours.md',
      mimeType: 'text/markdown',
      buffer: Buffer.from(KNOWLEDGE),
    });
    await page.getByRole('progressbar', { name: /Opening hours\.md/ }).waitFor();
    await page.getByText(/Opening hours\.md: .+ in$/).waitFor();
    await page.getByRole('cell', { name: 'Opening hours', exact: true }).waitFor();
    await screenshot(page, 'aimee-knowledge');
  });

  it('sees the look change as he types, and copies the snippet that carries it', async () => {
    await tab('Look & embed');
    await page.getByLabel('Heading').fill('Ask Morgenrot');
    await page.getByLabel('Colour', { exact: true }).fill('#ffd43b');
    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByText('Ask Morgenrot').waitFor();
    const ink = await page.evaluate("getComputedStyle(document.querySelector('.chat-head')).color");
    expect(ink).toBe('rgb(0, 0, 0)');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Changes are not saved yet').waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'HTML' }).getByText('Ask Morgenrot').waitFor();
    await page.getByRole('button', { name: 'Copy: HTML' }).click();
    const snippet = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(snippet).toContain(`data-site="${siteId}"`);
    expect(snippet).toContain('data-accent="#ffd43b"');
    const [, file = ''] = /src="([^"]+)"/.exec(snippet) ?? [];
    expect((await fetch(file)).status).toBe(200);
  });

  it('changes how it behaves in one draft, and is told what is wrong with it', async () => {
    await tab('Persona');
    await page.getByLabel('Questions per minute').fill('10000');
    await page.getByLabel('Suggested questions').fill(`${SUNDAYS}\n\n${CAKE}\n`);
    await page.getByRole('button', { name: 'When a visitor wants a person' }).click();
    await page.getByRole('option', { name: 'Send me an e-mail' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('alert').getByText('/handOver/email').waitFor();
    await page.getByLabel('E-mail address').fill('ada@example.org');
    await tab('Look & embed');
    await page.getByRole('region', { name: 'Preview' }).getByText(CAKE).waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Changes are not saved yet').waitFor({ state: 'detached' });
  });

  it('reads what visitors said, finds it by a word, and by how it went', async () => {
    const first = await said(SUNDAYS);
    const turns: Turn[] = [
      { role: 'visitor', text: SUNDAYS },
      { role: 'assistant', text: 'From eight.' },
    ];
    await said(CAKE, { ticket: first.ticket, turns });
    expect(await portal.post(siteId, 'feedback', { ticket: first.ticket, message: 1, rating: 'up' })).toBe(
      204,
    );
    const second = await said(SPACE);
    expect(second.answered).toBe(false);
    expect(await portal.post(siteId, 'feedback', { ticket: second.ticket, message: 1, rating: 'down' })).toBe(
      204,
    );
    const handOver = { ticket: second.ticket, email: 'visitor@example.org', text: 'Please call.', turns: [] };
    expect(await portal.post(siteId, 'hand-over', handOver)).toBe(204);

    await tab('Conversations');
    await page.getByRole('link', { name: SUNDAYS }).waitFor();
    await expect.poll(rows).toBe(2);
    await page.getByLabel('Search in conversations').fill('two weeks');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: SPACE }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: SUNDAYS }).waitFor();
    await expect.poll(rows).toBe(1);
    // Neither in the address nor in any request's: what is looked for stays out of histories and logs.
    expect(
      [page.url(), ...portal.customer.requests].filter((url) => /two(?:\+|%20| )weeks/.test(url)),
    ).toEqual([]);
    await page.getByLabel('Search in conversations').fill('');
    await page.getByRole('button', { name: 'Feedback' }).click();
    await page.getByRole('option', { name: 'Not found helpful' }).click();
    await page.getByRole('link', { name: SUNDAYS }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: SPACE }).click();
    const reading = page.getByRole('region', { name: 'Conversation', exact: true });
    await reading.getByText('visitor@example.org').waitFor();
    await reading.getByText('Please call.').waitFor();
    await page.getByRole('button', { name: 'Feedback' }).click();
    await page.getByRole('option', { name: 'All' }).click();
    await page.getByRole('link', { name: SUNDAYS }).click();
    await reading.locator('strong', { hasText: 'from eight to twelve' }).waitFor();
    await reading.getByText('1 source').first().click();
    await reading.getByText('Opening hours').first().waitFor();
  });

  it('sees how much was asked, how it went, and what the knowledge lacks', async () => {
    await tab('Statistics');
    const figures = page.locator('.figures');
    await figures.waitFor();
    expect((await figures.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /Conversations 2 Questions 3 Answered 66\.7% 1 not answered Helpful 50% 1 up, 1 down Asked for a person 1/,
    );
    await page.getByRole('link', { name: SPACE }).waitFor();
    const today = page.getByRole('table', { name: 'Questions per day' }).getByRole('row').last();
    expect(await today.getByRole('cell').allInnerTexts()).toEqual(['2', '1']);
  });
});

describe('every view', () => {
  it('can be used by everybody, in light and dark, wide and on a phone', async () => {
    await page.reload();
    const looks = [
      { name: 'light', viewport: DESKTOP, scheme: 'light' },
      { name: 'dark', viewport: DESKTOP, scheme: 'dark' },
      { name: 'phone', viewport: PHONE, scheme: 'light' },
    ] as const;
    const tabs = ['Statistics', 'Knowledge', 'Persona', 'Look & embed', 'Privacy', 'Support access'];
    const views: [name: string, show: () => Promise<void>][] = [
      ...tabs.map((name): [string, () => Promise<void>] => [name, () => tab(name)]),
      ['Conversations', () => tab('Conversations')],
      ['Conversation', () => page.getByRole('link', { name: SUNDAYS }).click()],
      ['AI.Mee', () => page.getByRole('navigation', { name: 'Way back' }).getByRole('link').click()],
    ];
    for (const [name, show] of views) {
      await show();
      await expect.poll(() => page.getByText('Loading …').count()).toBe(0);
      for (const { name: look, viewport, scheme } of looks) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme: scheme });
        await screenshot(page, `aimee-${name.toLowerCase().replaceAll(/\W+/g, '-')}-${look}`);
        expect(await violationsOf(page), `${name} ${look}`).toEqual([]);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(overflow, `${name} ${look} scrolls sideways`).toBe(0);
      }
      await page.setViewportSize(DESKTOP);
      await page.emulateMedia({ colorScheme: 'light' });
    }
    await page.getByRole('link', { name: 'Morgenrot' }).click();
    expect(portal.customer.complaints).toEqual([]);
  });

  it('can be reached, read and closed by keyboard alone', async () => {
    await page.getByRole('tab', { name: 'Conversations' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('heading', { name: 'Questions without an answer' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('link', { name: SUNDAYS }).focus();
    await page.keyboard.press('Enter');
    const reading = page.getByRole('region', { name: 'Conversation', exact: true });
    await reading.getByText('Two weeks before the wedding').waitFor();
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe('Conversation');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Purge this conversation' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent');
    await expect.poll(focused).toBe('Purge');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await reading.waitFor({ state: 'detached' });
    expect(await focused()).toContain(SUNDAYS);
  });
});

describe('what visitors and models write', () => {
  const size = 12;
  const conversations = Array.from({ length: Math.ceil(HOSTILE.length / size) }, (_, at) =>
    HOSTILE.slice(at * size, (at + 1) * size),
  );

  /** Each as a question that nothing answers, and as an answer: after one about the bakery the model repeats it. */
  async function write(payloads: readonly string[]): Promise<void> {
    let ticket: string | undefined;
    for (const payload of payloads) {
      for (const turns of [[], [{ role: 'visitor', text: SUNDAYS }]] satisfies Turn[][])
        ({ ticket } = await said(payload, { turns, ticket }));
    }
  }

  it(`runs no script and loads nothing in the portal: ${HOSTILE.length} payloads`, async () => {
    expect(HOSTILE.length).toBeGreaterThanOrEqual(40);
    await Promise.all(conversations.map(write));
    const before = portal.customer.requests.length;
    await page.getByRole('button', { name: 'Refresh' }).click();
    for (const payloads of conversations) {
      const first = page.getByText(payloads[0] ?? '', { exact: true });
      await page.locator('.conversation').filter({ has: first }).click();
      await page.getByRole('region', { name: 'Conversation', exact: true }).waitFor();
      const shown = page.locator('.said.visitor .words');
      const twice = payloads.flatMap((payload) => [payload, payload]);
      // Until then it is the conversation before, or none.
      await expect.poll(() => shown.allTextContents()).toEqual(twice);
      expect(await intrudersOn(page)).toEqual([]);
    }
    await tab('Statistics');
    const lacking = page.getByRole('table').getByRole('link');
    // The most frequent ones.
    await lacking.nth(9).waitFor();
    const known = new Set([SPACE, ...HOSTILE]);
    expect((await lacking.allTextContents()).filter((text) => !known.has(text))).toEqual([]);
    expect(await page.locator('td a *').count()).toBe(0);
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(portal.customer.complaints).toEqual([]);
    const asked = portal.customer.requests.slice(before);
    const isOurs = (url: string): boolean =>
      url === `${portal.url}/icon.svg` || url.startsWith(`${portal.url}/api/v1/aimee/sites/`);
    expect(asked.filter((url) => !isOurs(url))).toEqual([]);
    expect(asked.filter((url) => url.includes('canary'))).toEqual([]);
  });
});

describe('support', () => {
  it('reads what it was lent, while it is lent, and the customer sees it', async () => {
    await tab('Conversations');
    await page.getByRole('link', { name: SUNDAYS }).click();
    await page.getByRole('button', { name: 'Let support read …' }).click();
    const why = '<img src=/canary onerror="window.ran=1"> Why did it say twelve?';
    await page.getByLabel('What support is asked about').fill(why);
    await page.getByRole('button', { name: 'Let them read' }).click();
    await page.getByText('Open for 15 minutes').waitFor();

    await portal.staff.page.getByRole('link', { name: 'Support inquiries' }).click();
    await portal.staff.page.getByText(why).waitFor();
    await screenshot(portal.staff.page, 'aimee-staff');
    await portal.staff.page.getByRole('link', { name: 'Read conversation 1' }).click();
    await portal.staff.page.locator('strong', { hasText: 'from eight to twelve' }).waitFor();
    await screenshot(portal.staff.page, 'aimee-staff-reading');
    expect(await violationsOf(portal.staff.page)).toEqual([]);
    expect(portal.staff.complaints).toEqual([]);
    expect(await portal.staff.page.evaluate('window.ran')).toBeUndefined();
    const lent = portal.staff.page.url();

    await page.getByRole('cell', { name: 'Read by staff' }).waitFor();
    await page.getByText('Chain intact').waitFor();
    await page.getByText('read once').waitFor();
    await screenshot(page, 'aimee-support-watched');
    await page.getByRole('button', { name: 'End now' }).click();
    await page.getByText(/^Ended by you/).waitFor();

    await portal.staff.page.goto(lent);
    await portal.staff.page.getByRole('alert').waitFor();
    expect(await portal.staff.page.getByText('from eight to twelve').count()).toBe(0);
    await portal.staff.page.getByRole('link', { name: 'Back', exact: true }).click();
    await portal.staff.page.getByText('Nobody lets you read anything').waitFor();
  });

  it('has no other way in: neither to the site nor to its conversations', async () => {
    await portal.staff.page.goto(`${portal.url}/aimee/sites/${siteId}`);
    await portal.staff.page.getByText('There is no such site.').waitFor();
  });
});

describe('exports', () => {
  it('hold what was said, as CSV and as JSON', async () => {
    await tab('Privacy');
    for (const format of ['CSV', 'JSON']) {
      await page.getByText(format, { exact: true }).click();
      await page.getByRole('button', { name: 'Export' }).click();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('dialog').getByRole('button', { name: 'Export' }).click(),
      ]);
      expect(file.suggestedFilename()).toBe(`conversations.${format.toLowerCase()}`);
      const pieces = await (await file.createReadStream()).toArray();
      const text = Buffer.concat(pieces as Buffer[]).toString('utf8');
      expect(text).toContain('from eight to twelve');
      if (format === 'JSON') expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  });
});

describe('a purge', () => {
  it('takes one conversation, from where it is read', async () => {
    await tab('Conversations');
    await page.getByRole('link', { name: SPACE }).click();
    const before = await rows();
    expect(await destroy(page, 'Purge')).toMatchObject({ scope: 'one', conversations: 1, site: siteId });
    await page.getByRole('link', { name: SPACE }).waitFor({ state: 'detached' });
    await expect.poll(rows).toBe(before - 1);
  });

  it('takes one visitor by his reference, and says when there is none of it', async () => {
    const { reference } = await said(SPACE);
    await tab('Privacy');
    await page.getByLabel('Reference').fill(reference);
    const button = "Purge this visitor's conversation";
    expect(await destroy(page, button)).toMatchObject({ scope: 'reference', conversations: 1 });
    await page.getByLabel('Reference').fill(reference);
    await page.getByRole('button', { name: button }).click();
    await page.getByRole('dialog').getByRole('button', { name: button }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  it('takes a span of days', async () => {
    await page.getByText('Span of days', { exact: true }).click();
    await page.getByLabel('From (UTC)').last().fill('2020-01-01');
    await page.getByLabel('Until (UTC)').last().fill('2020-01-31');
    expect(await destroy(page, 'Purge these days')).toMatchObject({ scope: 'range', conversations: 0 });
  });

  it('takes all, once the name is typed, and leaves the statistics', async () => {
    await page.getByText('All', { exact: true }).click();
    const { conversations } = await destroy(page, 'Purge all conversations', { typed: 'Morgenrot' });
    expect(conversations).toBe(1 + Math.ceil(HOSTILE.length / 12));
    await tab('Conversations');
    await page.getByText('No conversations yet').waitFor();
    await tab('Statistics');
    await page.locator('.figures').getByText('Questions').waitFor();
    await page.getByText('The knowledge answered everything that was asked.').waitFor();
  });

  it('comes by itself on the schedule that the customer sets', async () => {
    await tab('Privacy');
    await page.getByRole('button', { name: /Keep conversations for/ }).click();
    await page.getByRole('option', { name: '30 days' }).click();
    await page.getByRole('button', { name: 'Save schedule' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Save schedule' }).click();
    await page.getByRole('region', { name: 'HTML' }).getByText('for 30 days').waitFor();
  });

  it('is not a reset of the statistics, which is one of its own and leaves conversations', async () => {
    await said(SUNDAYS);
    await tab('Statistics');
    expect(await destroy(page, 'Reset statistics')).toMatchObject({
      event: 'aimee.statistics_reset',
      site: siteId,
    });
    await page.getByText('Nobody asked anything in this time.').waitFor();
    await tab('Conversations');
    await page.getByRole('link', { name: SUNDAYS }).waitFor();
  });

  it('of the whole site leaves nothing, and its chat answers nobody', async () => {
    await tab('Privacy');
    expect(await destroy(page, 'Delete the site', { typed: 'Morgenrot' })).toMatchObject({
      event: 'aimee.site_deleted',
    });
    await page.getByText('Give your site an assistant').waitFor();
    await expect(said(SUNDAYS)).rejects.toThrow('404');
    expect(portal.customer.complaints).toEqual([]);
  });
});
