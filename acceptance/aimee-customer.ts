import type { AimeeConversations, AimeeSite, AimeeSiteForm } from '../contract/index.ts';
import type { Client, Platform } from '../testkit/index.ts';
import { type Done, type Heard, type Saying, chat } from './aimee-visitor.ts';

/** One customer of AI.Mee, with an API key alone. */
export interface Customer {
  readonly apiKey: string;
  request(method: string, path: string, body?: object): Promise<Response>;
  /** Below `/api/v1/aimee`. Throws for anything but a success. */
  api<T>(method: string, path: string, body?: object): Promise<T>;
  createSite(settings: Partial<AimeeSiteForm> & { name: string }): Promise<AimeeSite>;
  /** Resolves when it has been read and embedded. */
  upload(siteId: string, text: string, title: string): Promise<void>;
  /** All of a site, newest first. */
  conversations(siteId: string): Promise<AimeeConversations['conversations']>;
  idOf(siteId: string, done: Done): Promise<string>;
  /** A visitor's message. */
  hear(saying: Saying): Promise<Heard & { readonly done: Done }>;
}

/** `platform` is asked for each request: suites restart it. */
export function customerOf(platform: () => Platform, apiKey: string): Customer {
  const customer: Customer = {
    apiKey,
    async request(method, path, body) {
      const isForm = body instanceof FormData;
      return await fetch(`${platform().url}/api/v1/aimee${path}`, {
        method,
        headers: {
          'x-jf-apikey': apiKey,
          ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : isForm ? body : JSON.stringify(body),
      });
    },
    async api<T>(method: string, path: string, body?: object) {
      const response = await customer.request(method, path, body);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    createSite: (settings) => customer.api('POST', '/sites', settings),
    async upload(siteId, text, title) {
      const form = new FormData();
      form.append('metadata', JSON.stringify({ title }));
      form.append('file', new Blob([text], { type: 'text/plain' }), `${title}.txt`);
      const { uploadId } = await customer.api<{ uploadId: string }>(
        'POST',
        `/sites/${siteId}/knowledge`,
        form,
      );
      const path = `/api/v1/aimee/sites/${siteId}/uploads/${uploadId}`;
      const headers = { 'x-jf-apikey': apiKey, accept: 'text/event-stream' };
      const progress = await (await fetch(`${platform().url}${path}`, { headers })).text();
      if (!progress.includes('"status":"completed"')) throw new Error(progress);
    },
    async conversations(siteId) {
      const all: AimeeConversations['conversations'] = [];
      const path = `/sites/${siteId}/conversations?limit=100`;
      for (let page = await customer.api<AimeeConversations>('GET', path); ;) {
        all.push(...page.conversations);
        if (page.next === null) return all;
        page = await customer.api<AimeeConversations>('GET', `${path}&cursor=${page.next}`);
      }
    },
    async idOf(siteId, { reference }) {
      return (await customer.conversations(siteId)).find((one) => one.reference === reference)?.id ?? '';
    },
    hear: (saying) => chat(platform().url, saying),
  };
  return customer;
}

/** A customer of an account of his own. */
export async function newCustomer(platform: () => Platform, owner: Client, name: string): Promise<Customer> {
  const body = JSON.stringify({ type: 'user', name, email: `${name}@example.org` });
  const response = await owner.core('POST', '/entity', body);
  return customerOf(platform, ((await response.json()) as { password: string }).password);
}
