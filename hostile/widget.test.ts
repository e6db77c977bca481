import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../testkit/browser.ts';
import {
  type FakeAimee,
  type Site,
  askWidget,
  openWidget,
  saying,
  startFakeAimee,
  startSite,
  visitSite,
  widgetTag,
} from '../testkit/widget-site.ts';

/** The widget among enemies: pages that want to read along, answers that want to be code, tags that lie. */
let browser: Browser;
let site: Site;
let server: FakeAimee;
const QUESTION = 'the visitor’s question';
const ANSWER = 'the assistant’s answer';

beforeAll(async () => {
  [browser, site, server] = await Promise.all([launchBrowser(), startSite(), startFakeAimee()]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site.close(), server.close()]);
});
beforeEach(() => {
  server.answer = ({ path }) => (path.endsWith('/messages') ? saying(ANSWER) : { status: 204 });
});

interface Around {
  /** In the page before the tag. */
  readonly before?: string;
  readonly attributes?: Record<string, string>;
}

async function visit({ before = '', attributes = {} }: Around = {}): Promise<Page> {
  const tag = widgetTag({ endpoint: server.url, ...attributes });
  const page = `<!doctype html><html lang="en"><title>A site</title><button id="own">Own</button>${before}${tag}`;
  return await visitSite(browser, site, { page });
}

/** A conversation works, whatever the page did. */
async function converse(page: Page): Promise<Frame> {
  const frame = await openWidget(page);
  await askWidget(frame, QUESTION);
  await frame.getByText(ANSWER).waitFor();
  return frame;
}

describe('a page that wants to read along', () => {
  it('cannot reach into the frame', async () => {
    const page = await visit();
    const frame = await converse(page);
    expect(await frame.evaluate('origin')).toBe('null');
    const reached = await page.evaluate<string[]>(`(() => {
      const frame = document.querySelector('aimee-chat').shadowRoot.querySelector('iframe');
      const tries = {
        contentDocument: () => frame.contentDocument.body.textContent,
        document: () => frame.contentWindow.document.body.textContent,
        eval: () => frame.contentWindow.eval('1'),
        settings: () => frame.contentWindow.location.href,
        storage: () => frame.contentWindow.localStorage.length,
        frames: () => frames[0].document.title,
        getSVGDocument: () => frame.getSVGDocument().title,
      };
      return Object.entries(tries).filter(([, run]) => {
        try { run(); return true; } catch { return false; }
      }).map(([name]) => name);
    })()`);
    expect(reached).toEqual([]);
    const seen = await page.evaluate<string>(`(() => {
      const host = document.querySelector('aimee-chat');
      return document.documentElement.outerHTML + host.shadowRoot.innerHTML + document.body.innerText +
        JSON.stringify(performance.getEntries());
    })()`);
    expect(seen).not.toContain(QUESTION);
    expect(seen).not.toContain(ANSWER);
    expect(seen).not.toContain('/aimee/v1/messages');
    await page.close();
  });

  it('hears no key, no click and no message of the conversation', async () => {
    const page = await visit({
      before: `<script>
        heard = [];
        for (const type of ['keydown', 'keypress', 'keyup', 'beforeinput', 'input', 'paste', 'copy', 'submit', 'change',
          'compositionstart', 'selectionchange'])
          addEventListener(type, (event) => heard.push(type + ' ' + event.key), true);
        addEventListener('message', (event) => heard.push('message ' + JSON.stringify(event.data)), true);
        const { postMessage } = MessagePort.prototype;
        const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
        MessagePort.prototype.postMessage = function (data) { heard.push('out ' + data); postMessage.call(this, data); };
        Object.defineProperty(MessagePort.prototype, 'onmessage', { set(listener) {
          set.call(this, (event) => { heard.push('in ' + event.data); listener(event); });
        } });
      </script>`,
    });
    const frame = await openWidget(page);
    await frame.locator('textarea').pressSequentially('keys');
    await frame.locator('textarea').press('Enter');
    await frame.getByText(ANSWER).waitFor();
    await frame.getByRole('button', { name: 'Close' }).click();
    await page.locator('aimee-chat iframe:not(.open)').waitFor({ state: 'attached' });
    expect(await page.evaluate('heard')).toEqual(['in true', 'out true', 'in false']);
    await page.close();
  });

  it('sees nothing of it through functions that it replaced', async () => {
    const page = await visit({
      before: `<script>
        taken = [];
        const spy = (owner, name) => {
          const original = owner[name];
          owner[name] = function (...given) {
            taken[taken.length] = String(given[0]);
            return Reflect.apply(original, this, given);
          };
        };
        for (const [owner, names] of [
          [window, ['fetch', 'atob', 'postMessage', 'setTimeout', 'open', 'structuredClone']],
          [JSON, ['parse', 'stringify']],
          [EventTarget.prototype, ['addEventListener', 'dispatchEvent']],
          [Node.prototype, ['appendChild', 'insertBefore']],
          [Element.prototype, ['append', 'replaceChildren', 'setAttribute', 'attachShadow']],
          [String.prototype, ['split', 'replace', 'slice', 'trim', 'startsWith']],
          [Array.prototype, ['push', 'map', 'join']],
          [TextDecoder.prototype, ['decode']],
          [Response.prototype, ['text', 'json']],
          [XMLHttpRequest.prototype, ['open', 'send']],
        ]) for (const name of names) spy(owner, name);
        for (const name of ['site', 'text', 'turns', 'ticket', 'then', 'title', 'api'])
          Object.defineProperty(Object.prototype, name, {
            get() { return undefined; },
            set(value) { taken[taken.length] = String(value); },
            configurable: true,
          });
      </script>`,
    });
    await converse(page);
    const taken = await page.evaluate<string>('taken.join(String.fromCharCode(10))');
    expect(taken).not.toContain(QUESTION);
    expect(taken).not.toContain(ANSWER);
    expect(taken.length).toBeGreaterThan(0);
    await page.close();
  });

  it('does not get the request into its service worker', async () => {
    const page = await visit();
    site.pages.set('/worker.js', {
      html: `seen = []; addEventListener('fetch', ({ request }) => seen.push(request.url));
        addEventListener('activate', (event) => event.waitUntil(clients.claim()));
        addEventListener('message', (event) => event.source.postMessage(seen));`,
      headers: { 'content-type': 'text/javascript' },
    });
    await page.evaluate(`(async () => {
      await navigator.serviceWorker.register('/worker.js');
      await navigator.serviceWorker.ready;
    })()`);
    await page.reload();
    await converse(page);
    const seen = await page.evaluate<string[]>(`new Promise((done) => {
      navigator.serviceWorker.onmessage = ({ data }) => done(data);
      navigator.serviceWorker.startMessages();
      navigator.serviceWorker.controller.postMessage('?');
    })`);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter((url) => url.includes('/aimee/'))).toEqual([]);
    await page.close();
  });
});

describe('a page that wants to speak for the visitor', () => {
  it('cannot submit, type or press inside', async () => {
    const page = await visit({ attributes: { suggestions: '["Press me"]' } });
    const frame = await openWidget(page);
    await frame.locator('textarea').fill('a draft');
    const count = server.requests.length;
    await page.evaluate(`(() => {
      const host = document.querySelector('aimee-chat');
      const frame = host.shadowRoot.querySelector('iframe');
      for (const target of [window, document, host, frame]) {
        target.dispatchEvent(new SubmitEvent('submit', { bubbles: true }));
        target.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
        target.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
      }
      frame.click();
      for (const data of ['submit', true, false, { type: 'submit' }, { text: 'evil' }, null])
        frame.contentWindow.postMessage(data, '*');
    })()`);
    // Inside, only devices speak for the visitor.
    await frame.evaluate(`(() => {
      document.querySelector('form').dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
      document.querySelector('textarea').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
    })()`);
    expect(await frame.locator('textarea').inputValue()).toBe('a draft');
    expect(server.requests).toHaveLength(count);
    await page.close();
  });

  it('cannot take the port after the launcher has handed it over, however it floods the frame', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    await page.evaluate(`(() => {
      const { contentWindow } = document.querySelector('aimee-chat').shadowRoot.querySelector('iframe');
      heard = [];
      for (let at = 0; at < 1000; at++) {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => heard.push(data);
        contentWindow.postMessage(false, '*', [port2]);
        port1.postMessage(false);
      }
    })()`);
    await askWidget(frame, QUESTION);
    expect(await page.evaluate('heard')).toEqual([]);
    expect(await page.locator('aimee-chat iframe.open').count()).toBe(1);
    await page.close();
  });

  it('that hands over a port of its own gets a chat that never opens', async () => {
    const page = await visit({
      before: `<script>
        const { postMessage } = Window.prototype;
        heard = [];
        new MutationObserver(() => {
          const root = document.querySelector('aimee-chat')?.shadowRoot;
          if (!root || root.spied) return;
          root.spied = true;
          new MutationObserver(() => {
            const frame = root.querySelector('iframe');
            frame?.addEventListener('load', () => {
              const { port1, port2 } = new MessageChannel();
              port1.onmessage = ({ data }) => heard.push(data);
              frame.contentWindow.postMessage(false, '*', [port2]);
            }, true);
          }).observe(root, { childList: true });
        }).observe(document, { childList: true, subtree: true });
      </script>`,
    });
    await page.locator('aimee-chat .launcher').click();
    await page.waitForFunction(
      'heard.length > 0 || document.querySelector("aimee-chat").shadowRoot.querySelector("iframe.open")',
    );
    // Whoever won: what passes a port is `true` and `false`.
    expect([[], [true]]).toContainEqual(await page.evaluate('heard'));
    await page.close();
  });

  it('cannot speak to it from another frame', async () => {
    const page = await visit();
    const frame = await openWidget(page);
    await page.evaluate(`new Promise((done) => {
      const other = document.createElement('iframe');
      other.srcdoc = '<script>for (const each of [parent, top, ...parent.frames]) ' +
        'each.postMessage(false, "*", [new MessageChannel().port2]);<' + '/script>';
      other.onload = done;
      document.body.append(other);
    })`);
    await askWidget(frame, QUESTION);
    expect(await page.locator('aimee-chat iframe.open').count()).toBe(1);
    await page.close();
  });
});

describe('a page that wants to break it', () => {
  it.each([
    [
      'hides',
      '* :not(html, body) { display: none !important; visibility: hidden !important; opacity: 0 !important }',
    ],
    [
      'moves',
      'aimee-chat, body > * { position: static !important; inset: 9999px !important; z-index: -1 !important }',
    ],
    [
      'shrinks',
      'aimee-chat, iframe, button { width: 0 !important; height: 0 !important; font-size: 0 !important }',
    ],
    ['layers', '@layer a { aimee-chat { all: unset !important; display: none !important } }'],
    [
      'animates',
      '@keyframes x { to { display: none; opacity: 0 } } aimee-chat { animation: x 1ms forwards !important }',
    ],
  ])('with a style sheet that %s does not', async (_, css) => {
    const page = await visit({ before: `<style>${css}</style>` });
    const box = await page.locator('aimee-chat .launcher').boundingBox();
    expect(box).toMatchObject({ width: 56, height: 56, x: 1280 - 76, y: 720 - 76 });
    const frame = await converse(page);
    expect(await frame.evaluate('innerWidth')).toBe(400);
    await page.close();
  });

  it.each([
    ['JSON', 'JSON.stringify = () => "{}"; Object.prototype.toJSON = () => "evil";'],
    ['channels', 'MessageChannel = class { port1 = {}; port2 = {} };'],
    ['shadow trees', 'Element.prototype.attachShadow = () => { throw new Error("no") };'],
    ['listeners', 'EventTarget.prototype.addEventListener = () => {};'],
    ['what sets the sandbox', 'Element.prototype.setAttribute = () => {};'],
    [
      'the sandbox',
      'new MutationObserver(() => document.querySelector("aimee-chat")?.shadowRoot?.querySelector("iframe")?.removeAttribute("sandbox")).observe(document, { childList: true, subtree: true }); const { append } = DocumentFragment.prototype; DocumentFragment.prototype.append = function (...nodes) { for (const node of nodes) node.removeAttribute?.("sandbox"); append.apply(this, nodes); };',
    ],
  ])('by replacing %s gets no chat, and no request', async (_, script) => {
    const count = server.requests.length;
    const page = await visit({ before: `<script>${script}</script>` });
    await page.evaluate(`document.querySelector('aimee-chat')?.shadowRoot?.querySelector('button')?.click()`);
    await page.locator('#own').click();
    expect(await page.locator('aimee-chat iframe.open').count()).toBe(0);
    expect(server.requests).toHaveLength(count);
    await page.close();
  });

  it.each([
    ['another page', 'frame.removeAttribute("srcdoc"); frame.src = "/evil"'],
    ['another document', 'frame.srcdoc = "<p>evil"'],
    ['itself again', 'frame.srcdoc = frame.srcdoc'],
    ['something through its window', 'frame.contentWindow.location = "/evil"'],
  ])('by putting %s into the frame loses it, with all that was said', async (_, script) => {
    site.pages.set('/evil', '<p>evil');
    const page = await visit();
    await converse(page);
    await page.evaluate(
      `{ const frame = document.querySelector('aimee-chat').shadowRoot.querySelector('iframe'); ${script} }`,
    );
    await page.locator('aimee-chat iframe').waitFor({ state: 'detached' });
    expect(await page.locator('aimee-chat .launcher').getAttribute('aria-expanded')).toBe('false');
    const frame = await openWidget(page);
    expect(await frame.getByText(QUESTION).count()).toBe(0);
    await askWidget(frame, 'anew');
    expect(server.posts.at(-1)?.body).toMatchObject({ text: 'anew', turns: [] });
    await page.close();
  });

  it('cannot tell the server of another page than the one it is', async () => {
    const page = await visit({
      before: `<script>
        try { Object.defineProperty(location, 'ancestorOrigins', { value: ['https://good.example'] }) } catch {}
        document.documentElement.dataset.origin = 'https://good.example';
      </script>`,
    });
    await converse(page);
    expect(server.posts.at(-1)?.body['origin']).toBe(site.url);
    await page.close();
  });
});
