import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type JellyFaaS, type JellyFaaSError, jellyfaas } from '../clients/sdk/src/index.ts';
import { paragraphLines, textPdf } from '../server/documents/testing/pdf.ts';
import { startModelOverTls } from '../testkit/model-over-tls.ts';
import {
  type Client,
  type Platform,
  type ScriptedModel,
  createClient,
  startPlatform,
} from '../testkit/index.ts';
import { startTap } from '../testkit/tcp-tap.ts';
import { type Command, newCommand } from './command.ts';
import { startProxy } from './proxy-command.ts';
import { resolverFiles } from './resolver.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';

/** Documents that only a sandbox of the caller's own, and the process that has the database open, read. */
let model: ScriptedModel;
let platform: Platform;
let owner: Client;
let client: JellyFaaS;

beforeAll(async () => {
  const over = await startModelOverTls(() => ({ text: 'The red valve stops it. [1]' }));
  model = over;
  platform = await startPlatform({
    layersOf: inject('platform').dataDir,
    env: {
      ...over.env,
      JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel(),
    },
  });
  owner = createClient(platform.url, platform.apiKey);
  client = jellyfaas({ url: platform.url, apiKey: platform.apiKey });
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  platform.remove();
  await model.close();
});

const HARBOUR = 'The harbour is closed on Sundays.';
async function newClient(name: string): Promise<{ readonly client: JellyFaaS; readonly api: Client }> {
  const form = JSON.stringify({ name, email: `${name.toLowerCase()}@example.org` });
  const { password: apiKey } = (await (await owner.core('POST', '/entity', form)).json()) as {
    password: string;
  };
  const { url } = platform;
  return { client: jellyfaas({ url, apiKey }), api: createClient(url, apiKey) };
}

const errorOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => undefined,
    (thrown: unknown) => (thrown as JellyFaaSError).errorId,
  );
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

describe('a sealed upload', () => {
  it('can be searched and asked, sealed and plainly, and nothing of it stands on the wire', async () => {
    await client.vectors('manual').create();
    const tap = await startTap(platform.url);
    const tapped = jellyfaas({ url: tap.url, apiKey: platform.apiKey }).vectors('manual', { sealed: true });
    const text = '# Canary pumps\n\nThe canary pump is stopped with the red valve beside the door.\n';
    const uploaded = await tapped.upload(bytes(text), { fileName: 'canary.md', id: 'canary-doc' });
    expect(uploaded).toMatchObject({ documentId: 'canary-doc', status: 'completed', passages: 1 });
    const { hits } = await tapped.query('How is the canary pump stopped?');
    expect(hits[0]?.text).toContain('red valve');
    const answered = await tapped.ask('How is the canary pump stopped?');
    expect(answered).toMatchObject({ answer: 'The red valve stops it. [1]', engine: 'model' });
    expect(answered.citations[0]?.quote).toContain('red valve');
    expect(model.requests.at(-1)?.text).toContain('canary pump');
    const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
    await tap.close();
    for (const word of ['anary', 'valve', 'manual']) expect(seen).not.toContain(word);
    const plain = await client.vectors('manual').query('How is the canary pump stopped?');
    expect(plain.hits.map(({ id }) => id)).toEqual(hits.map(({ id }) => id));
  });

  it('of a PDF is read and embedded in the sandbox', async () => {
    await client.vectors('papers').create();
    const sealed = client.vectors('papers', { sealed: true });
    const pdf = textPdf([paragraphLines(['Whales sing for hours in the cold months of the year.'])]);
    const heard: string[] = [];
    const onProgress = ({ status }: { status: string }): void => void heard.push(status);
    const uploaded = await sealed.upload(new Uint8Array(pdf), { fileName: 'whales.pdf', onProgress });
    expect([uploaded.status, heard.includes('embedding')]).toEqual(['completed', true]);
    expect((await sealed.documents()).map(({ passages }) => passages)).toEqual([1]);
    expect((await sealed.query('What do whales do?')).hits[0]?.span?.page).toBe(1);
    await sealed.deleteDocument(uploaded.documentId);
    expect(await sealed.documents()).toEqual([]);
  });

  it('leaves the record of one request, as a search does and one that fails', async () => {
    const counting = await newClient('Counting');
    await counting.client.vectors('counted').create();
    const sealed = counting.client.vectors('counted', { sealed: true });
    await sealed.upload(bytes(HARBOUR), { fileName: 'harbour.txt' });
    await sealed.query('harbour');
    const sent = sealed.upload(new Uint8Array([0x25, 0x50, 0x44, 0x46]), { fileName: 'broken.pdf' });
    expect(await errorOf(sent)).toMatch(/^documents\./);
    const records = async (): Promise<string[]> => {
      type Listed = { calls: { kind: string; ok: boolean }[] };
      const { calls } = await counting.api.api<Listed>('GET', '/api/v1/calls');
      return calls.map(({ kind, ok }) => `${kind} ${ok}`).toSorted();
    };
    await expect.poll(records).toEqual(['vectors false', 'vectors true', 'vectors true']);
  });

  it('into a strict database keeps no text, and its passages are brought by the function that has them', async () => {
    await owner.deploy('sealedresolver', resolverFiles('sealedresolver', HARBOUR));
    await client.vectors('strict').create({ kind: 'strict', resolver: 'sealedresolver' });
    const sealed = client.vectors('strict', { sealed: true });
    const uploaded = await sealed.upload(bytes(HARBOUR), {
      fileName: 'harbour.txt',
    });
    expect(uploaded.status).toBe('completed');
    const { hits, changed } = await sealed.query('When is the harbour closed?');
    expect([hits.map(({ text }) => text), changed]).toEqual([[HARBOUR], []]);
  });

  it('fails with the errors of a plain one, and leaves nothing', async () => {
    const sealed = client.vectors('manual', { sealed: true });
    expect(
      await errorOf(sealed.upload(new Uint8Array([0x25, 0x50, 0x44, 0x46]), { fileName: 'x.pdf' })),
    ).toMatch(/^documents\./);
    expect(await errorOf(client.vectors('nothere', { sealed: true }).query('x'))).toBe('database.not_found');
    expect((await sealed.documents()).length).toBe(1);
  });
});

describe('where it goes', () => {
  it('makes and drops nothing: names and their keys are the server’s own', async () => {
    const sealed = client.vectors('dropped', { sealed: true });
    await client.vectors('dropped').create();
    await sealed.upsert([{ id: 'a', text: 'one' }]);
    await client.vectors('dropped').drop();
    expect(await errorOf(sealed.query('one'))).toBe('database.not_found');
  });

  it('is of one account: another one does not see its databases', async () => {
    const { client: neighbour } = await newClient('Neighbour');
    expect(await errorOf(neighbour.vectors('manual', { sealed: true }).query('x'))).toBe(
      'database.not_found',
    );
  });
});

describe('clients that seal for others', () => {
  let command: Command;
  beforeAll(() => {
    command = newCommand();
  });
  afterAll(() => command.remove());

  it('the command line uploads, searches and asks, and nothing of it stands on the wire', async () => {
    await client.vectors('shell').create();
    writeFileSync(join(command.home, 'harbour.txt'), HARBOUR);
    const tap = await startTap(platform.url);
    const env = { JELLYFAAS_URL: tap.url, JELLYFAAS_API_KEY: platform.apiKey };
    const vectors = async (...words: string[]): Promise<string> => {
      const ran = await command.run(['vectors', ...words, '--sealed'], { env });
      expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
      return ran.out;
    };
    expect(await vectors('upload', 'shell', 'harbour.txt')).toContain('1 document(s) are in, 1 passages.');
    expect(await vectors('search', 'shell', 'When is the harbour closed?')).toContain(HARBOUR);
    expect(await vectors('ask', 'shell', 'When is the harbour closed?')).toContain('The red valve stops it.');
    const seen = Buffer.concat([tap.sent(), tap.received()]).toString('latin1');
    await tap.close();
    for (const word of ['arbour', 'valve', 'shell']) expect(seen).not.toContain(word);
  });

  it('the proxy seals what the public clients send, but for the making of a database', async () => {
    await client.vectors('public').create();
    const proxy = await startProxy(command, platform.url);
    const jfwt = await owner.token();
    const upload = (collection: string): Promise<Response> => {
      const form = new FormData();
      form.append('file', new Blob([HARBOUR]), 'harbour.txt');
      const path = `/embedder-service/v1/upload?collection_name=${collection}`;
      return fetch(`${proxy.url}${path}`, { method: 'POST', headers: { jfwt }, body: form });
    };
    const { upload_id: uploadId } = (await (await upload('public')).json()) as { upload_id: string };
    const status = await fetch(`${proxy.url}/embedder-service/v1/status?upload_id=${uploadId}`, {
      headers: { jfwt },
    });
    expect(await status.json()).toEqual({ status: 'completed' });
    const asked = await fetch(`${proxy.url}/query-service/v1/vectordb`, {
      method: 'POST',
      headers: { jfwt, 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'When is the harbour closed?', vector_mongo_collection: 'public' }),
    });
    expect(await asked.json()).toMatchObject({ answer: 'The red valve stops it. [1]' });
    expect(await (await upload('missing')).json()).toMatchObject({ errorId: 'vectors.not_sealable' });
    await proxy.stop();
  });
});
