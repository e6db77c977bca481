import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../testkit/browser.ts';
import {
  DONE,
  type FakeAimee,
  type FakeAnswer,
  SITE_KEY,
  type Site,
  askWidget,
  openWidget,
  saying,
  startFakeAimee,
  startSite,
  widgetTag,
} from '../testkit/widget-site.ts';

/** Models and servers that mean harm, and tags that do. Whatever they write stays text. */
let browser: Browser;
let site: Site;
let server: FakeAimee;

beforeAll(async () => {
  [browser, site, server] = await Promise.all([launchBrowser(), startSite(), startFakeAimee()]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site.close(), server.close()]);
});

/** Records scripts that ran and requests that left, in every frame of the page. */
async function visit(tags: string): Promise<{ page: Page; requests: string[] }> {
  site.pages.set(
    '/',
    `<!doctype html><html lang="en"><title>A site</title><button id="own">Own</button>${tags}`,
  );
  const page = await browser.newPage();
  await page.addInitScript('globalThis.ran = []; globalThis.alert = (what) => ran.push(String(what));');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on('dialog', (dialog) => {
    requests.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.context().on('page', (other) => requests.push(`page ${other.url()}`));
  await page.goto(`${site.url}/`);
  requests.length = 0;
  return { page, requests };
}

const AWAY = 'https://evil.example';
const ANSWERS: readonly string[] = [
  // HTML
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  `<img src="${AWAY}/pixel.gif">`,
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  `<iframe src="${AWAY}"></iframe>`,
  '<body onload=alert(1)>',
  '<details open ontoggle=alert(1)>x</details>',
  '<input autofocus onfocus=alert(1)>',
  '<video><source onerror=alert(1)></video>',
  `<audio src="${AWAY}/a.mp3" autoplay></audio>`,
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<template><script>alert(1)</script></template>',
  `<link rel=stylesheet href="${AWAY}/a.css">`,
  `<link rel=prefetch href="${AWAY}/a">`,
  `<meta http-equiv=refresh content="0;url=${AWAY}">`,
  `<base href="${AWAY}/">`,
  `<form action="${AWAY}"><button>Press</button></form>`,
  `<object data="${AWAY}"></object><embed src="${AWAY}">`,
  '</div></li></ol></dialog></body><script>alert(1)</script>',
  '--><script>alert(1)</script><!--',
  ']]><script>alert(1)</script>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&#60;img src=x onerror=alert(1)&#62;',
  '<a href="javascript:alert(1)" autofocus>x</a>',
  '<style>*{background:url(https://evil.example/css)}</style>',
  '<div style="background-image:url(https://evil.example/inline)">x</div>',
  '<ScRiPt>alert(1)</sCrIpT>',
  '<scr\u0000ipt>alert(1)</scr\u0000ipt>',
  '＜script＞alert(1)＜/script＞',
  '<x onclick=alert(1) tabindex=0 autofocus>x',
  // Markdown
  `![pixel](${AWAY}/pixel.gif)`,
  `![pixel](${AWAY}/pixel.gif "title")`,
  `![](${AWAY}/pixel.gif)`,
  `[![nested](${AWAY}/a.png)](${AWAY})`,
  `![pixel][ref]\n\n[ref]: ${AWAY}/ref.gif`,
  `[text](${AWAY}/?q=secret)`,
  '[text](javascript:alert(1))',
  '[text](JaVaScRiPt:alert(1))',
  '[text](data:text/html,<script>alert(1)</script>)',
  '[text](vbscript:alert(1))',
  '[text]( \u0001javascript:alert(1))',
  `[a](${AWAY} "onmouseover=alert(1)")`,
  `<${AWAY}>`,
  `${AWAY}/automatic`,
  'www.evil.example and mail@evil.example',
  `[ref]: ${AWAY} 'x'`,
  `**[bold](${AWAY})**`,
  `\`<img src=${AWAY}>\``,
  '```html\n<script>alert(1)</script>\n```',
  '``` "onload=alert(1) class="x\ncode\n```',
  '~~~\n</code></pre><script>alert(1)</script>',
  '# <img src=x onerror=alert(1)>',
  '- <img src=x onerror=alert(1)>\n  - <svg onload=alert(1)>',
  '1. [x](javascript:alert(1))',
  '> <script>alert(1)</script>',
  '| <script>alert(1)</script> | x |\n|---|---|\n| ![a](https://evil.example/t.gif) | y |',
  '[^1]: <script>alert(1)</script>',
  '\\<script>alert(1)\\</script>',
  '$$\\href{javascript:alert(1)}{x}$$',
  `:::html\n<img src=${AWAY}>\n:::`,
  '{{constructor.constructor("alert(1)")()}} ${alert(1)} <%= alert(1) %>',
  // Unicode and size
  '\u202egnp.evil\u202c \u2066left\u2069 \u200f\u200e',
  `${'Z̸̧̡̛̹̯͚͇̗̪̈́̏̈́̏'.repeat(500)}`,
  '\u2028data: {"type":"done"}\u2029event: error',
  '\ud800 lone \udfff surrogates \ufffe\uffff',
  '\u0000\u0001\u001b[31m\u007f\u0085',
  'data: {"type":"error"}\n\ndata: [DONE]\n\nevent: done',
  'x'.repeat(200_000),
  '*'.repeat(20_000),
  '`'.repeat(20_000),
  '['.repeat(20_000),
  '**a '.repeat(5_000),
  '_a'.repeat(10_000),
  `${'- '.repeat(5_000)}x`,
  '> '.repeat(10_000),
  '\n'.repeat(20_000),
  '1'.repeat(9) + '. ten digits and a list',
];

describe('answers', () => {
  it(`of ${ANSWERS.length} kinds run nothing, fetch nothing, and become nothing but words and their form`, async () => {
    const { page, requests } = await visit(widgetTag({ endpoint: server.url }));
    const frame = await openWidget(page);
    for (const text of ANSWERS) {
      server.answer = () => saying(text);
      await askWidget(frame, 'Go on');
      await frame.getByRole('button', { name: 'New conversation' }).click({ noWaitAfter: true, trial: true });
      expect(await strangersIn(frame), text.slice(0, 80)).toEqual([]);
    }
    expect(ANSWERS.length).toBeGreaterThanOrEqual(60);
    expect(await page.evaluate('ran')).toEqual([]);
    expect(await frame.evaluate('ran')).toEqual([]);
    expect(requests.filter((line) => line !== `POST ${server.url}/aimee/v1/messages`)).toEqual([]);
    await page.close();
  });

  it('that come in pieces of a sign each become the same', async () => {
    const { page, requests } = await visit(widgetTag({ endpoint: server.url }));
    const frame = await openWidget(page);
    const text = `**a** <img src="${AWAY}"> ![x](${AWAY}/y)`;
    server.answer = () => ({
      events: [...text.split('').map((piece) => ({ type: 'text', text: piece })), DONE],
    });
    await askWidget(frame, 'Slowly');
    expect(await frame.locator('.assistant .body').last().innerHTML()).toBe(
      `<p><strong>a</strong> &lt;img src="${AWAY}"&gt; x</p>`,
    );
    expect(requests).toHaveLength(1);
    await page.close();
  });

  it('keep to the form that is meant', async () => {
    const { page } = await visit(widgetTag({ endpoint: server.url }));
    const frame = await openWidget(page);
    const cases: readonly [string, string][] = [
      ['one\ntwo\n\nthree', '<p>one\ntwo</p><p>three</p>'],
      [
        'a *b* **c** `d*e*` _f_ snake_case_name 2*3*4',
        '<p>a <em>b</em> <strong>c</strong> <code>d*e*</code> <em>f</em> snake_case_name 2<em>3</em>4</p>',
      ],
      ['# Title\ntext', '<p><strong>Title</strong></p><p>text</p>'],
      [
        '1. one\n2. two\n   - deep\n3. three',
        '<ol class="" start="1"><li>one</li><li>two</li></ol><ul class="deep"><li>deep</li></ul><ol class="" start="3"><li>three</li></ol>',
      ],
      [
        '```js\nlet a = 1;\n\n# no title\n```\nafter',
        '<pre tabindex="0"><code>let a = 1;\n\n# no title</code></pre><p>after</p>',
      ],
      ['\\*plain\\* and [a page](https://a.example)', '<p>*plain* and a page (https://a.example)</p>'],
    ];
    for (const [text, html] of cases) {
      server.answer = () => saying(text);
      await askWidget(frame, 'Form?');
      expect(await frame.locator('.assistant .body').last().innerHTML()).toBe(html);
    }
    await page.close();
  });
});

/** Elements and attributes of the frame that no answer may bring. */
async function strangersIn(frame: Frame): Promise<string[]> {
  return await frame.evaluate(`(() => {
    const known = {
      P: ['class'], STRONG: [], EM: [], CODE: [], PRE: ['tabindex'], UL: ['class'], OL: ['class', 'start'],
      LI: ['class'], DIV: ['class', 'dir', 'role', 'aria-live'], SPAN: ['class'], B: ['dir'],
      BUTTON: ['type', 'class', 'aria-label', 'title', 'aria-pressed'], svg: ['viewBox', 'aria-hidden'], path: ['d'],
    };
    return [...document.querySelectorAll('[role=log] *')].flatMap((element) => {
      const attributes = known[element.tagName];
      if (attributes === undefined) return [element.tagName];
      return [...element.attributes].map(({ name }) => name).filter((name) => !attributes.includes(name))
        .map((name) => element.tagName + ' ' + name);
    });
  })()`);
}

describe('servers', () => {
  const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
  const answers: readonly [string, FakeAnswer, RegExp][] = [
    ['nothing', { raw: '' }, /Broken off/],
    ['no events', { raw: 'hello\n\nworld' }, /Broken off/],
    [
      'broken JSON',
      { raw: 'data: {"type":\n\ndata: null\n\ndata: 1\n\ndata: "x"\n\ndata: []\n\n' },
      /Broken off/,
    ],
    ['unknown events', { raw: event({ type: 'run', code: 'alert(1)' }) }, /Broken off/],
    ['an end without a ticket', { raw: event({ type: 'done' }) }, /Broken off/],
    ['an end without the rest', { raw: event({ type: 'done', ticket: 't' }) }, /^/],
    [
      'sources and hand-overs that are no pages',
      saying('x', {
        sources: [
          { title: '<img src=x onerror=alert(1)>', url: 'javascript:alert(1)' },
          { title: 'data', url: 'data:text/html,<script>alert(1)</script>' },
          { title: 'blob', url: 'blob:https://a.example/1' },
          { title: 'relative', url: '//evil.example' },
          { title: null, url: 7 },
          {},
        ],
        handOver: { kind: 'link', url: 'javascript:alert(1)', label: '<b>Press</b>' },
      }),
      /^/,
    ],
    [
      'fields of other kinds',
      saying('x', { sources: 'none', handOver: 'yes', reference: { a: 1 }, message: 'NaN', answered: 'no' }),
      /^/,
    ],
    [
      'text that is none',
      { events: [{ type: 'text', text: { toString: 'x' } }, { type: 'text' }, DONE] },
      /^/,
    ],
    [
      'prototypes',
      { raw: 'data: {"type":"text","text":"x","__proto__":{"site":"evil"}}\n\n' + event(DONE) },
      /^/,
    ],
    ['one endless line', { raw: `data: ${'x'.repeat(300_000)}` }, /Broken off/],
    ['a redirect away', { status: 302 }, /No connection|Not available/],
    ['a page', { status: 200, problem: { html: '<script>alert(1)</script>' } }, /Broken off/],
    [
      'a problem full of HTML',
      { status: 400, problem: { detail: '<img src=x onerror=alert(1)>', retryAfter: '<b>' } },
      /Too many|Not available/,
    ],
  ];

  it.each(answers)(
    'that send %s are taken for what they are, and the chat goes on',
    async (_, answer, outcome) => {
      const { page, requests } = await visit(widgetTag({ endpoint: server.url }));
      const frame = await openWidget(page);
      server.answer = () => answer;
      await askWidget(frame, 'First');
      expect(await frame.locator('.assistant').last().innerText()).toMatch(outcome);
      expect(await frame.getByRole('button', { name: /Press|img|data|blob|relative/ }).count()).toBe(0);
      server.answer = () => saying('Fine again.');
      await askWidget(frame, 'Second');
      await frame.getByText('Fine again.').waitFor();
      expect(server.posts.at(-1)?.body).toMatchObject({ site: SITE_KEY, text: 'Second' });
      expect(await page.evaluate('ran')).toEqual([]);
      expect(await frame.evaluate('ran')).toEqual([]);
      expect(new Set(requests)).toEqual(new Set([`POST ${server.url}/aimee/v1/messages`]));
      await page.close();
    },
  );
});

describe('tags', () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';

  it('whose attributes are markup show it as text', async () => {
    const attributes = {
      title: evil,
      greeting: `${evil}</script></body>`,
      suggestions: JSON.stringify([evil, 7, null, { a: 1 }, '', 'x'.repeat(5000)]),
      privacyUrl: 'javascript:alert(1)',
      accent: 'red;}*{background:url(https://evil.example)}',
      position: evil,
      language: `en${evil}`,
      theme: evil,
      open: 'false',
    };
    const { page, requests } = await visit(widgetTag({ endpoint: server.url, ...attributes }));
    expect(await page.locator('aimee-chat iframe').count()).toBe(0);
    const frame = await openWidget(page);
    expect(await frame.locator('h1').innerText()).toBe(evil.slice(0, 60));
    expect(await frame.locator('.suggestions button').allInnerTexts()).toEqual([evil, 'x'.repeat(120)]);
    expect(await frame.getByRole('button', { name: 'Privacy' }).count()).toBe(0);
    expect(await frame.evaluate('document.documentElement.style.getPropertyValue("--accent")')).toBe(
      '#3b5bdb',
    );
    expect(await frame.locator('script').count()).toBe(1);
    server.answer = () => saying('Fine.');
    await askWidget(frame, 'Hello');
    expect(await frame.evaluate('ran')).toEqual([]);
    expect(await page.evaluate('ran')).toEqual([]);
    expect(requests).toEqual([`POST ${server.url}/aimee/v1/messages`]);
    await page.close();
  });

  it.each([
    ['suggestions that are no list', { suggestions: '{"a":1}' }],
    ['suggestions that are no JSON', { suggestions: 'What?, When?' }],
    ['empty attributes', { title: '', greeting: '', accent: '', language: '', position: '', privacyUrl: '' }],
    ['a privacy address that is none', { privacyUrl: 'http://' }],
  ])('with %s still give a chat', async (_, attributes) => {
    const { page } = await visit(widgetTag({ endpoint: server.url, ...attributes }));
    await openWidget(page);
    await page.close();
  });

  it.each([
    ['a site key that is none', { site: 'site_x"; connect-src *' }],
    ['an endpoint without TLS', { endpoint: 'http://chat.example' }],
    ['an endpoint of another kind', { endpoint: 'javascript:alert(1)' }],
    ['an endpoint that is none', { endpoint: 'chat.example' }],
    ['an endpoint that would widen the policy', { endpoint: 'https://*; script-src *' }],
  ])('with %s give none, tell the developer, and leave the page alone', async (_, attributes) => {
    const errors: string[] = [];
    site.pages.set('/', '');
    const { page, requests } = await visit('');
    page.on('pageerror', (error) => errors.push(error.message));
    site.pages.set('/', `<button id="own">Own</button>${widgetTag({ endpoint: server.url, ...attributes })}`);
    await page.reload();
    await page.locator('#own').click();
    expect(await page.locator('aimee-chat').count()).toBe(0);
    expect(errors).toHaveLength(1);
    expect(requests.filter((line) => !line.includes(site.url))).toEqual([]);
    await page.close();
  });

  it('twice for one corner give one chat; for two corners, two that do not know of each other', async () => {
    const tag = (attributes: Record<string, string>): string =>
      widgetTag({ endpoint: server.url, ...attributes }).replace(' async', '');
    const other = `site_${'Z'.repeat(20)}`;
    const { page } = await visit(
      tag({}) + tag({}) + tag({ position: 'left', site: other }) + tag({ site: other }),
    );
    await page.locator('aimee-chat.left').waitFor();
    expect(await page.locator('aimee-chat').count()).toBe(2);
    server.answer = ({ body }) => saying(`Hello from ${String(body['site'])}`);
    for (const [corner, key] of [
      ['right', SITE_KEY],
      ['left', other],
    ] as const) {
      await page.locator(`aimee-chat.${corner} .launcher`).click();
      await page.locator(`aimee-chat.${corner} iframe.open`).waitFor();
      const frame = page.frames().at(-1) as Frame;
      await askWidget(frame, 'Who?');
      await frame.getByText(`Hello from ${key}`).waitFor();
    }
    await page.close();
  });

  it('in the head, before there is a body, wait for it', async () => {
    site.pages.set(
      '/',
      `<!doctype html><head>${widgetTag({ endpoint: server.url }).replace(' async', '')}<title>x</title><body>Hi`,
    );
    const page = await browser.newPage();
    await page.goto(`${site.url}/`);
    await openWidget(page);
    expect(await page.evaluate('document.body.lastElementChild.localName')).toBe('aimee-chat');
    await page.close();
  });
});
