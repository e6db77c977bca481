import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AimeeConversation, AimeeConversations, AimeeSite, AimeeSnippet } from '../contract/index.ts';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import { type Platform, type ScriptedModel, startPlatform, startScriptedModel } from '../testkit/index.ts';
import { type Tap, startTap } from '../testkit/tcp-tap.ts';
import { type Site, askWidget, openWidget, startSite, visitSite } from '../testkit/widget-site.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';

/** The widget as a customer pastes it, against the real platform; what the model says is scripted. */
const OPENING = 'On Sundays we are open from eight to twelve.';
let model: ScriptedModel;
let platform: Platform;
let tap: Tap;
let browser: Browser;
let site: Site;
let own: AimeeSite;
let snippet: string;

beforeAll(async () => {
  model = await startScriptedModel(() => ({ text: `**Open from eight to twelve** [1].`, deltaLength: 5 }));
  [platform, browser, site] = await Promise.all([
    startPlatform({
      env: {
        JELLYFAAS_MODEL_URL: model.url,
        JELLYFAAS_MODEL_NAME: 'scripted',
        JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
        JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '1000',
      },
    }),
    launchBrowser(),
    startSite(),
  ]);
  tap = await startTap(platform.url);
  own = await api<AimeeSite>('POST', '/sites', {
    name: 'Bakery',
    allowedOrigins: [site.url],
    suggestions: ['When are you open on Sundays?'],
    handOver: { kind: 'link', url: `${site.url}/desk`, label: 'Ask the bakers' },
  });
  const document = new FormData();
  document.append('metadata', JSON.stringify({ title: 'Opening hours' }));
  document.append('file', new File([`# Opening hours\n\n${OPENING}`], 'hours.md', { type: 'text/markdown' }));
  const { uploadId } = await api<{ uploadId: string }>('POST', `/sites/${own.id}/knowledge`, document);
  // The stream of its progress ends with the upload.
  const progress = await call('GET', `/sites/${own.id}/uploads/${uploadId}`, undefined, 'text/event-stream');
  expect(await progress.text()).toContain('"completed"');
  const { html } = await api<AimeeSnippet>('GET', `/sites/${own.id}/snippet`);
  snippet = html.replaceAll(platform.url, tap.url);
});
afterAll(async () => {
  await browser.close();
  await tap.close();
  await platform.stop();
  platform.remove();
  await Promise.all([site.close(), model.close()]);
});

async function call(
  method: string,
  path: string,
  body?: object | FormData,
  accept = 'application/json',
): Promise<Response> {
  const isForm = body instanceof FormData;
  const response = await fetch(`${platform.url}/api/v1/aimee${path}`, {
    method,
    headers: {
      accept,
      authorization: `Bearer ${platform.apiKey}`,
      ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function api<T>(method: string, path: string, body?: object | FormData): Promise<T> {
  return (await (await call(method, path, body)).json()) as T;
}

function visit(): Promise<Page> {
  const page = `<!doctype html><html lang="en"><title>A bakery</title><main><h1>Bakery</h1>
    <button id="own">Cakes</button></main>${snippet}`;
  return visitSite(browser, site, { page, viewport: DESKTOP });
}

/** Names and bytes of everything in the data directory. */
function digestOfData(): string {
  const hash = createHash('sha256');
  const entries = readdirSync(platform.dataDir, { recursive: true, withFileTypes: true });
  for (const entry of entries.toSorted((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\n`);
    if (entry.isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

describe('the snippet, on a page of the customer', () => {
  it('loads one file by its integrity, and after that not a byte goes to the platform before Submit', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    expect(tap.connections).toBe(1);
    const sent = tap.sent();
    expect(sent.toString().match(/^[A-Z]+ .+ HTTP/gm)).toEqual([
      expect.stringMatching(/^GET \/widget\/aimee-[\w.-]+\.js HTTP/),
    ]);
    await frame.locator('textarea').pressSequentially('SECRET that is deleted again');
    await frame.locator('textarea').fill('');
    await page.keyboard.press('Escape');
    await page.close();
    expect(tap.sent().length).toBe(sent.length);
    expect(tap.connections).toBe(1);
  });

  it('a thousand loads and openings change nothing on the server, and leave no line in its log', async () => {
    const page = await visit();
    await openWidget(page);
    const log = platform.output();
    const before = digestOfData();
    const [, path = ''] = /src="[^"]+?(\/widget\/[^"]+)"/.exec(snippet) ?? [];
    for (let at = 0; at < 1000; at += 50)
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const response = await fetch(platform.url + path);
          expect(response.status).toBe(200);
          await response.arrayBuffer();
        }),
      );
    for (let at = 0; at < 5; at++) {
      await page.reload();
      await (await openWidget(page)).locator('textarea').fill('SECRET');
    }
    expect(digestOfData()).toBe(before);
    expect(platform.output()).toBe(log);
    await page.close();
  });

  it('answers from the knowledge of the site, and the customer reads what was said', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    await frame.getByRole('button', { name: 'When are you open on Sundays?' }).click();
    await frame.locator('.actions').waitFor();
    await frame.locator('strong', { hasText: 'Open from eight to twelve' }).waitFor();
    expect(await frame.locator('.sources li').allInnerTexts()).toEqual(['Opening hours']);
    const rated = page.waitForResponse('**/aimee/v1/feedback');
    await frame.getByRole('button', { name: 'Helpful', exact: true }).click();
    expect((await rated).status()).toBe(204);
    await askWidget(frame, 'And on Mondays?');
    await screenshot(page, 'widget-platform');
    const reference = await frame.locator('footer b').innerText();
    const { conversations } = await api<AimeeConversations>('GET', `/sites/${own.id}/conversations`);
    expect(conversations).toHaveLength(1);
    const id = conversations[0]?.id ?? '';
    const conversation = await api<AimeeConversation>('GET', `/sites/${own.id}/conversations/${id}`);
    const said = JSON.stringify(conversation);
    for (const text of [
      'When are you open on Sundays?',
      'And on Mondays?',
      'Open from eight to twelve',
      '"up"',
    ])
      expect(said).toContain(text);
    expect(said).toContain(reference);
    expect(tap.sent().toString()).not.toContain('SECRET');
    await page.close();
  });

  it('is refused on pages that the customer does not name, and says only that it is not available', async () => {
    const other = await startSite();
    other.pages.set('/', `<title>Elsewhere</title>${snippet}`);
    const page = await browser.newPage();
    await page.goto(`${other.url}/`);
    const frame = await openWidget(page);
    await askWidget(frame, 'Hello?');
    expect(await frame.locator('.fault:not(:empty)').innerText()).toBe('Not available right now.');
    await page.close();
    await other.close();
  });

  it('leaves the page alone when the platform is gone', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    await platform.crash();
    await askWidget(frame, 'Anybody?');
    expect(await frame.locator('.fault:not(:empty)').innerText()).toBe('No connection.');
    await page.locator('#own').click();
    await page.close();
    // And for those who come only now, with nothing in their cache.
    const late = await visit();
    await late.locator('#own').click();
    expect(await late.locator('aimee-chat').count()).toBe(0);
    await late.close();
  });
});
