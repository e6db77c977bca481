import { expect, inject } from 'vitest';
import { type Customer, newCustomer } from '../acceptance/aimee-customer.ts';
import type { AimeeGrant, AimeeSite } from '../contract/index.ts';
import { type Platform, createClient, fixtureFiles, startPlatform, zip } from '../testkit/index.ts';
import { fetchTestEmbeddingModel } from '../tools/fetch-test-embedding-model.mjs';
import type { Names } from './every-route.ts';
import { PAGE } from './portal-visitor.ts';

/** An account with one of everything that a route can name. */
export interface Tenant {
  readonly customer: Customer;
  readonly site: AimeeSite;
  /** Of his one conversation. */
  readonly reference: string;
  readonly ticket: string;
  readonly names: Names;
  /** Ids and names of his that nobody else may come across. */
  readonly traces: readonly string[];
}

/** With what tenants need; on a data directory that is there, or a new one. */
export async function startBuilding(dataDir?: string, env: Record<string, string> = {}): Promise<Platform> {
  return await startPlatform({
    ...(dataDir === undefined ? { layersOf: inject('platform').dataDir } : { dataDir }),
    env: { ...env, JELLYFAAS_EMBEDDING_MODEL_DIRECTORY: await fetchTestEmbeddingModel() },
  });
}

export async function moveIn(platform: Platform, name: string): Promise<Tenant> {
  const owner = createClient(platform.url, platform.apiKey);
  const customer = await newCustomer(() => platform, owner, name);
  const [aimee, data, functions] = await Promise.all([
    furnishAimee(customer, name),
    furnishDatabases(platform, customer, name),
    furnishFunctions(platform, customer, name),
  ]);
  const { ids, ...chat } = aimee;
  const own = { ...data.ids, ...functions };
  const named = { ...own, ...ids };
  return {
    customer,
    ...chat,
    names: (path) => ({
      ...(path.startsWith('/api/v1/aimee/') ? named : own),
      ...(path.startsWith('/api/v1/builds/') && { id: functions.opid }),
    }),
    traces: [...Object.values(named), chat.reference, `Site of ${name}`],
  };
}

const handbookOf = (name: string): string => `handbook-of-${name}`;

function document(name: string): FormData {
  const form = new FormData();
  form.append('documentId', handbookOf(name));
  form.append('metadata', JSON.stringify({ title: 'Handbook' }));
  form.append('file', new Blob([`The valve of ${name} is red.`]), 'handbook.txt');
  return form;
}

async function furnishAimee(customer: Customer, name: string) {
  const site = await customer.createSite({ name: `Site of ${name}`, handOver: { kind: 'none' } });
  const knowledge = `/sites/${site.id}/knowledge`;
  const { uploadId } = await customer.api<{ uploadId: string }>('POST', knowledge, document(name));
  const { done } = await customer.hear({ site: site.id, text: `What did ${name} say?` });
  const conversationId = await customer.idOf(site.id, done);
  const lent = { site: site.id, conversations: [conversationId], reason: `Ticket of ${name}`, minutes: 30 };
  const grant = await customer.api<AimeeGrant>('POST', '/grants', lent);
  await customer.api('DELETE', `/grants/${grant.id}`);
  const { reference, ticket } = done;
  const asked = { kind: 'access', reference };
  const { id: requestId } = await customer.api<{ id: string }>('POST', `/sites/${site.id}/requests`, asked);
  const ids = { siteId: site.id, conversationId, grantId: grant.id, uploadId, requestId };
  return { site, reference, ticket, ids };
}

async function furnishDatabases({ url }: Platform, { apiKey }: Customer, tenant: string) {
  const headers = { 'x-jf-apikey': apiKey };
  const post = async <T>(path: string, body: object): Promise<T> => {
    const isForm = body instanceof FormData;
    const response = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { ...headers, ...(!isForm && { 'content-type': 'application/json' }) },
      body: isForm ? body : JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return (await response.json()) as T;
  };
  const name = `things-of-${tenant}`;
  await post('/vectors', { name });
  await post('/sql', { name });
  const { uploadId } = await post<{ uploadId: string }>(`/vectors/${name}/documents`, document(tenant));
  const { id } = await post<{ id: string }>('/api-keys', { name: 'second' });
  return { ids: { name, uploadId, documentId: handbookOf(tenant), id } };
}

async function furnishFunctions({ url }: Platform, { apiKey }: Customer, tenant: string) {
  const shortname = `tool${tenant}`;
  const archive = await zip(shortname, fixtureFiles('probe', { shortname }));
  const uploaded = await createClient(url, apiKey).upload(shortname, archive);
  const { deployedDetails } = (await uploaded.json()) as { deployedDetails: { opid: string }[] };
  const opid = deployedDetails[0]?.opid ?? '';
  const build = await fetch(`${url}/api/v1/builds/${opid}/events`, { headers: { 'x-jf-apikey': apiKey } });
  expect(await build.text()).toContain('DEPLOYED');
  return { shortname, functionId: shortname, opid };
}

export type Credential = Record<string, string>;

/** A session of the portal, unlocked, by a single-use link. */
export async function signIn(url: string, { apiKey }: Customer): Promise<Credential> {
  const link = await fetch(`${url}/api/v1/sign-in-links`, {
    method: 'POST',
    headers: { 'x-jf-apikey': apiKey },
  });
  const made = (await link.json()) as { url: string };
  const begun = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { ...PAGE, 'content-type': 'application/json' },
    body: JSON.stringify({ link: new URL(made.url).hash.slice('#link='.length) }),
  });
  expect(begun.status).toBe(201);
  return { ...PAGE, cookie: begun.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
}

/** A session that was copied before its owner signed out. */
export async function signedOut(url: string, customer: Customer): Promise<Credential> {
  const session = await signIn(url, customer);
  const ended = await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers: session });
  expect(ended.status).toBe(200);
  return session;
}

export async function revokedKey(url: string, customer: Customer): Promise<Credential> {
  const headers = { 'x-jf-apikey': customer.apiKey, 'content-type': 'application/json' };
  const path = `${url}/api/v1/api-keys`;
  const made = await fetch(path, { method: 'POST', headers, body: JSON.stringify({ name: 'third' }) });
  const { id, apiKey } = (await made.json()) as { id: string; apiKey: string };
  expect((await fetch(`${path}/${id}`, { method: 'DELETE', headers })).ok).toBe(true);
  return { 'x-jf-apikey': apiKey };
}
