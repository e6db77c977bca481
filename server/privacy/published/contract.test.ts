import { flattenedVerify, importJWK } from 'jose';
import { createHash, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';
import { PrivacyContract } from '../../../contract/index.ts';
import { createReceipts } from '../../keys/receipts.ts';
import { type StatementFacts, createStatement } from '../../privacy-statement/statement.ts';
import { DATA_MAP } from '../data-map/data-map.ts';
import { CLAUSES, OPEN_CLAUSES } from '../registry.ts';
import { publishContract } from './contract.ts';

const FACTS: StatementFacts = {
  version: '1.2.3',
  controller: { name: 'Acme <b>', contact: 'privacy@acme.example', dataProtectionOfficer: null },
  hasSwap: false,
  modelSources: [],
  sandbox: 'bubblewrap',
  callRetentionDays: 17,
  tokenHours: 24,
  sessionHours: 12,
  signInProvider: '<img src=x>.example.com',
  mailServer: 'mail.example.com',
  backupStore: 's3.example.com',
  backupDays: 30,
  models: [{ use: 'chat', name: 'gemini', isOutside: true, retention: 'provider' }],
  receiptKeys: '/.well-known/jellyfaas-receipts',
};
const { contract, page, dataMap, record } = publishContract(
  createStatement(FACTS, OPEN_CLAUSES),
  '2026-11-23T19:00:00Z',
);

describe('the published contract', () => {
  it('has every clause with its state, and is what its schema says', () => {
    expect(PrivacyContract.parse(contract)).toEqual(contract);
    expect(contract.clauses.map(({ id }) => id)).toEqual(CLAUSES.map(({ id }) => id));
    for (const { id, state, open } of contract.clauses) {
      expect(state).toBe(id in OPEN_CLAUSES ? 'open' : 'kept');
      expect(open).toEqual(OPEN_CLAUSES[id] ?? null);
    }
  });

  it('can be checked with the key of receipts, and no byte of it changed', async () => {
    const receipts = await createReceipts({ obtain: async () => new Uint8Array(randomBytes(32)) });
    const signed = await receipts.signDocument('jellyfaas-privacy-contract', contract);
    const key = await importJWK(receipts.publicKey);
    const { payload, protectedHeader } = await flattenedVerify(signed, key);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(contract);
    expect(protectedHeader).toMatchObject({ typ: 'jellyfaas-privacy-contract', kid: receipts.publicKey.kid });
    const forged = Buffer.from(JSON.stringify({ ...contract, version: '9.9.9' })).toString('base64url');
    await expect(flattenedVerify({ ...signed, payload: forged }, key)).rejects.toThrow();
  });

  it('names the data map that is served beside it, column for column', () => {
    expect(createHash('sha256').update(dataMap).digest('hex')).toBe(contract.dataMap.sha256);
    const ids = [...dataMap.matchAll(/"urn:jellyfaas:data-map:([\w-]+\.\w+\.\w+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(DATA_MAP.map(({ store, table, column }) => `${store}.${table}.${column}`));
  });

  it('as a page shows every clause and column, says what is open, and takes settings as text', () => {
    for (const { id, text } of contract.clauses) {
      expect(page.html).toContain(`id="${id}"`);
      expect(page.html).toContain(text.de.slice(0, 20));
    }
    for (const open of Object.values(OPEN_CLAUSES)) expect(page.html).toContain(open.en);
    for (const { column } of DATA_MAP) expect(page.html).toContain(`>${column}<`);
    expect(page.html).not.toContain('<img');
    expect(page.html).not.toMatch(/<script|<[^>]+\s(?:src|href|style)=/);
  });

  it('names who answers for the installation in every form, and says so where nobody is named', () => {
    expect(page.html).toContain('Acme &#60;b&#62;, privacy@acme.example');
    expect(record).toContain('Acme <b>, privacy@acme.example');
    expect(dataMap).toContain(
      '"dpv:hasDataController":{"@type":"dpv:DataController","dpv:hasName":"Acme <b>"',
    );
    const nameless = publishContract(createStatement({ ...FACTS, controller: null }, {}), contract.issuedAt);
    expect(nameless.page.html).toContain('THE OPERATOR HAS NOT SAID WHO HE IS');
    expect(nameless.record).toContain('who has NOT been named');
    expect(nameless.dataMap).not.toContain('hasDataController');
  });

  it('says whether memory may reach a disk', () => {
    expect(page.html).toContain('never moved to a disk');
    const swapping = publishContract(createStatement({ ...FACTS, hasSwap: true }, {}), contract.issuedAt);
    expect(swapping.page.html).toContain('MAY BE MOVED TO A DISK');
  });

  it('as a record of processing activities names purposes, time limits and recipients of this installation', () => {
    expect(record).toContain('17 days');
    expect(record).toContain('mail-server (mail.example.com)');
    expect(record.match(/^## /gm)).toHaveLength(5);
  });
});
