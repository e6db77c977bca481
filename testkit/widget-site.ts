import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core';
import { type Loopback, onLoopback } from './loopback.ts';

/** Somebody's website with the widget on it, and a server that speaks the widget's contract and answers as told. */

const dist = fileURLToPath(new URL('../web/widget/dist/', import.meta.url));
export const SITE_KEY = 'site_ABCDEFGHIJKLMNOPQRST';

export interface WidgetFile {
  readonly file: string;
  readonly version: string;
  readonly integrity: string;
  readonly frameScript: string;
}

export function widgetFile(): WidgetFile & { readonly code: string } {
  const manifest = JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8')) as WidgetFile;
  return { ...manifest, code: readFileSync(join(dist, manifest.file), 'utf8') };
}

/** A page as text is HTML with status 200. */
export type SitePage = string | { readonly html: string; readonly headers: Readonly<Record<string, string>> };

export interface Site {
  readonly url: string;
  /** By path; `/widget.js` is the widget, as a site serves it that hosts it itself. */
  readonly pages: Map<string, SitePage>;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const pages = new Map<string, SitePage>();
  const { code } = widgetFile();
  const { url, close } = await listen(({ path }, response) => {
    const page = pages.get(path);
    if (path === '/widget.js') response.setHeader('content-type', 'text/javascript');
    else if (typeof page === 'object')
      for (const [name, value] of Object.entries(page.headers)) response.setHeader(name, value);
    if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/html; charset=utf-8');
    const body = path === '/widget.js' ? code : typeof page === 'object' ? page.html : page;
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body);
  });
  return { url, pages, close };
}

/** The tag, with attributes in the form of `dataset`. */
export function widgetTag(attributes: Readonly<Record<string, string>>, src = '/widget.js'): string {
  const data = Object.entries({ site: SITE_KEY, ...attributes })
    .map(
      ([name, value]) =>
        `data-${name.replace(/[A-Z]/g, (sign) => `-${sign.toLowerCase()}`)}="${escape(value)}"`,
    )
    .join(' ');
  return `<script src="${src}" ${data} async></script>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sent as they are, one event each; a refusal is a problem document. */
export type FakeAnswer =
  | { readonly events: readonly object[]; readonly isCut?: boolean; readonly hold?: Promise<void> }
  | { readonly raw: string }
  | { readonly status: number; readonly problem?: object };

export interface FakeAimee {
  readonly url: string;
  /** Everything that arrived, preflights included. */
  readonly requests: readonly FakeRequest[];
  readonly posts: readonly FakeRequest[];
  answer: (request: FakeRequest) => FakeAnswer;
  close(): Promise<void>;
}

export const DONE = {
  type: 'done',
  answered: true,
  sources: [],
  ticket: 'ticket',
  reference: 'K7QF-2M9X',
  message: 1,
  handOver: null,
} as const;

/** A whole answer in one piece. */
export function saying(text: string, end: object = {}): FakeAnswer {
  return {
    events: [
      { type: 'text', text },
      { ...DONE, ...end },
    ],
  };
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type',
};

export async function startFakeAimee(): Promise<FakeAimee> {
  const requests: FakeRequest[] = [];
  const { url, close } = await listen((request, response) => {
    requests.push(request);
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else void send(fake.answer(request), response);
  });
  const fake: FakeAimee = {
    url,
    requests,
    get posts() {
      return requests.filter(({ method }) => method === 'POST');
    },
    answer: ({ path }) => (path.endsWith('/messages') ? saying('Hello.') : { status: 204 }),
    close,
  };
  return fake;
}

async function send(answer: FakeAnswer, response: ServerResponse): Promise<void> {
  if ('status' in answer) {
    response.writeHead(answer.status, { 'content-type': 'application/problem+json' });
    response.end(answer.status === 204 ? undefined : JSON.stringify(answer.problem ?? {}));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if ('raw' in answer) {
    response.end(answer.raw);
    return;
  }
  response.write(': open\n\n');
  for (const [at, event] of answer.events.entries()) {
    const { type } = event as { type?: unknown };
    response.write(`event: ${String(type)}\ndata: ${JSON.stringify(event)}\n\n`);
    if (at === 0) await answer.hold;
  }
  // An end without the last chunk, not a reset: what came before has to arrive.
  if (answer.isCut === true) response.socket?.end();
  else response.end();
}

async function listen(handle: (request: FakeRequest, response: ServerResponse) => void): Promise<Loopback> {
  const server = createServer((incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    void incoming.toArray().then((chunks: Buffer[]) => {
      const text = Buffer.concat(chunks).toString('utf8');
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      handle({ method, path: new URL(url, 'http://site').pathname, headers, body }, response);
    });
  });
  return await onLoopback(server);
}

/** Opens the site's first page, as given, in a browser context of its own. */
export async function visitSite(
  browser: Browser,
  site: Site,
  { page: content, ...options }: BrowserContextOptions & { readonly page: SitePage },
): Promise<Page> {
  site.pages.set('/', content);
  const page = await browser.newPage(options);
  await page.goto(`${site.url}/`);
  return page;
}

/** Presses the launcher and waits until the chat is there. */
export async function openWidget(page: Page): Promise<Frame> {
  await page.locator('aimee-chat .launcher').click();
  await page.locator('aimee-chat iframe.open').waitFor();
  const frame = page.frames().at(-1);
  if (frame === undefined) throw new Error('the page has no frames');
  return frame;
}

/** Types and presses Enter; resolves when what came of it stands in the transcript. */
export async function askWidget(frame: Frame, text: string): Promise<void> {
  const outcomes = frame.locator('.actions, .fault:not(:empty)');
  const before = await outcomes.count();
  await frame.locator('textarea').fill(text);
  await frame.locator('textarea').press('Enter');
  await outcomes.nth(before).waitFor();
}

export const SUGGESTIONS = [
  'What does a spring check cost?',
  'Do you work on Saturdays?',
  'How do I get rid of slugs?',
];
export const ANSWER = `A **spring check** costs *CHF 120* for gardens up to 200 m². It covers:

1. Pruning of shrubs and roses
2. A look at the \`soil\`:
   - acidity
   - drainage
3. A written plan for the season

\`\`\`
200 m²  → CHF 120
400 m²  → CHF 190
\`\`\`

Larger gardens on request, see [prices](https://ada.example/prices).`;

export interface Garden {
  readonly attributes?: Readonly<Record<string, string>>;
  /** Of the page. */
  readonly language?: string;
}

/** A page of a gardener's site, with the widget. */
export function gardenPage(endpoint: string, { attributes = {}, language = 'en' }: Garden = {}): string {
  return `<!doctype html><html lang="${language}"><meta charset="utf-8"><title>Gardens of Ada</title>
    <meta name="viewport" content="width=device-width">
    <style>body { font: 18px/1.6 Georgia, serif; max-width: 60ch; margin: 3rem auto; padding: 0 1rem }</style>
    <main><h1>Gardens of Ada</h1><p>We plan, plant and look after gardens, in Basel and around it. Twenty years of
    it have taught us patience, and a few things about slugs.</p><button id="own">Our prices</button></main>
    ${widgetTag({ endpoint, privacyUrl: '/privacy', ...attributes })}`;
}
