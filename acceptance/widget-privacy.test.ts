import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, launchWatched } from '../testkit/browser.ts';
import { type Tap, startTap } from '../testkit/tcp-tap.ts';
import {
  type FakeAimee,
  SITE_KEY,
  type Site,
  askWidget,
  openWidget,
  saying,
  startFakeAimee,
  startSite,
  widgetTag,
} from '../testkit/widget-site.ts';

/**
 * What leaves a visitor's browser, and what stays in it: looked at from the browser (DevTools protocol), from its system
 * calls (strace), from the wire (a relay in front of the platform) and from its disk.
 */
let site: Site;
let server: FakeAimee;
let tap: Tap;
const directory = mkdtempSync(join(tmpdir(), 'widget-'));
const trace = join(directory, 'connections');
const profile = join(directory, 'profile');

beforeAll(async () => {
  mkdirSync(profile);
  [site, server] = await Promise.all([startSite(), startFakeAimee()]);
  tap = await startTap(server.url);
});
afterAll(async () => {
  await tap.close();
  await Promise.all([site.close(), server.close()]);
  rmSync(directory, { recursive: true });
});

function setPage(attributes: Record<string, string> = {}): void {
  const tag = widgetTag({
    endpoint: tap.url,
    privacyUrl: 'https://privacy.widget-names.example/',
    ...attributes,
  });
  site.pages.set('/', `<!doctype html><html lang="en"><title>A site</title><p>Words</p>${tag}`);
}

const portOf = (url: string): string => `htons(${new URL(url).port})`;

describe('before Submit', () => {
  let context: BrowserContext;
  let page: Page;
  let frame: Frame;
  const network: string[] = [];

  /** Requests, preflights and sockets of one target, below what pages see. */
  async function watch(session: CDPSession): Promise<void> {
    await session.send('Network.enable');
    session.on('Network.requestWillBeSent', ({ request }) => network.push(request.url));
    session.on('Network.webSocketCreated', ({ url }) => network.push(url));
    session.on('Network.webTransportCreated', ({ url }) => network.push(url));
  }

  beforeAll(async () => {
    setPage();
    context = await launchWatched({ directory: profile, connections: trace });
    page = await context.newPage();
    await watch(await context.newCDPSession(page));
    await page.goto(`${site.url}/`);
    frame = await openWidget(page);
    await watch(await context.newCDPSession(frame));
    network.length = 0;
  });
  afterAll(() => context.close());

  const silence = async (): Promise<void> => {
    // A round trip through both processes: what they were about to send, they have sent.
    await Promise.all([page.evaluate('1'), frame.evaluate('1')]);
    expect(network).toEqual([]);
    expect(tap.connections).toBe(0);
    expect(readFileSync(trace, 'utf8')).not.toContain(portOf(tap.url));
    expect(server.requests).toEqual([]);
  };

  it('opening the chat sends nothing', silence);

  it('typing, pasting and deleting send nothing', async () => {
    const input = frame.locator('textarea');
    await input.pressSequentially('SECRET'.repeat(84).slice(0, 500));
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.press('ControlOrMeta+X');
    await page.keyboard.press('ControlOrMeta+V');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.press('Delete');
    await silence();
  });

  it('moving, scrolling, leaving, hiding and resizing send nothing', async () => {
    const session = await context.newCDPSession(page);
    const move = (at: number): Promise<unknown> =>
      session.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 200 + at, y: 100 + at / 2 });
    await Promise.all(Array.from({ length: 1000 }, (_, at) => move(at)));
    await page.mouse.wheel(0, 200);
    await frame.locator('textarea').blur();
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await page.setViewportSize({ width: 800, height: 600 });
    const other = await context.newPage();
    await other.bringToFront();
    await other.close();
    await silence();
  });

  it('closing, opening again and going away with a draft send nothing', async () => {
    await frame.locator('textarea').fill('SECRET draft');
    await page.keyboard.press('Escape');
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    await openWidget(page);
    expect(await frame.locator('textarea').inputValue()).toBe('SECRET draft');
    await silence();
    const leaving = await context.newPage();
    await leaving.goto(`${site.url}/`);
    await (await openWidget(leaving)).locator('textarea').fill('SECRET left');
    await leaving.goto('about:blank');
    await leaving.goBack();
    await leaving.close({ runBeforeUnload: true });
    await silence();
  });

  it('a crash sends nothing', async () => {
    const crashing = await context.newPage();
    await crashing.goto(`${site.url}/`);
    await (await openWidget(crashing)).locator('textarea').fill('SECRET crash');
    const crashed = crashing.waitForEvent('crash');
    const session = await context.newCDPSession(crashing);
    void session.send('Page.crash').catch(() => undefined);
    await crashed;
    await crashing.close();
    await silence();
  });

  it('a hundred openings, and their names are not even looked up', async () => {
    setPage({ endpoint: 'https://chat.widget-names.example' });
    const named = await context.newPage();
    await named.goto(`${site.url}/`);
    const chat = await openWidget(named);
    await named.evaluate(`(async () => {
      const button = document.querySelector('aimee-chat').shadowRoot.querySelector('button');
      for (let at = 0; at < 200; at++) {
        const before = button.ariaExpanded;
        button.click();
        while (button.ariaExpanded === before) await new Promise((done) => setTimeout(done));
      }
    })()`);
    await named.locator('aimee-chat iframe.open').waitFor();
    expect(readFileSync(trace, 'utf8')).not.toContain('widget-names');
    await silence();
    // The other way round: this is how it looks where somebody does ask.
    await askWidget(chat, 'hello');
    expect(readFileSync(trace, 'utf8')).toContain('widget-names');
    await named.close();
  });

  it('a page that does connect early is seen', async () => {
    site.pages.set('/early', `<link rel="preconnect" href="${tap.url}">`);
    const early = await context.newPage();
    await early.goto(`${site.url}/early`);
    await expect.poll(() => tap.connections).toBeGreaterThan(0);
    await early.close();
  });

  it('then Submit sends what stands there, and nothing that once stood there', async () => {
    server.answer = () => saying('An ANSWER.');
    await askWidget(frame, 'hello QUESTION');
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'OPTIONS /aimee/v1/messages',
      'POST /aimee/v1/messages',
    ]);
    expect(server.posts[0]?.body).toEqual({
      site: SITE_KEY,
      origin: site.url,
      text: 'hello QUESTION',
      turns: [],
      language: 'en',
    });
    expect(network).toEqual(Array(network.length).fill(`${tap.url}/aimee/v1/messages`));
    expect(tap.sent().toString()).not.toContain('SECRET');
    expect(readFileSync(trace, 'utf8')).toContain(portOf(tap.url));
  });

  it('neither drafts, questions nor answers are on the disk of the visitor, after the browser has closed', async () => {
    await context.close();
    const files = filesOf(profile).map((file) => readFileSync(file));
    const holding = (word: string): number =>
      files.filter((bytes) => bytes.includes(word) || bytes.includes(Buffer.from(word, 'utf16le'))).length;
    expect(['SECRET', 'QUESTION', 'ANSWER'].map(holding)).toEqual([0, 0, 0]);
    // What a browser does keep, its history, is found.
    expect(holding(new URL(site.url).host)).toBeGreaterThan(0);
  });
});

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('in the browser', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchBrowser();
    setPage();
  });
  afterAll(() => browser.close());

  it('nothing is stored: before, during and after a conversation', async () => {
    page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    const stored = async (): Promise<unknown> => ({
      cookies: (await session.send('Storage.getCookies')).cookies,
      usage: (await session.send('Storage.getUsageAndQuota', { origin: site.url })).usage,
      page: await page.evaluate(`(async () => [
        document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
        (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length, name,
      ])()`),
    });
    const nothing = { cookies: [], usage: 0, page: ['', 0, 0, 0, 0, 0, ''] };
    await page.goto(`${site.url}/`);
    expect(await stored()).toEqual(nothing);
    const frame = await openWidget(page);
    expect(await stored()).toEqual(nothing);
    await askWidget(frame, 'hello');
    expect(await stored()).toEqual(nothing);
    for (const area of [
      'document.cookie',
      'localStorage',
      'sessionStorage',
      'navigator.serviceWorker.register("x")',
    ])
      expect(
        await frame.evaluate(`(async () => { await ${area} })().then(() => 'open', () => 'shut')`),
        area,
      ).toBe('shut');
    await page.reload();
    await page.locator('aimee-chat').waitFor();
    expect(await stored()).toEqual(nothing);
    await page.close();
  });

  it('nothing is read that could tell one visitor from another', async () => {
    page = await browser.newPage();
    await page.addInitScript(TRAPS);
    await page.goto(`${site.url}/`);
    const frame = await openWidget(page);
    await askWidget(frame, 'hello');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('reads')).toEqual([]);
    expect(await frame.evaluate('reads')).toEqual([]);
    // The traps do work.
    await frame.evaluate('void [navigator.userAgent, screen.width, new Date(), devicePixelRatio]');
    expect(await frame.evaluate('reads')).toHaveLength(4);
    await page.close();
  });

  it('nobody listens but the buttons, the form, and Enter', async () => {
    page = await browser.newPage();
    await page.goto(`${site.url}/`);
    const frame = await openWidget(page);
    await askWidget(frame, 'hello');
    expect(await listenersOf(await page.context().newCDPSession(page))).toEqual([
      'button click',
      'iframe load',
    ]);
    expect(await listenersOf(await page.context().newCDPSession(frame))).toEqual([
      'button click',
      'dialog close',
      'form submit',
      'textarea keydown',
    ]);
    await page.close();
  });
});

/** Getters and calls that fingerprints are made of; each that is used leaves its name in `reads`. */
const TRAPS = `
  globalThis.reads = [];
  const trap = (owner, label) => {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (name === 'constructor' || !property.configurable) continue;
      for (const part of ['get', 'value']) {
        const original = property[part];
        if (typeof original !== 'function') continue;
        property[part] = function (...given) {
          reads.push(label + '.' + name);
          return new.target ? new original(...given) : Reflect.apply(original, this, given);
        };
        property[part].prototype = original.prototype;
      }
      Object.defineProperty(owner, name, property);
    }
  };
  for (const name of ['Navigator', 'Screen', 'HTMLCanvasElement', 'OffscreenCanvas', 'CanvasRenderingContext2D',
    'WebGLRenderingContext', 'BaseAudioContext', 'AudioContext', 'FontFaceSet', 'Performance', 'NavigatorUAData',
    'History', 'Storage', 'CookieStore', 'StorageManager', 'MediaDevices', 'SpeechSynthesis', 'VisualViewport'])
    if (globalThis[name]) trap(globalThis[name].prototype, name);
  const one = (owner, name) => {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property?.configurable) trap(Object.defineProperty({}, name, property), name);
    const holder = {};
    Object.defineProperty(holder, name, property ?? { value: undefined, configurable: true });
    trap(holder, 'window');
    Object.defineProperty(owner, name, Object.getOwnPropertyDescriptor(holder, name));
  };
  for (const name of ['Date', 'matchMedia', 'devicePixelRatio', 'outerWidth', 'outerHeight', 'screenX', 'screenY',
    'innerWidth', 'innerHeight', 'getComputedStyle', 'RTCPeerConnection', 'Worker', 'SharedWorker', 'WebSocket',
    'EventSource', 'BroadcastChannel', 'indexedDB', 'caches', 'openDatabase', 'speechSynthesis', 'crypto'])
    if (Object.getOwnPropertyDescriptor(globalThis, name)) one(globalThis, name);
  for (const name of ['cookie', 'referrer', 'fonts', 'lastModified', 'hidden', 'visibilityState'])
    one(Document.prototype, name);
  one(Math, 'random');
  one(Intl, 'DateTimeFormat');
`;

/** \`element event\` of every listener below the window, shadow trees included. */
async function listenersOf(session: CDPSession): Promise<string[]> {
  const { result } = await session.send('Runtime.evaluate', {
    expression: `(() => {
      const below = (root) => [...root.querySelectorAll('*')].flatMap((one) =>
        [one, ...(one.shadowRoot ? [one.shadowRoot, ...below(one.shadowRoot)] : [])]);
      return [window, document, ...below(document)];
    })()`,
  });
  const { result: members } = await session.send('Runtime.getProperties', {
    objectId: result.objectId ?? '',
    ownProperties: true,
  });
  const found = new Set<string>();
  for (const { value } of members) {
    if (value?.objectId === undefined) continue;
    const { listeners } = await session.send('DOMDebugger.getEventListeners', { objectId: value.objectId });
    const name = /^[a-z]+/.exec(value.description ?? '')?.[0] ?? value.className ?? '';
    for (const { type } of listeners) found.add(`${name} ${type}`);
  }
  return [...found].toSorted();
}
