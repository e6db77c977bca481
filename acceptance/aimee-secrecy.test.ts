import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AimeeAccessLog,
  type AimeeConversation,
  type AimeeGrant,
  type AimeePurged,
  type AimeeSite,
  type AimeeSupportGrants,
} from '../contract/index.ts';
import { readAllStores } from '../privacy/open-stores.ts';
import {
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Customer, customerOf, newCustomer } from './aimee-customer.ts';
import { say } from './aimee-visitor.ts';

/** Who reads conversations of AI.Mee, and who does not: staff, whoever has the disk and all of its keys. */
const CANARY = 'canary-41c0ffee';
const QUESTION = `Which valve stops the cooling pump of ${CANARY}?`;
let model: ScriptedModel;
let env: Record<string, string>;
let platform: Platform;
let staff: Customer;
let ann: Customer;
let site: AimeeSite;

beforeAll(async () => {
  model = await startScriptedModel(() => ({ text: `The red one [1], ${CANARY}.`, deltaLength: 5 }));
  env = {
    JELLYFAAS_MODEL_URL: model.url,
    JELLYFAAS_MODEL_NAME: 'scripted',
    JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '1000',
  };
  platform = await startPlatform({ env });
  staff = customerOf(() => platform, platform.apiKey);
  ann = await newCustomer(() => platform, createClient(platform.url, platform.apiKey), 'ann');
  site = await ann.createSite({ name: 'Pumps', persona: `Speak of ${CANARY}.`, messagesPerMinute: 1000 });
  await ann.upload(site.id, 'The red valve behind the panel stops the cooling pump at once.', CANARY);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.output()).not.toContain(CANARY);
  platform.remove();
  await model.close();
});

async function restart(): Promise<void> {
  platform = await startPlatform({ dataDir: platform.dataDir, env });
}

/** A conversation of one message, by its id. */
async function talk(): Promise<string> {
  const { done } = await ann.hear({ site: site.id, text: QUESTION });
  return await ann.idOf(site.id, done);
}

describe('the staff', () => {
  it('reads what a customer lends and nothing else, and each time the customer sees it', async () => {
    const [lent, kept] = [await talk(), await talk()];
    const read = (grant: string, conversation: string, by = staff) =>
      by.request('GET', `/support/grants/${grant}/conversations/${conversation}`);
    const form = { site: site.id, conversations: [lent], reason: 'Ticket 8', minutes: 10 };
    const grant = await ann.api<AimeeGrant>('POST', '/grants', form);
    const { grants } = await staff.api<AimeeSupportGrants>('GET', '/support/grants');
    expect(grants).toMatchObject([
      {
        id: grant.id,
        account: { name: 'ann' },
        siteName: 'Pumps',
        reason: 'Ticket 8',
        conversations: [lent],
      },
    ]);
    const shown = (await (await read(grant.id, lent)).json()) as AimeeConversation;
    expect(shown.entries[0]).toMatchObject({ question: QUESTION });
    const refusals = [read(grant.id, kept), read('grant_00000000000000000000', lent)];
    expect((await Promise.all(refusals)).map(({ status }) => status)).toEqual([404, 404]);
    expect((await read(grant.id, lent, ann)).status).toBe(403);

    await ann.api('DELETE', `/grants/${grant.id}`);
    expect((await read(grant.id, lent)).status).toBe(404);
    const log = await ann.api<AimeeAccessLog>('GET', '/access-log');
    expect(log.entries.slice(0, 3).map(({ event, conversation }) => [event, conversation])).toEqual([
      ['ended', null],
      ['read', lent],
      ['granted', null],
    ]);
    expect([log.intact, log.head]).toEqual([true, log.entries[0]?.hash]);
  });

  it('does not read on after a restart, and the customer sees when it ended', async () => {
    const conversation = await talk();
    const form = { site: site.id, conversations: [conversation], reason: 'Ticket 9', minutes: 60 };
    const grant = await ann.api<AimeeGrant>('POST', '/grants', form);
    await platform.crash();
    await restart();
    const path = `/support/grants/${grant.id}/conversations/${conversation}`;
    expect((await staff.request('GET', path)).status).toBe(404);
    const { grants } = await ann.api<{ grants: AimeeGrant[] }>('GET', '/grants');
    expect(grants[0]).toMatchObject({ id: grant.id, ended: { by: 'restart' }, reads: 0 });
  });
});

describe('what is acknowledged', () => {
  it('survives kill -9 in the midst of messages, and lies readable nowhere', async () => {
    const acknowledged = new Set<string>();
    const asked = Array.from({ length: 40 }, async () => {
      const heard = await say(platform.url, { site: site.id, text: QUESTION }).catch(() => undefined);
      if (heard?.done !== undefined) acknowledged.add(heard.done.reference);
      if (acknowledged.size === 15) await platform.crash();
    });
    await Promise.all(asked);
    expect(acknowledged.size).toBeGreaterThanOrEqual(15);
    expect(filesWith(platform.dataDir, CANARY)).toEqual([]);
    await restart();
    const found = new Set((await ann.conversations(site.id)).map(({ reference }) => reference));
    expect([...acknowledged].filter((reference) => !found.has(reference))).toEqual([]);
  });

  it('does not open with all keys of the service together', async () => {
    await talk();
    await platform.stop();
    const rows = (await readAllStores(platform.dataDir)).filter(({ store }) => store.startsWith('aimee/'));
    await restart();
    const said = rows.filter(({ table }) => table === 'entry' || table === 'conversation');
    expect(said.length).toBeGreaterThan(30);
    // What the assistant knows and how it speaks the service has to read; what was said it has not.
    const readable = (value: unknown): boolean =>
      /canary|valve/i.test(
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
      );
    expect(said.filter(({ row }) => Object.values(row).some(readable))).toEqual([]);
    expect(rows.some(({ table, row }) => table === 'site' && Object.values(row).some(readable))).toBe(true);
  });

  it('cannot be opened after a purge, not from a copy of the data that was made before either', async () => {
    const conversation = await talk();
    const copy = mkdtempSync(join(tmpdir(), 'aimee-backup-'));
    const data = join(platform.dataDir, 'aimee');
    try {
      await platform.stop();
      cpSync(data, copy, { recursive: true });
      await restart();
      await ann.api<AimeePurged>('POST', `/sites/${site.id}/purge`, { scope: 'all' });
      await platform.stop();
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      await restart();
      expect((await ann.request('GET', `/sites/${site.id}/conversations/${conversation}`)).status).toBe(404);
      expect(await ann.conversations(site.id)).toEqual([]);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it('goes with its site: keys, rows and knowledge', async () => {
    const gone = await ann.createSite({ name: 'Gone' });
    await ann.upload(gone.id, 'Something to forget.', 'Note');
    await ann.hear({ site: gone.id, text: 'Hello' });
    const files = (): string[] =>
      readdirSync(join(platform.dataDir, 'aimee'), { recursive: true, encoding: 'utf8' });
    expect(files().some((name) => name.includes(gone.id))).toBe(true);
    await ann.api('DELETE', `/sites/${gone.id}`);
    expect(files().some((name) => name.includes(gone.id))).toBe(false);
    expect((await say(platform.url, { site: gone.id, text: 'Hello' })).status).toBe(404);
    expect((await ann.request('GET', `/sites/${gone.id}`)).status).toBe(404);
  });
});

function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}
