import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type {
  CopyInvitation,
  CopyInvitationState,
  FunctionList,
  RightsRequests,
  TakenCopy,
} from '../contract/index.ts';
import { type Platform, createClient, fixtureFiles, startPlatform } from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import { type Customer, newCustomer } from './aimee-customer.ts';
import { type CopyFiles, portable, rowsOf, unpackCopy } from './copy-files.ts';
import { newCommand } from './command.ts';
import { receiptOf } from './receipt.ts';

/** Access and portability between two running installations. */
const CANARY = 'canary-5c0ffee5';
const FOREIGN = 'canary-f0re1gn0';
const TOKEN = 'token-of-a-tool-source';
let here: Platform;
let there: Platform;
let ada: Customer;
let copy: CopyFiles;
let zip: Uint8Array;

beforeAll(async () => {
  const env = {
    JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    JELLYFAAS_COPY_ALLOWED_HOSTS: '127.0.0.1,localhost',
  };
  const layersOf = inject('platform').dataDir;
  [here, there] = await Promise.all([startPlatform({ layersOf, env }), startPlatform({ layersOf, env })]);
  const owner = createClient(here.url, here.apiKey);
  ada = await newCustomer(() => here, owner, 'ada');
  await fill(ada, CANARY);
  const bob = await newCustomer(() => here, owner, 'bob');
  await bob.createSite({ name: FOREIGN });
  await api({ platform: here, key: bob.apiKey }, 'POST', '/vectors', {
    name: FOREIGN,
    model: null,
    dimensions: 2,
  });
  zip = await copyOf(here, ada.apiKey);
  copy = await unpackCopy(zip);
});

afterAll(async () => {
  for (const platform of [here, there]) {
    expect(await platform.stop()).toBe(0);
    expect(platform.output()).not.toContain(CANARY);
    platform.remove();
  }
});

interface As {
  readonly platform: Platform;
  readonly key: string;
}

async function api<T = unknown>(
  { platform, key }: As,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`${platform.url}/api/v1${path}`, {
    method,
    headers: {
      'x-jf-apikey': key,
      ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : body instanceof FormData ? body : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function fill({ apiKey, ...customer }: Customer, canary: string): Promise<void> {
  const client = createClient(here.url, apiKey);
  const spec = { shortname: 'carried', name: 'Carried', description: canary };
  const deployed = await client.deploy('carried', fixtureFiles('probe', spec));
  await client.deploy('carried', { ...fixtureFiles('probe', spec), 'README.md': `Second ${canary}` });
  await client.call(deployed, '', { method: 'POST', body: '{"do":"echo","text":"x"}' });

  const post = <T>(path: string, body: object): Promise<T> =>
    api<T>({ platform: here, key: apiKey }, 'POST', path, body);
  await post('/vectors', { name: 'manuals' });
  const form = new FormData();
  form.append('documentId', 'pumps');
  form.append('metadata', '{"title":"Pumps","year":2026}');
  form.append(
    'file',
    new Blob([`The red valve ${canary} stops the pump.\n\nThe blue one starts it.`]),
    'p.txt',
  );
  const { uploadId } = await post<{ uploadId: string }>('/vectors/manuals/documents', form);
  await fetch(`${here.url}/api/v1/vectors/uploads/${uploadId}`, {
    headers: { 'x-jf-apikey': apiKey, accept: 'text/event-stream' },
  }).then((response) => response.text());
  await post('/vectors/manuals/records', { records: [{ id: 'note', text: `A note ${canary}` }] });
  await post('/vectors', { name: 'own', model: null, dimensions: 3, metric: 'dot' });
  await post('/vectors/own/records', {
    records: [
      { id: 'a', vector: [0.1, 0.2, 0.3], text: canary, metadata: { kind: 'x', ok: true, none: null } },
      { id: 'b', vector: [1, -2, 1e-7] },
    ],
  });

  await post('/sql', { name: 'fleet' });
  await post('/sql/fleet/batch', {
    statements: [
      { sql: 'CREATE TABLE car (id INTEGER PRIMARY KEY, name TEXT NOT NULL, photo BLOB)' },
      {
        sql: 'INSERT INTO car VALUES (1, ?, x’00ff’), (2, ?, NULL)'.replaceAll('’', "'"),
        params: [canary, '=1+1'],
      },
      { sql: 'CREATE VIEW named AS SELECT name FROM car' },
    ],
  });
  await post('/sql', { name: 'empty' });
  await post('/ai/sources', { name: 'weather', url: `https://mcp.example.com/${canary}`, token: TOKEN });

  const site = await customer.createSite({ name: `Site ${canary}`, persona: 'kind', functions: ['carried'] });
  await customer.upload(site.id, `Visitors sign the book in the lobby. ${canary}`, 'Handbook');
  const { done } = await customer.hear({ site: site.id, text: `Where do visitors sign? ${canary}` });
  await customer.hear({ site: site.id, text: 'And the weather?', ticket: done.ticket });
  const other = await customer.hear({ site: site.id, text: 'Somebody else asks.' });
  const asked = `/aimee/sites/${site.id}/requests`;
  const note = { message: 1, text: `The back door. ${canary}` };
  await post(asked, { kind: 'rectification', reference: done.reference, note });
  await post(asked, { kind: 'objection', reference: done.reference });
  await post(asked, { kind: 'restriction', reference: other.done.reference });
}

async function copyOf(platform: Platform, apiKey: string): Promise<Uint8Array> {
  const response = await fetch(`${platform.url}/api/v1/rights/copy`, { headers: { 'x-jf-apikey': apiKey } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/zip');
  return new Uint8Array(await response.arrayBuffer());
}

async function importInto(platform: Platform, apiKey: string, pack: Uint8Array): Promise<TakenCopy> {
  const response = await fetch(`${platform.url}/api/v1/rights/imports`, {
    method: 'POST',
    headers: { 'x-jf-apikey': apiKey, 'content-type': 'application/zip' },
    body: Buffer.from(pack),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as TakenCopy;
}

const TAKEN = {
  'function version': 2,
  'vector database': 2,
  document: 2,
  record: 3,
  'SQL database': 2,
  'tool source': 1,
  site: 1,
  conversation: 1,
};

describe('a copy of an account', () => {
  const places = [
    'functions/versions',
    'vectors/contents',
    'sql/statements',
    'tool-sources/tool-sources',
    'aimee/sites',
    'aimee/contents',
    'aimee/conversations',
  ];
  it.each(places)('has in %s what its holder put there', (place) => {
    expect(copy.get(`data/${place}.jsonl`)).toContain(CANARY);
  });

  it('has the person, his keys by name, his calls, and every row of every store', () => {
    expect(rowsOf(copy, 'accounts/profile')).toMatchObject([{ name: 'ada', email: 'ada@example.org' }]);
    expect(rowsOf(copy, 'accounts/api-keys')).toHaveLength(1);
    expect(rowsOf(copy, 'calls/calls').length).toBeGreaterThan(0);
    const stored = new Set(
      rowsOf(copy, 'accounts/stored-rows').map(({ store, table }) => `${String(store)}.${String(table)}`),
    );
    for (const table of ['accounts.account', 'accounts.api_key', 'functions.version', 'databases.database'])
      expect(stored).toContain(table);
    const code = rowsOf(copy, 'functions/code').map(({ base64 }) => Buffer.from(String(base64), 'base64'));
    expect(Buffer.concat(code).toString()).toContain(CANARY);
  });

  it('has nothing of anybody else, and no secret', () => {
    const whole = [...copy.values()].join('\n');
    expect(whole).not.toContain(FOREIGN);
    expect(whole).not.toContain('bob@example.org');
    expect(whole).not.toContain(ada.apiKey);
    expect(whole).not.toContain(TOKEN);
  });

  it('has what a visitor had corrected and objected to, and not what he had restricted', () => {
    expect(rowsOf(copy, 'aimee/conversations')).toMatchObject([
      { objected: true, notes: [{ entry: 1, text: `The back door. ${CANARY}` }] },
    ]);
    expect([...copy.values()].join('')).not.toContain('Somebody else asks.');
  });

  it('tells people what it is, in a page that loads nothing and believes nothing', () => {
    const page = copy.get('data/index.html') ?? '';
    for (const word of ['functions/code.jsonl', 'Art. 6(1)(b) GDPR', 'supervisory authority'])
      expect(page).toContain(word);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<img|<link|\ssrc=|href="http/);
  });
});

describe('a copy that is taken over elsewhere', () => {
  let eve: Customer;
  let outcome: TakenCopy;

  beforeAll(async () => {
    eve = await newCustomer(() => there, createClient(there.url, there.apiKey), 'ada');
    outcome = await importInto(there, eve.apiKey, zip);
  });

  it('leaves nothing behind, and a receipt says so', async () => {
    expect(outcome).toMatchObject({ taken: TAKEN, left: [], leftCount: 0 });
    expect(await receiptOf(there.url, outcome.receipt)).toContain('"event":"rights.copy_taken"');
  });

  it('gives the same copy there, but for ids and times', async () => {
    expect(portable(await unpackCopy(await copyOf(there, eve.apiKey)))).toEqual(portable(copy));
  });

  it('works there: functions answer, questions find, rows are read, conversations open', async () => {
    const client = createClient(there.url, eve.apiKey);
    const found = await api<{ hits: { id: string; text: string }[] }>(
      { platform: there, key: eve.apiKey },
      'POST',
      '/vectors/manuals/query',
      {
        text: 'Which valve stops the pump?',
      },
    );
    expect(found.hits[0]?.text).toContain(CANARY);
    const { rows } = await api<{ rows: unknown[][] }>(
      { platform: there, key: eve.apiKey },
      'POST',
      '/sql/fleet/query',
      {
        sql: 'SELECT name, hex(photo) FROM car ORDER BY id',
      },
    );
    expect(rows).toEqual([
      [CANARY, '00FF'],
      ['=1+1', ''],
    ]);
    const { functions } = await api<FunctionList>({ platform: there, key: eve.apiKey }, 'GET', '/functions');
    const [newest] = functions[0]?.versions ?? [];
    const headers = { jfwt: await client.token() };
    const called = await fetch(newest?.deployments[0]?.url ?? '', { method: 'POST', headers, body: '{}' });
    expect(called.status).toBe(200);
    const { sites } = await eve.api<{ sites: { id: string }[] }>('GET', '/sites');
    const conversations = await eve.conversations(sites[0]?.id ?? '');
    const references = rowsOf(copy, 'aimee/conversations').map(({ reference }) => String(reference));
    expect(conversations.map(({ reference }) => reference).toSorted()).toEqual(references.toSorted());
  });
});

describe('a copy that is sent from one installation to the other', () => {
  let carl: Customer;
  let invitation: CopyInvitation;
  const send = (token: string): Promise<unknown> =>
    api({ platform: here, key: ada.apiKey }, 'POST', '/rights/transmissions', {
      address: invitation.address,
      token,
    });

  beforeAll(async () => {
    carl = await newCustomer(() => there, createClient(there.url, there.apiKey), 'carl');
    invitation = await api({ platform: there, key: carl.apiKey }, 'POST', '/rights/invitations');
  });

  it('is taken by whom the invitation is for, and only what is somebody else’s there stays behind', async () => {
    const sent = await send(invitation.token);
    // The other account took the function’s name before, and its site names the function.
    const { 'function version': _, site: _site, conversation: _conversation, ...rest } = TAKEN;
    expect(sent).toMatchObject({ taken: { ...rest, document: 1 }, leftCount: 3 });
    const { invitation: state } = await api<CopyInvitationState>(
      { platform: there, key: carl.apiKey },
      'GET',
      '/rights/invitations',
    );
    expect(state?.outcome?.left.map(({ code }) => code)).toEqual([
      'functions.shortname_taken',
      'functions.shortname_taken',
      'function.not_found',
    ]);
    const theirs = await unpackCopy(await copyOf(there, carl.apiKey));
    expect(portable(theirs)['data/vectors/contents.jsonl']).toEqual(
      portable(copy)['data/vectors/contents.jsonl'],
    );
  });

  it('is sent once: the token is used up, and another one never was any', async () => {
    for (const token of [invitation.token, 'rcv_guessed'])
      await expect(send(token)).rejects.toThrow(/rights\.receiver_refused/);
  });

  it('is among the requests of the person, done and receipted', async () => {
    const { requests } = await api<{ requests: { kind: string; state: string }[] }>(
      { platform: here, key: ada.apiKey },
      'GET',
      '/rights/requests',
    );
    expect(requests.map(({ kind, state }) => `${kind} ${state}`).toSorted()).toEqual(
      expect.arrayContaining(['access done', 'portability done']),
    );
  });
});

describe('the command line', () => {
  it('takes a copy, and brings it elsewhere by a file or straight away', async () => {
    const command = newCommand();
    const member = await newCustomer(() => there, createClient(there.url, there.apiKey), 'dora');
    const [sender, recipient] = [
      { JELLYFAAS_URL: here.url, JELLYFAAS_API_KEY: ada.apiKey },
      { JELLYFAAS_URL: there.url, JELLYFAAS_API_KEY: member.apiKey },
    ];
    const taken = await command.run(['rights', 'copy', '-o', 'copy.zip'], { env: sender });
    expect([taken.code, taken.err]).toEqual([0, '']);
    const invited = await command.run(['rights', 'invite', '--json'], { env: recipient });
    const { address, token } = JSON.parse(invited.out) as CopyInvitation;
    const sent = await command.run(['rights', 'send', address], { env: sender, input: `${token}\n` });
    expect([sent.code, sent.out]).toEqual([0, expect.stringMatching(/^Taken over: 2 × vector database/)]);
    const imported = await command.run(['rights', 'import', 'copy.zip'], { env: recipient });
    expect([imported.code, imported.out]).toEqual([0, expect.stringContaining('databases.name_taken')]);
    command.remove();
  });
});

describe('a copy where a file is damaged', () => {
  it('goes on, and the manifest, the page, the receipt and whoever takes it over say what is missing', async () => {
    const [code = ''] = globSync('**/code/fn_*-1', { cwd: here.dataDir });
    const file = join(here.dataDir, code);
    writeFileSync(file, readFileSync(file).fill(0, 40, 80));
    const pack = await copyOf(here, ada.apiKey);
    const files = await unpackCopy(pack);
    const missing = [{ path: 'data/functions/code.jsonl', name: 'carried 1', code: 'keys.blob_corrupt' }];
    expect(JSON.parse(files.get('data/manifest.json') ?? '')).toMatchObject({ missing, missingCount: 1 });
    expect(files.get('data/index.html')).toContain('carried 1');
    expect(rowsOf(files, 'functions/code').every(({ version }) => version === 2)).toBe(true);
    expect(files.get('data/aimee/conversations.jsonl')).toBe(copy.get('data/aimee/conversations.jsonl'));

    const { requests } = await api<RightsRequests>(
      { platform: here, key: ada.apiKey },
      'GET',
      '/rights/requests',
    );
    expect(requests[0]).toMatchObject({ kind: 'access', state: 'done', missing: 1 });
    expect(await receiptOf(here.url, requests[0]?.receipt ?? '')).toContain('"missing":1');
    expect(here.output()).toContain('rights.copy_incomplete');

    const eli = await newCustomer(() => there, createClient(there.url, there.apiKey), 'eli');
    const { left } = await importInto(there, eli.apiKey, pack);
    expect(left[0]).toEqual({ kind: missing[0]?.path, name: 'carried 1', code: missing[0]?.code });
  });
});
