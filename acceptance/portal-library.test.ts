import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import {
  type Client,
  type Platform,
  type ScriptedModel,
  type ScriptedReply,
  createClient,
  startPlatform,
  startScriptedModel,
  templateFiles,
  zip,
} from '../testkit/index.ts';
import { PICTURE, mirror, order } from './portal-functions.ts';
import { type PortalPage, portalPage } from './portal-page.ts';

/** Home, library and questions of the portal, in a real browser against the real platform; only the model is scripted. */
let model: ScriptedModel;
let replies: ScriptedReply[] = [];
let platform: Platform;
let owner: Client;
let browser: Browser;
let portal: PortalPage;
let page: PortalPage['page'];
let button: PortalPage['button'];

beforeAll(async () => {
  model = await startScriptedModel(() => replies.shift() ?? { text: 'Nothing more to say.' });
  [platform, browser] = await Promise.all([
    startPlatform({
      layersOf: inject('platform').dataDir,
      env: { JELLYFAAS_MODEL_URL: model.url, JELLYFAAS_MODEL_NAME: 'scripted' },
    }),
    launchBrowser(),
  ]);
  owner = createClient(platform.url, platform.apiKey);
  const context = await browser.newContext({ viewport: DESKTOP, permissions: ['clipboard-write'] });
  portal = portalPage(await context.newPage(), platform.url);
  ({ page, button } = portal);
  await page.goto(platform.url);
  await page.getByLabel('API key').fill(platform.apiKey);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
});

afterAll(async () => {
  await browser.close();
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => screenshot(page, 'library-failed')));

/** A file as tests hand it to the browser, from memory. */
interface Upload {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

async function zipped(shortname: string, files: Parameters<typeof zip>[1]): Promise<Upload> {
  const buffer = Buffer.from(await zip(shortname, files));
  return { name: `${shortname}.zip`, mimeType: 'application/zip', buffer };
}

/** Lets a file go over an element, as from the desktop. */
async function drop(target: Locator, { name, buffer }: Upload): Promise<void> {
  const file = join(platform.dataDir, '..', `${process.pid}-${name}`);
  writeFileSync(file, buffer);
  onTestFinished(() => rmSync(file));
  const box = await target.boundingBox();
  if (box === null) throw new Error('there is nothing to drop on');
  const browserItself = await page.context().newCDPSession(page);
  const COPY = 1;
  const data = { items: [], files: [file], dragOperationsMask: COPY };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await browserItself.send('Input.dispatchDragEvent', { type, x: box.x + 20, y: box.y + 20, data });
  }
}

/** Goes on with the Tab key until this has the focus: whoever has no mouse gets there, too. */
async function tabTo(target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key never leads to ${String(target)}`);
}

const tab = (name: string): Promise<void> => page.getByRole('tab', { name }).click();
const deployPage = async (): Promise<void> => {
  await portal.visit('Library');
  await page.getByRole('link', { name: 'Deploy a function' }).first().click();
  await page.getByRole('heading', { name: 'Deploy a function' }).waitFor();
};
const openFunction = async (shortname: string): Promise<void> => {
  await portal.visit('Library');
  await page.getByRole('link', { name: shortname, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: shortname }).waitFor();
};

describe('a fresh installation', () => {
  it('shows three steps to the first answer', async () => {
    await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor();
    await portal.look('home-empty');
  });
});

describe('a deploy', () => {
  it('begins with a zip that is dropped, and one sees it build', async () => {
    await deployPage();
    await portal.look('library-deploy');
    await drop(page.locator('.drop-zone'), await zipped('order', order()));
    await page.getByRole('heading', { name: 'order, version 1' }).waitFor();
    await page.getByText('order version 1 can be called.').waitFor({ timeout: 60_000 });
    expect(await page.getByRole('listitem').filter({ hasText: 'Deployed' }).getAttribute('data-state')).toBe(
      'done',
    );
    await portal.look('library-deployed');
  });

  it('works by keyboard alone, from the zip to the first answer', async () => {
    await deployPage();
    const chosen = page.waitForEvent('filechooser');
    await tabTo(button('Choose a zip'));
    await page.keyboard.press('Enter');
    const files = templateFiles('nodejs24', { shortname: 'hello', name: 'hello' });
    await (await chosen).setFiles(await zipped('hello', files));
    const tryIt = page.getByRole('link', { name: 'Try it' });
    await tryIt.waitFor({ timeout: 60_000 });
    await tabTo(tryIt);
    await page.keyboard.press('Enter');
    await page.getByLabel('name', { exact: true }).waitFor();
    await tabTo(page.getByLabel('name', { exact: true }));
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Keyboard');
    await page.keyboard.press('Enter');
    await page.getByText('Status 200').waitFor();
    await page.getByText('hello, Keyboard!').waitFor();
  });

  it('that fails is explained in the tool’s own words, there and at home, until it is removed', async () => {
    const files = { ...templateFiles('nodejs24', { shortname: 'broken' }), 'index.js': 'this is no code' };
    await deployPage();
    await page.locator('input[type=file]').setInputFiles(await zipped('broken', files));
    await page.getByText('SyntaxError').first().waitFor({ timeout: 60_000 });
    await page.getByText('It could not be built.').waitFor();
    await portal.look('library-bad-build');
    await portal.visit('Home');
    await page.getByText('SyntaxError').waitFor();
    await button(/^Remove the bad build/).click();
    await button('Remove', page.getByRole('dialog')).click();
    await page.getByText('SyntaxError').waitFor({ state: 'detached' });
  });

  it('of something else is refused with the reason', async () => {
    await deployPage();
    const upload = { name: 'x.zip', mimeType: 'application/zip', buffer: Buffer.from('no zip at all') };
    await page.locator('input[type=file]').setInputFiles(upload);
    await page.getByRole('alert').getByText(/zip/).waitFor();
    await button('Choose a zip').waitFor();
  });
});

describe('a function', () => {
  it('shows what it wants and how to call it', async () => {
    await openFunction('order');
    for (const name of ['Code', 'Versions', 'Overview', 'Requirements']) {
      await tab(name);
      await portal.look(`library-${name.toLowerCase()}`);
    }
    await page.getByRole('cell', { name: 'items[].count' }).waitFor();
  });

  it('is tried with a form made of its schema, which asks for what is missing', async () => {
    await tab('Try it');
    await page.getByLabel('customer').fill('');
    await button('Add to items').click();
    await button('Send POST').click();
    expect(await page.getByText('This is required.').count()).toBe(2);
    await page.getByLabel('customer').fill('Grace');
    await page.getByLabel('count').nth(1).fill('5');
    await portal.check('note is null');
    const watched = page.waitForResponse(/console$/);
    await button('Watch').click();
    await watched;
    await button('Send POST').click();
    await page.getByText('Status 200').waitFor();
    const body = page.getByRole('region', { name: 'Body' });
    expect(JSON.parse((await body.textContent()) ?? '')).toEqual({
      count: 7,
      got: { customer: 'Grace', items: [{ count: 2 }, { count: 5 }], priority: 'low', note: null },
    });
    await portal.look('library-tried');
  });

  it('shows its owner what it prints, while it does', async () => {
    await page.getByRole('log', { name: 'Live console' }).getByText('an order of Grace').waitFor();
  });

  it('is tried with raw JSON, too, which takes along what the form held', async () => {
    await page.getByText('JSON', { exact: true }).click();
    const raw = page.getByLabel('Body as JSON');
    expect(JSON.parse(await raw.inputValue())).toMatchObject({ customer: 'Grace', note: null });
    await raw.fill('{"customer": "Raw", "items": [], "priority": "high"');
    await button('Send POST').click();
    await page.getByText('Not valid JSON.').waitFor();
    await raw.fill('{"customer": "Raw", "items": [], "priority": "high"}');
    await button('Send POST').click();
    await page.getByRole('region', { name: 'Body' }).getByText('"Raw"').waitFor();
  });

  it('that takes a file gets it, and its picture is drawn', async () => {
    await owner.deploy('mirror', mirror());
    await page.reload();
    await openFunction('mirror');
    await tab('Try it');
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: PICTURE });
    await page.getByText('a.png, ').waitFor();
    await button('Send POST').click();
    const picture = page.getByRole('img', { name: /picture/ });
    await picture.waitFor();
    await expect
      .poll(() => picture.evaluate((canvas) => [Reflect.get(canvas, 'width'), Reflect.get(canvas, 'height')]))
      .toEqual([1, 1]);
    await portal.look('library-picture');
  });

  it('loses one version, and keeps the others', async () => {
    await owner.deploy('mirror', mirror());
    await page.reload();
    await tab('Versions');
    await button('Delete version 1').click();
    await button('Delete version 1', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'Version 1', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Version 2' }).waitFor();
  });

  it('is seen by other accounts from publishing to withdrawing', async () => {
    const created = await owner.core('POST', '/entity', '{"name":"Other","email":"other@example.org"}');
    const { password } = (await created.json()) as { password: string };
    const other = createClient(platform.url, password);
    const seen = async (): Promise<number> => (await other.core('GET', '/library/order')).status;
    await openFunction('order');
    await button('Publish').click();
    await portal.look('library-publish');
    await button('Publish', page.getByRole('dialog')).click();
    await button('Withdraw').waitFor();
    expect(await seen()).toBe(200);
    await button('Withdraw').click();
    await button('Publish').waitFor();
    expect(await seen()).toBe(404);
  });

  it('is found by its words, its tags and whose it is', async () => {
    await portal.visit('Library');
    const found = page.getByRole('status');
    await found.getByText('3 functions').waitFor();
    await page.getByRole('searchbox', { name: 'Search functions' }).fill('the MIRROR');
    await found.getByText('1 function', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await button('order-tag').click();
    await found.getByText('1 function', { exact: true }).waitFor();
    await button('order-tag').click();
    await page.getByText('Published', { exact: true }).click();
    await page.getByRole('heading', { name: 'No function fits' }).waitFor();
    await button('Show all').click();
    await found.getByText('3 functions').waitFor();
    await portal.look('library-list');
  });
});

describe('a question', () => {
  const ask = async (question: string): Promise<void> => {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  };

  it('is answered with a function that was chosen, and every step can be seen', async () => {
    replies = [
      { toolCalls: [{ name: 'hello', arguments: { name: 'Ada' } }] },
      { text: 'It says **hello** to Ada.\n\n![no picture](https://example.org/x.png)', deltaLength: 4 },
    ];
    await portal.visit('Ask');
    await portal.look('ask-empty');
    await page.getByText('Chosen', { exact: true }).click();
    await portal.check(/^hello/);
    await ask('Greet Ada.');
    await page.locator('.reply strong', { hasText: 'hello' }).waitFor();
    await page.getByText('Called hello').click();
    await page.getByText('"name": "Ada"').waitFor();
    await page.getByText('hello, Ada!').waitFor();
    expect(model.requests[0]?.body.tools?.map((one) => one.function.name)).toEqual(['hello']);
    await portal.look('ask-answered');
  });

  it('is read out once, when its answer is whole', async () => {
    const announced = page.getByRole('log', { name: 'Answers' });
    expect(await announced.getByText('It says').count()).toBe(1);
  });

  it('goes along with the turns before it', async () => {
    replies = [{ text: 'As I said.' }];
    await ask('And again?');
    await page.locator('.reply', { hasText: 'As I said.' }).waitFor();
    const texts = model.requests.at(-1)?.body.messages?.map(({ content }) => content) ?? [];
    expect(JSON.stringify(texts)).toMatch(/Greet Ada\..*It says \*\*hello\*\*.*And again\?/);
  });

  it('stops when it is told to, at the model as well', async () => {
    replies = [{ text: 'An answer without end', deltaLength: 3, hang: 'after-first-write' }];
    await ask('Never end.');
    await expect.poll(() => model.requests.at(-1)?.text).toContain('Never end.');
    await button('Stop').click();
    await page.getByText('Stopped.').waitFor();
    expect(await model.requests.at(-1)?.ended).toBe('client-left');
  });

  it('is gone after leaving, and nothing of it is in the browser’s storage', async () => {
    await portal.visit('Home');
    await portal.visit('Ask');
    await page.getByRole('heading', { name: 'Ask something' }).waitFor();
    const kept = await page.evaluate<string[]>(
      `(async () => [...Object.keys(localStorage), ...Object.keys(sessionStorage),
        ...(await indexedDB.databases()).map(({ name }) => name), ...(await caches.keys())])()`,
    );
    expect(kept.filter((name) => name !== 'theme' && name !== 'language')).toEqual([]);
  });
});

describe('home', () => {
  it('counts calls from their records, and fills the quick start with what is real', async () => {
    const answered = page.waitForResponse(/calls\/statistics\?days=7/);
    await portal.visit('Home');
    const { days } = (await (await answered).json()) as { days: { calls: number; failures: number }[] };
    const calls = days.reduce((sum, day) => sum + day.calls, 0);
    expect([days.length, calls > 5]).toEqual([7, true]);
    await page.locator('.figures', { hasText: new RegExp(`Calls${calls}Success[\\d.]+%`) }).waitFor();
    await page.getByText('31 days').click();
    const rows = page.getByRole('row').filter({ has: page.getByRole('rowheader') });
    await expect.poll(() => rows.count()).toBe(31);
    await page.getByRole('tab', { name: 'Node' }).click();
    await page.getByText(`url: '${platform.url}'`).waitFor();
    await portal.look('home-used');
  });
});

describe('a function at its end', () => {
  it('is deleted, once its name is typed', async () => {
    await openFunction('hello');
    await button('Delete').click();
    const confirm = page.getByRole('dialog');
    expect(await button('Delete', confirm).isDisabled()).toBe(true);
    await confirm.getByRole('textbox').fill('hello');
    await portal.look('library-delete');
    await button('Delete', confirm).click();
    await page.getByRole('status').getByText('2 functions').waitFor();
    expect((await owner.core('GET', '/library/hello')).status).toBe(404);
  });
});

it('asks nobody else and breaks no policy', () => {
  expect(portal.foreign).toEqual([]);
  // What was refused on purpose: a session before the sign-in, a zip that is none.
  const wanted = /status of 40[01]/;
  expect(portal.complaints.filter((line) => !wanted.test(line))).toEqual([]);
});
