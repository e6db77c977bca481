import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type Client,
  type Deployed,
  type Platform,
  type ScriptedModel,
  createClient,
  fixtureFiles,
  startPlatform,
  startScriptedModel,
} from '../testkit/index.ts';
import { restoreBackup } from '../privacy/restore-backup.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Customer, customerOf } from './aimee-customer.ts';
import { type Command, newCommand } from './command.ts';
import { receiptOf } from './receipt.ts';

/** Every key under what lies on disk is exchanged while people use it, and nobody's work shows it. */
let base: string;
let platform: Platform;
let owner: Client;
let command: Command;
let deployed: Deployed;
let customer: Customer;
let model: ScriptedModel;
let apiKey: string | undefined;
let siteId: string;
let places: { readonly target: string; readonly keysTarget: string };

async function start({ dataDir = join(base, 'data'), ...layers }: Start = {}): Promise<void> {
  const env = {
    JELLYFAAS_BACKUP_TARGET: places.target,
    JELLYFAAS_BACKUP_KEYS_TARGET: places.keysTarget,
    JELLYFAAS_MODEL_URL: model.url,
    JELLYFAAS_MODEL_NAME: 'scripted',
    JELLYFAAS_VISITOR_MESSAGES_PER_MINUTE: '1000',
    JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
  };
  platform = await startPlatform({ dataDir, env, ...layers });
  owner = createClient(platform.url, apiKey ?? platform.apiKey);
  apiKey = owner.apiKey;
}

interface Start {
  readonly dataDir?: string;
  readonly layersOf?: string;
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'rotation-platform-'));
  model = await startScriptedModel(() => ({ text: 'In the cellar [1].' }));
  places = { target: join(base, 'target'), keysTarget: join(base, 'keys') };
  await start({ layersOf: inject('platform').dataDir });
  command = newCommand();
  await command.run(['secret', '--url', platform.url], { input: platform.apiKey });
  deployed = await owner.deploy('rotated', fixtureFiles('probe', { shortname: 'rotated' }));
  await api('POST', '/api/v1/sql', { name: 'mine' });
  await sql('CREATE TABLE note (text TEXT)');
  await sql("INSERT INTO note VALUES ('kept')");
  await api('POST', '/api/v1/vectors', { name: 'mine', dimensions: 2 });
  await api('POST', '/api/v1/vectors/mine/records', { records: [{ id: 'a', vector: [1, 0], text: 'kept' }] });
  customer = customerOf(() => platform, owner.apiKey);
  siteId = (await customer.createSite({ name: 'Pumps', messagesPerMinute: 1000 })).id;
  await customer.upload(siteId, 'The pump stands in the cellar.', 'Handbook');
});
afterAll(async () => {
  command.remove();
  await platform.stop();
  await model.close();
  rmSync(base, { recursive: true });
});

const api = <T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T> =>
  owner.api(method, path, body);

const sql = (text: string): Promise<{ rows: unknown[][] }> =>
  api('POST', '/api/v1/sql/mine/query', { sql: text });

/** What each kind of store gives back. */
async function used(): Promise<object> {
  const called = await owner.call(deployed, '?do=count');
  return {
    call: called.status,
    rows: (await sql('SELECT text FROM note ORDER BY rowid LIMIT 1')).rows,
    hits: await api('POST', '/api/v1/vectors/mine/query', { vector: [1, 0] }),
    words: await api('POST', '/api/v1/vectors/mine/query', { text: 'kept', mode: 'keyword' }),
    sites: await api('GET', '/api/v1/aimee/sites'),
    knowledge: await customer.api('GET', `/sites/${siteId}/knowledge`),
    me: await api('GET', '/api/v1/me'),
  };
}

describe('keys that are rotated', () => {
  it('change under everything of an account, with a receipt', async () => {
    const before = await used();
    expect(before).toMatchObject({ words: { hits: [{ id: 'a' }] } });
    const rotated = await command.json<{ receipt: string }>(['rotate-keys']);
    expect(rotated).toMatchObject({ databases: 2, conversations: true, knowledge: 1, code: 1 });
    expect(await receiptOf(platform.url, rotated.receipt)).toContain('keys.rotated');
    expect(await used()).toEqual(before);
  });

  it('change under what an assistant knows while it answers from it', async () => {
    let isRotating = true;
    const rotating = api('POST', '/api/v1/key-rotations').finally(() => (isRotating = false));
    const visit = async (): Promise<void> => {
      do {
        const { done } = await customer.hear({ site: siteId, text: 'Where does the pump stand?' });
        expect(done).toMatchObject({ answered: true, sources: [{ title: 'Handbook' }] });
      } while (isRotating);
    };
    await Promise.all([visit(), visit(), visit(), visit()]);
    expect(await rotating).toMatchObject({ knowledge: 1 });
  });

  it('change under the installation, whose backups begin anew with them', async () => {
    const before = await used();
    await api('POST', '/api/v1/backups');
    const rootBefore = readFileSync(join(platform.dataDir, 'keys', 'root.key'));
    const rotated = await command.json<{ backup: number }>(['rotate-keys', '--installation']);
    expect(rotated).toMatchObject({ rootGeneration: 2, stores: 5 });
    expect(readFileSync(join(platform.dataDir, 'keys', 'root.key')).equals(rootBefore)).toBe(false);
    expect(await used()).toEqual(before);
    const verified = await api('POST', '/api/v1/backups/verifications', { generation: rotated.backup });
    expect(verified).toMatchObject({ findings: [] });
  });

  it('are in force after kill -9, with all that was written meanwhile', async () => {
    const writing = Array.from(
      { length: 20 },
      async (_, at) => await sql(`INSERT INTO note VALUES ('n${at}')`),
    );
    const [, , ...written] = await Promise.allSettled([
      api('POST', '/api/v1/installation/key-rotations'),
      api('POST', '/api/v1/key-rotations'),
      ...writing,
    ]);
    const acknowledged = written.filter(({ status }) => status === 'fulfilled').length;
    const before = await used();
    await platform.crash();
    await start();
    expect(await used()).toEqual(before);
    expect((await sql('SELECT count(*) FROM note')).rows).toEqual([[1 + acknowledged]]);
  });

  it('are those of every backup that is made from then on', async () => {
    const before = await used();
    const { generation } = await api<{ generation: number }>('POST', '/api/v1/backups');
    await platform.stop();
    const dataDir = await restoreBackup(places, platform.dataDir, base, generation);
    await start({ dataDir, layersOf: join(base, 'data') });
    expect(await used()).toEqual(before);
  });

  it('leave an earlier backup what opens without them, and a function that is deployed again', async () => {
    const { generation } = await api<{ generation: number }>('POST', '/api/v1/backups');
    const { rows } = await sql('SELECT count(*) FROM note');
    await api('POST', '/api/v1/key-rotations');
    await platform.stop();
    const dataDir = await restoreBackup(places, platform.dataDir, base, generation);
    await start({ dataDir, layersOf: join(base, 'data') });
    expect((await sql('SELECT count(*) FROM note')).rows).toEqual(rows);
    expect(await (await owner.call(deployed, '?do=count')).text()).toContain('keys.blob_corrupt');
    deployed = await owner.deploy('rotated', fixtureFiles('probe', { shortname: 'rotated' }));
    expect((await owner.call(deployed, '?do=count')).status).toBe(200);
  });
});
