import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DESKTOP, launchBrowser, screenshot } from '../testkit/browser.ts';
import { type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { chat } from './aimee-visitor.ts';
import { type Command, newCommand } from './command.ts';
import { type PortalPage, portalPage } from './portal-page.ts';
import { receiptOf } from './receipt.ts';

/** Each right for each kind of person, end to end: by API, by command line, in the portal, and for visitors by their customer. */
let platform: Platform;
let browser: Browser;
let command: Command;

beforeAll(async () => {
  [platform, browser] = await Promise.all([startPlatform(), launchBrowser()]);
  command = newCommand();
});
afterAll(async () => {
  await browser.close();
  command.remove();
  expect(await platform.stop()).toBe(0);
  platform.remove();
});

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- the shapes are the contract's, which other tests hold answers to
  readonly body: any;
}

async function api(apiKey: string, request: string, body?: object): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`${platform.url}/api/v1/${path}`, {
    method,
    headers: { 'x-jf-apikey': apiKey, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

interface Person {
  readonly apiKey: string;
  readonly id: string;
  readonly email: string;
}

async function newPerson(name: string): Promise<Person> {
  const email = `${name}@example.org`;
  const person = JSON.stringify({ type: 'user', name, email });
  const made = await createClient(platform.url, platform.apiKey).core('POST', '/entity', person);
  const { password: apiKey } = (await made.json()) as { password: string };
  const { body } = await api(apiKey, 'GET me');
  return { apiKey, email, id: body.id };
}

async function proven(receipt: string): Promise<Record<string, unknown>> {
  return JSON.parse(await receiptOf(platform.url, receipt)) as Record<string, unknown>;
}

describe('an account holder, by API', () => {
  it('corrects, restricts, lifts, objects and takes it back, each with a receipt', async () => {
    const { apiKey } = await newPerson('ann');
    expect((await api(apiKey, 'PUT me', { name: 'Ann B.', email: 'ann@example.org' })).status).toBe(200);
    const acts = [
      ['POST rights/restriction', 'restriction'],
      ['DELETE rights/restriction', 'lifting'],
      ['POST rights/objections/origin-ip', 'objection'],
      ['DELETE rights/objections/origin-ip', 'withdrawal'],
    ] as const;
    for (const [act, kind] of acts) {
      const { body } = await api(apiKey, act);
      expect(await proven(body.request.receipt), kind).toMatchObject({ kind, result: 'done' });
      expect((await api(apiKey, 'GET functions')).status).toBe(kind === 'restriction' ? 423 : 200);
    }
    const { body } = await api(apiKey, 'GET rights/requests');
    const kinds = body.requests.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toEqual(['withdrawal', 'objection', 'lifting', 'restriction', 'rectification']);
  });

  it('asks the operator, who extends, refuses and completes; nobody else can', async () => {
    const { apiKey, email } = await newPerson('ben');
    const asked = await api(apiKey, 'POST rights/requests', { kind: 'access', byOperator: true });
    expect(asked.body).toMatchObject({ state: 'verified', next: null });
    expect((await api(apiKey, 'GET rights/all-requests')).status).toBe(403);
    const decisions = `rights/all-requests/${asked.body.id}`;
    const reason = { reason: 'There is much to look at.' };
    expect((await api(apiKey, `POST ${decisions}/refusal`, reason)).status).toBe(403);
    expect((await api(platform.apiKey, `POST ${decisions}/extension`, reason)).body).toMatchObject({
      state: 'extended',
      account: { email },
    });
    expect((await api(platform.apiKey, `POST ${decisions}/extension`, reason)).status).toBe(409);
    const refused = await api(platform.apiKey, `POST ${decisions}/refusal`, reason);
    expect(await proven(refused.body.receipt)).toMatchObject({ kind: 'access', result: 'refused' });
    expect((await api(apiKey, 'GET rights/requests')).body.requests[0]).toMatchObject({
      state: 'refused',
      refusal: reason.reason,
    });
  });

  it('is asked before anything is done in his name, and a forged letter does nothing', async () => {
    const { apiKey, email, id } = await newPerson('cid');
    const letter = { email, kind: 'erasure' };
    const noted = await api(platform.apiKey, 'POST rights/all-requests', letter);
    expect(noted.body.state).toBe('received');
    const completion = `POST rights/all-requests/${noted.body.id}/completion`;
    expect(await api(platform.apiKey, completion)).toMatchObject({
      status: 409,
      body: { code: 'rights.not_verified' },
    });
    expect((await api(apiKey, 'GET me')).body.id).toBe(id);

    await api(apiKey, 'POST rights/requests', { kind: 'erasure', byOperator: true });
    const done = await api(platform.apiKey, completion);
    expect(await proven(done.body.receipt)).toMatchObject({ kind: 'erasure', result: 'done' });
    expect((await api(apiKey, 'GET me')).status).toBe(401);
  });
});

describe('an account holder, by command line', () => {
  it('does all of it, and erases himself', async () => {
    const { apiKey, id } = await newPerson('dan');
    const env = { JELLYFAAS_URL: platform.url, JELLYFAAS_API_KEY: apiKey };
    const rights = async (...words: string[]): Promise<string> => {
      const { code, out, err } = await command.run(['rights', ...words], { env });
      expect(err).toBe('');
      expect(code).toBe(0);
      return out;
    };
    const receiptIn = (out: string) => proven(/Receipt: (\S+)/.exec(out)?.[1] ?? '');
    expect(await receiptIn(await rights('restrict'))).toMatchObject({ kind: 'restriction' });
    expect(await receiptIn(await rights('lift'))).toMatchObject({ kind: 'lifting' });
    expect(await receiptIn(await rights('object', 'statistics'))).toMatchObject({ kind: 'objection' });
    expect(await rights('request', 'access', '--by-operator')).toContain('Due on');
    expect(await rights('list')).toContain('objection (statistics)');
    expect(await receiptIn(await rights('erase', '--account', id, '--yes'))).toMatchObject({ account: id });
    expect((await command.run(['rights', 'list'], { env })).err).toContain('key');
    expect(command.printed()).not.toContain(apiKey);
  });
});

describe('a visitor, through the customer', () => {
  it('gets a copy, a correction, an objection, a restriction and his conversation erased', async () => {
    const { apiKey } = await newPerson('eve');
    const site = await api(apiKey, 'POST aimee/sites', { name: 'Pumps' });
    const { done } = await chat(platform.url, { site: site.body.id, text: 'Where is the red valve?' });
    const { reference } = done;
    const path = `aimee/sites/${site.body.id}/requests`;
    const ask = async (kind: string, more = {}): Promise<Answer> =>
      api(apiKey, `POST ${path}`, { kind, reference, ...more });

    const note = { message: 1, text: 'I meant the blue one.' };
    expect((await ask('rectification', { note })).body.state).toBe('done');
    const access = await ask('access');
    expect(access.body).toMatchObject({ state: 'running', reference });
    const { body: copy } = await api(apiKey, `GET ${path}/${access.body.id}/copy`);
    expect(copy).toMatchObject({
      format: 'jellyfaas-conversation/1',
      site: 'Pumps',
      conversation: {
        reference,
        entries: [{ question: 'Where is the red valve?' }],
        notes: [{ text: note.text }],
      },
    });
    const env = { JELLYFAAS_URL: platform.url, JELLYFAAS_API_KEY: apiKey };
    const words = ['aimee', 'requests', 'Pumps', '--copy', access.body.id, '-o', 'copy.json'];
    expect(await command.run(words, { env })).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(readFileSync(join(command.home, 'copy.json'), 'utf8'))).toMatchObject({
      conversation: copy.conversation,
    });
    const [{ id: conversation }] = (await api(apiKey, `GET aimee/sites/${site.body.id}/conversations`)).body
      .conversations;
    const reading = `GET aimee/sites/${site.body.id}/conversations/${conversation}`;
    await ask('objection');
    expect((await api(apiKey, reading)).body.objected).toBe(true);
    await ask('restriction');
    expect(await api(apiKey, reading)).toMatchObject({ status: 423, body: { code: 'aimee.restricted' } });
    await ask('lifting');
    expect((await api(apiKey, reading)).status).toBe(200);
    const erased = await ask('erasure');
    expect(await proven(erased.body.receipt)).toMatchObject({ kind: 'erasure', result: 'done' });
    expect((await api(apiKey, reading)).status).toBe(404);
    expect((await ask('access')).status).toBe(404);
    const listed = await command.run(['aimee', 'requests', 'Pumps'], { env });
    expect(listed.out).toContain('rectification');
    const { body } = await api(apiKey, `GET ${path}`);
    expect(body.requests).toHaveLength(6);
    expect(JSON.stringify(body)).not.toContain(reference);
  });
});

describe('in the portal', () => {
  let portal: PortalPage;
  let page: PortalPage['page'];
  let button: PortalPage['button'];
  let person: Person;

  async function signedIn(apiKey: string): Promise<PortalPage> {
    const context = await browser.newContext({ viewport: DESKTOP, acceptDownloads: true });
    const shown = portalPage(await context.newPage(), platform.url);
    await shown.page.goto(platform.url);
    await shown.page.getByLabel('API key').fill(apiKey);
    await shown.page.keyboard.press('Enter');
    await shown.page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return shown;
  }

  /** Presses a button and the same in the dialog that asks. */
  async function confirm(name: string, label = name): Promise<void> {
    await button(label).click();
    const dialog = page.getByRole('dialog');
    await button(name, dialog).click();
    await dialog.waitFor({ state: 'detached' });
  }

  beforeAll(async () => {
    person = await newPerson('fay');
    portal = await signedIn(person.apiKey);
    ({ page, button } = portal);
  });
  beforeEach(({ onTestFailed }) => onTestFailed(() => screenshot(page, 'rights-failed')));

  it('somebody takes a copy', async () => {
    await portal.visit('Your rights');
    const { name, text } = await portal.saved(async () => {
      await button('Download the copy').click();
      await button('Download the copy', page.getByRole('dialog')).click();
    });
    expect([name, text.slice(0, 2)]).toEqual(['jellyfaas-copy.zip', 'PK']);
    await page.getByRole('cell', { name: 'A copy to read' }).waitFor();
    await confirm('Invite a copy');
    await page.getByRole('region', { name: 'Token of the invitation' }).waitFor();
  });

  it('somebody objects, and keeps the receipt', async () => {
    await portal.visit('Your rights');
    await portal.look('rights-first');
    await confirm('Object', 'Object: Addresses in call records');
    await page.getByText('Stopped').waitFor();
    await button('Receipt').first().click();
    await portal.look('rights-receipt');
    const { text } = await portal.saved(() => button('Save the receipt').click());
    expect(await proven(text)).toMatchObject({ kind: 'objection', result: 'done' });
    await button('Close').click();
  });

  it('somebody has his data left alone, sees that it is, and ends it', async () => {
    await confirm('Restrict');
    await page.getByText(/Since .+ your data is kept and not used/).waitFor();
    expect((await api(person.apiKey, 'GET functions')).status).toBe(423);
    await portal.look('rights-restricted');
    await confirm('End the restriction');
    await button('Restrict').waitFor();
    expect((await api(person.apiKey, 'GET functions')).status).toBe(200);
  });

  it('somebody asks the operator, who takes longer and says why', async () => {
    await confirm('Ask the operator');
    await page.getByText('Waits for an answer').waitFor();
    const owner = await signedIn(platform.apiKey);
    await owner.visit('Your rights');
    const waiting = owner.page.getByRole('row').filter({ hasText: person.email });
    await waiting.getByRole('button', { name: 'Take longer' }).click();
    await owner.page.getByLabel('Reason, which the person reads').fill('The archive has to be searched.');
    await owner.look('rights-decide');
    await owner.page.getByRole('dialog').getByRole('button', { name: 'Take longer' }).click();
    await waiting.getByText('Takes longer: The archive has to be searched.').waitFor();
    await owner.look('rights-owner');
    // Nobody was signed in at first.
    expect(owner.complaints.filter((text) => !text.includes('/api/v1/session'))).toEqual([]);
    await page.reload();
    await page.getByText('Takes longer: The archive has to be searched.').waitFor();
  });

  it('the owner notes a letter, in both languages, and the person confirms it', async () => {
    const owner = await signedIn(platform.apiKey);
    await owner.visit('Your rights');
    await owner.button('Note a letter').click();
    const dialog = owner.page.getByRole('dialog');
    expect(await owner.button('Note a letter', dialog).isDisabled()).toBe(true);
    await dialog.getByLabel('E-mail address of the account').fill(person.email);
    await owner.button(/What you ask for$/, dialog).click();
    await owner.page.getByRole('option', { name: 'Correction' }).click();
    await owner.look('rights-letter');
    await owner.button('Note a letter', dialog).click();
    const noted = owner.page.getByRole('row').filter({ hasText: person.email });
    await noted.getByText('Not confirmed').waitFor();
    await owner.page.evaluate("localStorage.setItem('language', 'de')");
    await owner.page.reload();
    await owner.button('Brief vermerken').click();
    await dialog.getByLabel('E-Mail-Adresse des Kontos').waitFor();
    await owner.look('rights-letter-german');

    await page.reload();
    await confirm('Confirm');
    await page.getByText('Waits for an answer').nth(0).waitFor();
    expect((await api(person.apiKey, 'GET rights/requests')).body.requests[0]).toMatchObject({
      kind: 'rectification',
      state: 'verified',
    });
  });

  it('a customer answers a visitor by the reference', async () => {
    const site = await api(person.apiKey, 'POST aimee/sites', { name: 'Valves' });
    const { done } = await chat(platform.url, { site: site.body.id, text: 'Where is the red valve?' });
    await page.goto(`${platform.url}/aimee/sites/${site.body.id}?tab=requests`);
    await page.getByLabel('Reference').fill(done.reference);
    await portal.look('rights-visitor-form');
    await confirm('Go on');
    const { text } = await portal.saved(async () => {
      await button('Download the copy').click();
      await button('Download the copy', page.getByRole('dialog')).click();
    });
    expect(text).toContain('Where is the red valve?');
    await page.getByText('Done').waitFor();
    await page.getByLabel('Reference').fill(done.reference);
    await button(/Right$/).click();
    await page.getByRole('option', { name: 'Erasure' }).click();
    await button('Go on').click();
    await button('Go on', page.getByRole('dialog')).click();
    await page.getByRole('heading', { name: 'Receipt' }).waitFor();
    await button('Close').click();
    await page.getByText('erased').first().waitFor();
    await portal.look('rights-visitor-list');
  });

  it('says all of it in German, too', async () => {
    await portal.visit('Your rights');
    await page.evaluate("localStorage.setItem('language', 'de')");
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Deine Rechte' }).waitFor();
    await page.getByText('Dauert länger: The archive has to be searched.').waitFor();
    await portal.look('rights-german');
    await page.evaluate("localStorage.setItem('language', 'en')");
    await page.reload();
  });

  it('somebody types his address and is gone, with a receipt', async () => {
    await button('Erase my account').click();
    const dialog = page.getByRole('dialog');
    expect(await button('Erase my account', dialog).isDisabled()).toBe(true);
    await dialog.getByLabel(`Type ${person.email} to confirm`).fill(person.email);
    await button('Erase my account', dialog).click();
    await page.getByText(`${person.email} and everything in this account is gone.`).waitFor();
    await portal.look('rights-erased');
    const { text } = await portal.saved(() => button('Save the receipt').click());
    expect(await proven(text)).toMatchObject({ event: 'account.erased', account: person.id });
    expect((await api(person.apiKey, 'GET me')).status).toBe(401);
    await button('Close').click();
    await page.getByLabel('API key').waitFor();
    expect(portal.foreign).toEqual([]);
  });
});
