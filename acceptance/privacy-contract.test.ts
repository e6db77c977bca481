import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PrivacyContract, PrivacyStatement, SignedPrivacyContract } from '../contract/index.ts';
import { DESKTOP, PHONE, launchBrowser, screenshot, violationsOf } from '../testkit/browser.ts';

const { url } = inject('platform');
const PATH = '/.well-known/privacy-contract';

async function get(path: string, accept = 'application/json'): Promise<Response> {
  return await fetch(`${url}${path}`, { headers: { accept } });
}

/** What the installation has signed; throws unless the key that it publishes proves it. */
async function contractOf(): Promise<PrivacyContract> {
  const signed = SignedPrivacyContract.parse(await (await get(PATH)).json());
  const { keys } = (await (await get('/.well-known/jellyfaas-receipts')).json()) as {
    keys: Record<string, string>[];
  };
  const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' });
  const covered = Buffer.from(`${signed.protected}.${signed.payload}`);
  if (!verify(null, covered, key, Buffer.from(signed.signature, 'base64url'))) throw new Error('forged');
  return PrivacyContract.parse(JSON.parse(Buffer.from(signed.payload, 'base64url').toString()));
}

describe('the privacy contract of an installation', () => {
  it('is signed by it, and says the same as its statement, clause by clause', async () => {
    const contract = await contractOf();
    const statement = PrivacyStatement.parse(await (await get('/api/v1/privacy')).json());
    expect(contract).toMatchObject({
      version: statement.version,
      facts: statement.facts,
      recipients: statement.recipients,
    });
    const stated = new Map(statement.useCases.flatMap(({ clauses }) => clauses).map((one) => [one.id, one]));
    expect(contract.clauses).toHaveLength(45);
    for (const { id, text, limit, open, state, sha256 } of contract.clauses) {
      expect(stated.get(id)).toEqual({ id, text, limit, open });
      expect(state).toBe(open === null ? 'kept' : 'open');
      expect(createHash('sha256').update(JSON.stringify({ text, limit })).digest('hex')).toBe(sha256);
    }
  });

  it('names the data map by its hash', async () => {
    const map = await (await get(PATH, 'application/ld+json')).text();
    expect(createHash('sha256').update(map).digest('hex')).toBe((await contractOf()).dataMap.sha256);
  });

  it('is a record of processing activities where one is asked for', async () => {
    expect(await (await get(PATH, 'text/markdown')).text()).toContain('(Art. 30 GDPR)');
  });
});

describe('its page', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launchBrowser()));
  afterAll(() => browser.close());

  it.each([DESKTOP, PHONE])('can be read by everybody, and loads nothing: %o', async (viewport) => {
    const page = await browser.newPage({ viewport });
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto(`${url}${PATH}`);
    expect(loaded).toEqual([`${url}${PATH}`]);
    expect(await page.title()).toBe('Privacy contract');
    expect(await violationsOf(page)).toEqual([]);
    const overflow = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(overflow)).toBe(false);
    await screenshot(page, `privacy-contract-${viewport.width}`);
    await page.close();
  });
});
