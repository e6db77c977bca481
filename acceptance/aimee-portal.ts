import type { Browser, Page } from 'playwright-core';
import { DESKTOP, launchBrowser, signInByLink } from '../testkit/browser.ts';
import {
  type Platform,
  type ScriptedRequest,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { receiptOf } from './receipt.ts';

/** A customer of AI.Mee, the staff of the installation and visitors: all that the portal's suite needs around it. */

export const ORIGIN = 'https://www.morgenrot.example';
export const KNOWLEDGE = `# Opening hours

The bakery is open from Monday to Friday from six to six, and on Sundays from eight to twelve. On public holidays the bakery stays closed.

# Cakes

Wedding cakes are baked to order. Orders have to arrive two weeks before the wedding.`;
export const SUNDAYS = 'When is the bakery open on Sundays?';
export const CAKE = 'How early do I have to order a wedding cake?';
/** Nothing of the knowledge answers it. */
export const SPACE = 'What is the orbital period of Neptune?';

/** Somebody who is signed in to the portal, and what his browser did. */
export interface Portal {
  readonly page: Page;
  /** Broken policies, failed scripts, dialogs. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

export interface Answered {
  readonly ticket: string;
  readonly reference: string;
  readonly answered: boolean;
}

export interface Turn {
  readonly role: 'visitor' | 'assistant';
  readonly text: string;
}

export interface AimeePortal {
  readonly url: string;
  readonly customer: Portal;
  readonly staff: Portal;
  /** What the widget sends to a site when a visitor presses Send. Rejects with status and answer. */
  say(
    site: string,
    text: string,
    conversation?: { readonly ticket?: string | undefined; readonly turns?: readonly Turn[] },
  ): Promise<Answered>;
  /** Feedback or a hand-over; resolves with the status. */
  post(site: string, path: 'feedback' | 'hand-over', body: object): Promise<number>;
  stop(): Promise<void>;
}

export async function startAimeePortal(): Promise<AimeePortal> {
  const model = await startScriptedModel((request) => ({ text: saidTo(request) }));
  const env = {
    JELLYFAAS_MODEL_URL: model.url,
    JELLYFAAS_MODEL_NAME: 'scripted',
    JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '10000',
  };
  const [platform, browser] = await Promise.all([startPlatform({ env }), launchBrowser()]);
  const { url } = platform;
  const send = (path: string, body: object): Promise<Response> =>
    fetch(`${url}/aimee/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'null' },
      body: JSON.stringify({ origin: ORIGIN, ...body }),
    });
  const [customer, staff] = await Promise.all([
    signIn(browser, url, await newAccount(platform)),
    signIn(browser, url, platform.apiKey),
  ]);
  return {
    url,
    customer,
    staff,
    async say(site, text, conversation) {
      const response = await send('messages', { site, text, ...conversation });
      const answer = await response.text();
      const done = /^data: (\{"type":"done".+)$/m.exec(answer)?.[1];
      if (done === undefined) throw new Error(`${response.status} ${answer}`);
      return JSON.parse(done) as Answered;
    },
    post: async (site, path, body) => (await send(path, { site, ...body })).status,
    async stop() {
      await browser.close();
      const code = await platform.stop();
      platform.remove();
      await model.close();
      if (code !== 0) throw new Error(`the platform ended with ${code}:\n${platform.output()}`);
    },
  };
}

/** Two answers; everything else that visitors write is said back to them as it is. */
function saidTo({ body }: ScriptedRequest): string {
  const last = body.messages?.at(-1)?.content;
  const asked = (typeof last === 'string' ? last : '').split('The visitor writes: ')[1] ?? '';
  if (asked === SUNDAYS) return 'On Sundays the bakery is open **from eight to twelve** [1].';
  if (asked === CAKE) return 'Two weeks before the wedding [1].';
  return `${asked} [1]`;
}

/** Resolves with its API key. */
async function newAccount({ url, apiKey }: Platform): Promise<string> {
  const person = { type: 'user', name: 'Ada Lovelace', email: 'ada@example.org' };
  const made = await createClient(url, apiKey).core('POST', '/entity', JSON.stringify(person));
  return ((await made.json()) as { password: string }).password;
}

async function signIn(browser: Browser, url: string, apiKey: string): Promise<Portal> {
  const context = await browser.newContext({ viewport: DESKTOP, acceptDownloads: true });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    // Refusals that a test provokes are errors to the console, too.
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  const headers = { 'x-jf-apikey': apiKey };
  const link = await fetch(`${url}/api/v1/sign-in-links`, { method: 'POST', headers });
  await signInByLink(page, ((await link.json()) as { url: string }).url);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'AI.Mee' }).click();
  await page.getByRole('heading', { level: 1, name: 'AI.Mee' }).waitFor();
  return { page, complaints, requests };
}

/** Presses a button, confirms in the dialog that asks, and proves the receipt that comes of it: what it says. */
export async function destroy(
  page: Page,
  button: string,
  { typed }: { readonly typed?: string } = {},
): Promise<Record<string, unknown>> {
  await page.getByRole('button', { name: button }).click();
  const asking = page.getByRole('dialog');
  if (typed !== undefined) await asking.getByLabel(`Type ${typed} to confirm`).fill(typed);
  await asking.getByRole('button', { name: button }).click();
  const shown = page.getByRole('dialog', { name: 'Receipt' });
  const jws = await shown.getByRole('region', { name: 'Signed receipt' }).textContent();
  const claims = await receiptOf(new URL(page.url()).origin, jws ?? '');
  await shown.getByRole('button', { name: 'Close' }).click();
  await shown.waitFor({ state: 'detached' });
  return JSON.parse(claims) as Record<string, unknown>;
}

/** Elements within what others said that only their markup could have made. */
export async function intrudersOn(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`
    [...document.querySelectorAll('.words *')]
      .filter((element) => !/^(DIV|SPAN|P|STRONG|EM|DEL|CODE|PRE|UL|OL|LI|BLOCKQUOTE|H[3-6]|HR|BR|TABLE|THEAD|TBODY|TR|TH|TD)$/.test(element.tagName)
        || [...element.attributes].some(({ name }) => !/^(class|dir|tabindex|scope|start)$/.test(name)))
      .map((element) => element.outerHTML)`);
}
