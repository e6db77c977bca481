import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paragraphLines, textPdf } from '../server/documents/testing/pdf.ts';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import {
  type Platform,
  type ScriptedModel,
  type ScriptedRequest,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type PortalPage, portalPage } from './portal-page.ts';
import { receiptOf } from './receipt.ts';
import { storedRows } from './stored-rows.ts';

/** The portal's pages about data and keys, in a real browser against the real platform; only the model is scripted. */
let model: ScriptedModel;
let platform: Platform;
let browser: Browser;
let portal: PortalPage;
let page: PortalPage['page'];
let button: PortalPage['button'];

const SECRET = 'jellyfaas://fleet';
const STATEMENT = 'SELECT name, seats FROM boats ORDER BY seats DESC';

function says({ text, body }: ScriptedRequest): string {
  if (!text.includes('boats')) return 'The **red valve** behind the panel stops the pump. [1]';
  const last = body.messages?.at(-1)?.content;
  const isFirst = typeof last === 'string' && last.startsWith('The tables:');
  return isFirst ? JSON.stringify({ sql: STATEMENT, reason: null }) : 'The **Nautilus** has most seats.';
}

beforeAll(async () => {
  model = await startScriptedModel((request) => ({ text: says(request), deltaLength: 7 }));
  [platform, browser] = await Promise.all([
    fetchTestEmbeddingModel().then((directory) =>
      startPlatform({
        env: {
          JELLYFAAS_MODEL_URL: model.url,
          JELLYFAAS_MODEL_NAME: 'scripted',
          JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: directory,
          JELLYFAAS_CALL_RETENTION_DAYS: '17',
        },
      }),
    ),
    launchBrowser(),
  ]);
  const context = await browser.newContext({ viewport: DESKTOP, permissions: ['clipboard-write'] });
  portal = portalPage(await context.newPage(), platform.url);
  ({ page, button } = portal);
});

afterAll(async () => {
  await browser.close();
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => screenshot(page, 'data-failed')));

/** Types the name, destroys, and hands back what the receipt is worth. */
async function drop(name: string): Promise<string> {
  await button('Drop').click();
  const confirm = page.getByRole('dialog');
  expect(await button('Drop', confirm).isDisabled()).toBe(true);
  await confirm.getByLabel(`Type ${name} to confirm`).fill(name);
  await button('Drop', confirm).click();
  await page.getByRole('heading', { name: 'Receipt' }).waitFor();
  await page.getByText('/.well-known/jellyfaas-receipts').waitFor();
  await portal.look(`data-receipt-${name}`);
  const { text } = await portal.saved(() => button('Save the receipt').click());
  await button('Close').click();
  return await receiptOf(platform.url, text);
}

describe('privacy, before anybody signs in', () => {
  it('is linked from the sign-in, and says what is in force here', async () => {
    await page.goto(platform.url);
    await page.getByRole('link', { name: /keeps/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Privacy' }).waitFor();
    await page.getByText('destroyed together after 17 days').waitFor();
    await page.getByText('all-minilm-l6-v2-int8').waitFor();
    expect(await page.locator('.clause-id').allTextContents()).toHaveLength(45);
    await portal.look('data-privacy-public');
    await page.getByRole('radio', { name: 'Deutsch' }).click({ force: true });
    await page.getByText('nach 17 Tagen gemeinsam vernichtet').waitFor();
    await page.getByRole('radio', { name: 'English' }).click({ force: true });
  });

  it('leads to the sign-in, which an API key passes', async () => {
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('API key').fill(platform.apiKey);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  });
});

describe('vector databases', () => {
  it('begin with an explanation, and are created by keyboard alone', async () => {
    await portal.visit('Vectors');
    await page.getByRole('heading', { name: 'No vector database yet' }).waitFor();
    await portal.look('data-vectors-empty');
    await button('Create a database').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('manuals');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.getByLabel('Resolver').waitFor();
    await portal.look('data-vectors-create');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'manuals' }).waitFor();
  });

  it('take several documents with progress, and explain what fails', async () => {
    const pages = ['The machine hall has two doors.', 'The red valve behind the panel stops the pump.'];
    await portal.check(/Keep file names/);
    await page.locator('input[type=file]').setInputFiles([
      {
        name: 'pump.pdf',
        mimeType: 'application/pdf',
        buffer: Buffer.from(textPdf(pages.map((text) => paragraphLines([text])))),
      },
      {
        name: 'fans.md',
        mimeType: 'text/markdown',
        buffer: Buffer.from('# Fans\n\nFilters are changed in spring.\n'),
      },
      { name: 'broken.docx', mimeType: 'application/zip', buffer: Buffer.from('no archive') },
    ]);
    await page.getByText('pump.pdf: 2 passages are in').waitFor();
    await page.getByText('fans.md: one passage is in').waitFor();
    await page.getByRole('alert').filter({ hasText: 'broken.docx' }).waitFor();
    await page.getByRole('cell', { name: 'pump.pdf', exact: true }).waitFor();
    await portal.look('data-vectors-documents');
  });

  it('find passages by meaning, with scores and conditions', async () => {
    await page.getByRole('tab', { name: 'Search' }).click();
    await page.getByLabel('Search for').fill('How is the pump switched off?');
    await portal.check(/Judge the best/);
    await button('Add a condition').click();
    await page.getByLabel('Field').fill('title');
    await page.getByLabel('Value').fill('pump.pdf');
    await button('Search').click();
    const results = page.getByRole('region', { name: 'Results' });
    await results.getByText('red valve').waitFor();
    expect(await results.getByRole('listitem').filter({ hasText: 'Filters' }).count()).toBe(0);
    expect(await results.getByText(/^meaning \d/).count()).toBeGreaterThan(0);
    await portal.look('data-vectors-search');
  });

  it('answer questions as the model writes, with citations that open the passage', async () => {
    await page.getByRole('tab', { name: 'Ask' }).click();
    await page.getByLabel('Your question').fill('How do I stop the pump?');
    await page.keyboard.press('Enter');
    await page.getByText('Written by a model').waitFor();
    const citations = page.getByRole('region', { name: 'Where it stands' });
    await button(/^\[1\]/, citations).click();
    await citations.getByText('The red valve behind the panel stops the pump.').last().waitFor();
    await portal.look('data-vectors-ask');
  });

  it('lose a document at once', async () => {
    await page.getByRole('tab', { name: 'Documents' }).click();
    await button('Delete: fans.md').click();
    await button('Delete', page.getByRole('dialog')).click();
    await page.getByRole('cell', { name: 'fans.md', exact: true }).waitFor({ state: 'detached' });
  });

  it('are listed with their sizes, and dropped with a receipt that proves it', async () => {
    await page.getByRole('link', { name: '← Vectors' }).click();
    const row = page.getByRole('row').filter({ hasText: 'manuals' });
    await row.getByText(/KiB/).waitFor();
    await portal.look('data-vectors-list');
    await row.getByRole('link').click();
    expect(await drop('manuals')).toContain('"event":"database.dropped"');
    await page.getByRole('heading', { name: 'No vector database yet' }).waitFor();
  });
});

describe('SQL databases', () => {
  it('are created, and take what is imported', async () => {
    await portal.visit('SQL');
    await portal.look('data-sql-empty');
    await button('Create a database').click();
    await page.getByLabel('Name').fill('fleet');
    await page.keyboard.press('Enter');
    await page.getByText('No table yet').waitFor();
    await page.getByRole('tab', { name: 'Import and export' }).click();
    const file = page.locator('input[type=file]');
    await file.setInputFiles({
      name: 'fleet.sql',
      mimeType: 'application/sql',
      buffer: Buffer.from(
        "CREATE TABLE harbours (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nINSERT INTO harbours VALUES (1, 'Brest');\nCREATE TABLE boats (name TEXT NOT NULL, seats INTEGER, photo BLOB, harbour INTEGER REFERENCES harbours (id));\n",
      ),
    });
    await page.getByText('3 statements were run.').waitFor();
    await page.getByLabel('Table', { exact: true }).fill('boats');
    await file.setInputFiles({
      name: 'any.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('name,seats,harbour\nNautilus,20,1\n"Sea ""Star""",4,1\n'),
    });
    await page.getByText('2 rows are in.').waitFor();
    await portal.look('data-sql-transfer');
  });

  it('show their tables, columns and keys', async () => {
    const schema = page.getByRole('heading', { name: 'Tables' }).locator('..').locator('..');
    await button(/boats/, schema).click();
    await schema.getByText('→ harbours.id').waitFor();
    await schema.getByText('not null').last().waitFor();
  });

  it('run statements by keyboard, show types, and remember them for the page', async () => {
    await page.getByRole('tab', { name: 'Query' }).click();
    const editor = page.getByLabel('Statement');
    await editor.fill("UPDATE boats SET photo = x'000102' WHERE seats = 20");
    await editor.press('Control+Enter');
    await page.getByText('Done, one row changed').waitFor();
    await editor.fill('SELECT name, seats, photo, 1.5 AS length FROM boats');
    await editor.press('Control+Enter');
    await page.getByRole('columnheader', { name: 'length · real' }).waitFor();
    await page.getByText(/^blob, 3 b/i).waitFor();
    await portal.look('data-sql-query');
    const csv = await portal.saved(() => button('Save as CSV').click());
    expect(csv).toEqual({
      name: 'result.csv',
      text: 'name,seats,photo,length\r\nNautilus,20,AAEC,1.5\r\n"Sea ""Star""",4,,1.5\r\n',
    });
    const json = await portal.saved(() => button('Save as JSON').click());
    expect(JSON.parse(json.text)).toHaveLength(2);
    await button('Run before').click();
    await page.getByRole('menuitem', { name: /^UPDATE/ }).click();
    expect(await editor.inputValue()).toContain("x'000102'");
  });

  it('refuse to write when told to read only, and say so', async () => {
    await portal.check(/Read only/);
    await page.getByLabel('Statement').fill('DELETE FROM boats');
    await button('Run').click();
    await page.getByRole('alert').waitFor();
    await page
      .getByLabel('Statement')
      .fill('WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n LIMIT 600) SELECT i FROM n');
    await button('Run').click();
    await page.getByText('these are the first 500').waitFor();
  });

  it('answer in words, with the statement before the answer', async () => {
    await page.getByRole('tab', { name: 'Ask' }).click();
    await page.getByLabel('Your question').fill('Which of the boats has most seats?');
    await page.keyboard.press('Enter');
    await page.getByText('has most seats.', { exact: false }).last().waitFor();
    await page.getByText(STATEMENT).waitFor();
    await page.getByText('The model saw the rows').waitFor();
    const order = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
    expect(order.indexOf(STATEMENT)).toBeLessThan(order.indexOf('The Nautilus has most seats.'));
    await portal.look('data-sql-ask');
  });

  it('leave as SQL text', async () => {
    await page.getByRole('tab', { name: 'Import and export' }).click();
    const { name, text } = await portal.saved(() => button('Export').click());
    expect(name).toBe('fleet.sql');
    expect(text).toContain('Nautilus');
  });

  it('outside are asked by a connection string that goes with the page', async () => {
    await page.getByRole('link', { name: '← SQL' }).click();
    await page.getByRole('row').filter({ hasText: 'fleet' }).getByText(/KiB/).waitFor();
    await portal.look('data-sql-list');
    await page.getByRole('link', { name: 'Ask an outside database' }).click();
    await page.getByLabel('Connection string').fill(SECRET);
    await page.getByLabel('Tables').fill('boats');
    await page.getByLabel('Your question').fill('Which of the boats has most seats?');
    await portal.check(/Keep values from the model/);
    await button('Ask').click();
    await page.getByText('The model saw no value').waitFor();
    await portal.look('data-sql-outside');
    const kept = await page.evaluate(
      'JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])',
    );
    expect(kept).not.toContain('fleet');
    await page.getByRole('link', { name: '← SQL' }).click();
    await page.getByRole('link', { name: 'Ask an outside database' }).click();
    expect(await page.getByLabel('Connection string').inputValue()).toBe('');
  });

  it('are dropped with a receipt that proves it', async () => {
    await page.getByRole('link', { name: '← SQL' }).click();
    await page.getByRole('link', { name: 'fleet' }).click();
    await page.getByRole('heading', { level: 1, name: 'fleet' }).waitFor();
    expect(await drop('fleet')).toContain('"kind":"sql"');
    await page.getByRole('heading', { name: 'No SQL database yet' }).waitFor();
  });
});

describe('keys and tokens', () => {
  it('say that the only key is the only way in', async () => {
    await portal.visit('Keys and tokens');
    await page.getByText('This is your only key').waitFor();
    expect(await button(/^Revoke/).isDisabled()).toBe(true);
    await portal.look('data-keys-one');
  });

  it('show a new key once', async () => {
    await button('Create a key').click();
    await button('Create a key', page.getByRole('dialog')).click();
    const shown = page.getByRole('dialog', { name: 'Your new API key' });
    const apiKey = await shown.locator('pre').innerText();
    expect(apiKey).toMatch(/^sk_/);
    await portal.look('data-keys-created');
    // Nothing but the button closes it.
    await page.keyboard.press('Escape');
    await button('I have put it away').click();
    await shown.waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(apiKey);
    const me = await fetch(`${platform.url}/api/v1/me`, { headers: { 'x-jf-apikey': apiKey } });
    expect(me.status).toBe(200);
  });

  it('make a token with its end, which calls', async () => {
    await button('Make a token').click();
    await page.getByText('Good until').waitFor();
    const token = await page.getByRole('region', { name: 'JFWT' }).innerText();
    const me = await fetch(`${platform.url}/api/v1/me`, { headers: { jfwt: token } });
    expect(me.status).toBe(200);
    await portal.look('data-keys-token');
  });

  it('ask who it is before a key is revoked, when the sign-in is not fresh', async () => {
    // What the server says five minutes later.
    await page.route(
      '**/api/v1/api-keys/*',
      (route) =>
        route.fulfill({
          status: 403,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            status: 403,
            code: 'auth.fresh_sign_in_required',
            detail: 'Confirm who you are.',
          }),
        }),
      { times: 1 },
    );
    const row = page
      .getByRole('row')
      .filter({ has: button(/^Revoke/) })
      .filter({ hasNotText: 'unlocked' });
    await button(/^Revoke/, row).click();
    await button('Revoke', page.getByRole('dialog')).click();
    await page.getByRole('dialog').getByLabel('API key').fill(platform.apiKey);
    await page.keyboard.press('Enter');
    await page.getByText('This is your only key').waitFor();
  });
});

/** What the page shows of a table with one row: the text beside each column's name. */
async function shownFields(table: string): Promise<Record<string, string>> {
  const card = page.locator(`section[aria-labelledby="accounts.${table}"]`);
  await card.waitFor();
  const [names, values] = await Promise.all([
    card.locator('.facts dt').allTextContents(),
    card.locator('.facts dd').allTextContents(),
  ]);
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
}

describe('the profile', () => {
  it('shows every column of the stores, as it stands there', async () => {
    await portal.visit('Profile');
    const stored = await storedRows(platform.dataDir, ['account', 'api_key']);
    for (const table of ['account', 'api_key']) {
      const [row = {}] = stored[table] ?? [];
      const shown = await shownFields(table);
      expect(Object.keys(shown)).toEqual(Object.keys(row));
      for (const [column, value] of Object.entries(row)) {
        const isWithheld = value instanceof Uint8Array;
        const expected = isWithheld ? `${value.byteLength} B` : String(value);
        expect(shown[column]?.slice(0, expected.length)).toBe(expected);
      }
    }
    await page
      .locator('section[aria-labelledby="calls.call"]')
      .getByRole('cell', { name: /^\d{4}-/ })
      .waitFor();
    await portal.look('data-profile');
    const { text } = await portal.saved(() => button('Save as JSON').click());
    expect(text).toContain('"wrapped_account_key"');
  });

  it('corrects name and address, and refuses what is none', async () => {
    await button('Edit name and e-mail').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Ada Lovelace');
    await dialog.getByLabel('E-mail').fill('ada');
    await button('Save', dialog).click();
    await dialog.getByRole('alert').waitFor();
    await portal.look('data-profile-edit');
    await dialog.getByLabel('E-mail').fill('ada@example.org');
    await button('Save', dialog).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await shownFields('account')).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.org' });
    const { account } = await storedRows(platform.dataDir, ['account']);
    expect(account).toMatchObject([{ name: 'Ada Lovelace', email: 'ada@example.org' }]);
    await button('Ada Lovelace').waitFor();
  });
});

describe('all of these pages', () => {
  it('say what they promise in the frame, too', async () => {
    await portal.visit('Privacy');
    await page.getByRole('heading', { name: 'Who gets what' }).waitFor();
    await portal.look('data-privacy');
  });

  it('broke no rule of their policy, and asked nobody else for anything', () => {
    expect(portal.complaints.filter((text) => !/status of 40[0139]/.test(text))).toEqual([]);
    expect(portal.foreign).toEqual([]);
  });
});
