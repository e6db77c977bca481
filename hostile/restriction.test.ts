import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerOf } from '../acceptance/aimee-customer.ts';
import { send } from '../acceptance/aimee-visitor.ts';
import {
  type AimeeGrant,
  RightsState,
  apiV1Routes,
  copyRoutes,
  profileRoutes,
  rightsRoutes,
} from '../contract/index.ts';
import { type Platform, createClient } from '../testkit/index.ts';
import { NAMING, ROUTES, type Route, ask } from './every-route.ts';
import { type Credential, type Tenant, moveIn, signIn, startBuilding } from './tenant.ts';

/**
 * Data whose use is restricted is kept and nothing else: all routes of the contract, so that a new one is held to it, for
 * its holder, for others and for staff.
 */
let platform: Platform;
let ann: Tenant;
let bob: Tenant;
/** Of before. */
let token: string;
let grant: AimeeGrant;
/** Id of Ann's function as it is called. */
let deployment = '';

const keyOf = ({ customer }: Tenant): Credential => ({ 'x-jf-apikey': customer.apiKey });
const shortnameOf = ({ names }: Tenant): string => names('')['shortname'] ?? '';
const api = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${platform.url}/api/v1${path}`, { headers: keyOf(ann), ...init });

async function setRestriction(method: 'POST' | 'DELETE'): Promise<void> {
  expect((await api('/rights/restriction', { method })).status).toBe(200);
}

beforeAll(async () => {
  platform = await startBuilding();
  [ann, bob] = await Promise.all([moveIn(platform, 'ann'), moveIn(platform, 'bob')]);
  const owner = createClient(platform.url, ann.customer.apiKey);
  token = await owner.token();
  expect((await owner.core('PUT', `/library/publish/${shortnameOf(ann)}`)).status).toBe(200);
  const { conversationId = '' } = ann.names('/api/v1/aimee/');
  const lent = { site: ann.site.id, conversations: [conversationId], reason: 'Ticket 12', minutes: 30 };
  grant = await ann.customer.api<AimeeGrant>('POST', '/grants', lent);
  await expectUse(200);
  await setRestriction('POST');
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

/** What goes on, as the contract says. */
const OWN_ACTS = Object.entries({ ...rightsRoutes, ...copyRoutes, ...apiV1Routes, ...profileRoutes }).flatMap(
  ([name, route]) => ('ownAct' in route ? [name] : []),
);
/** Nothing of them is about an account's data: who somebody is, and what the installation can do. */
const OF_NOBODY = [
  'validate',
  'createSignInLink',
  'getSession',
  'unlockSession',
  'createSessionToken',
  'endSession',
  'listRuntimes',
  'listAiModels',
  'exists',
];
const CLOSED = ROUTES.filter(
  ({ isOpen, operationId }) => !isOpen && ![...OWN_ACTS, ...OF_NOBODY].includes(operationId),
);

/** Good ones: what is not valid is refused before anybody asks whose it is. */
const BODIES: Record<string, object> = {
  aiQuery: { query: 'Which valve?' },
  createSqlDatabase: { name: 'new' },
  createVectorDatabase: { name: 'new' },
  askSql: { question: 'Which valve?' },
  updateMe: { name: 'Ann', email: 'ann@example.com' },
  addToolSource: { name: 'outside', url: 'https://tools.example.com/mcp' },
};
/** Of the owner of the installation alone, or with parameters in their query. */
const NOT_ASKED = [403, 400];

async function statusesOf(routes: readonly Route[], headers: Credential): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  for (const route of routes) {
    const body = BODIES[route.operationId];
    const asked = { names: ann.names, headers, ...(body !== undefined && { body }) };
    statuses[route.operationId] = (await ask(platform.url, route, asked)).status;
  }
  return statuses;
}

function expectClosed(statuses: Record<string, number>): void {
  const odd = Object.entries(statuses).filter(([, status]) => ![423, ...NOT_ASKED].includes(status));
  expect(odd).toEqual([]);
}

describe('restricted data', () => {
  it('is out of reach on every route but those for acts of its holder', async () => {
    const byKey = await statusesOf(CLOSED, keyOf(ann));
    expectClosed(byKey);
    // None of what names something of hers was spared by a fault of the request.
    const naming = NAMING.filter((route) => CLOSED.includes(route) && byKey[route.operationId] === 400);
    expect(naming.map(({ operationId }) => operationId)).toEqual([]);
    expectClosed(await statusesOf(CLOSED, await signIn(platform.url, ann.customer)));
    expectClosed(
      await statusesOf(
        CLOSED.filter(({ takesToken }) => takesToken),
        { jfwt: token },
      ),
    );
  });

  it('is out of reach where its name is a parameter', async () => {
    const path = `/auth-service/v1/lookup?id=${shortnameOf(ann)}`;
    expect((await fetch(`${platform.url}${path}`, { headers: keyOf(ann) })).status).toBe(423);
  });

  it('is shown to its holder, who sees since when it rests', async () => {
    for (const path of ['/me', '/profile', '/rights/requests']) expect((await api(path)).status).toBe(200);
    const state = RightsState.parse(await (await api('/rights')).json());
    expect(Date.parse(state.restricted?.since ?? '')).toBeLessThanOrEqual(Date.now());
    const session = await signIn(platform.url, ann.customer);
    expect((await api('/session', { headers: session })).status).toBe(200);
    const copy = await api('/rights/copy');
    expect([
      copy.status,
      Buffer.from(await copy.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ]).toEqual([200, 'PK']);
    // To restrict again changes nothing.
    await setRestriction('POST');
  });

  it('is of no use to others: not its functions, not its assistants, not to staff', async () => {
    await expectUse(423);
    const support = `/aimee/support/grants/${grant.id}/conversations/${grant.conversations[0] ?? ''}`;
    const staff = { 'x-jf-apikey': platform.apiKey };
    expect((await api(support, { headers: staff })).ok).toBe(false);
    const library = await (await api('/functions', { headers: keyOf(bob) })).text();
    expect(library).toContain(shortnameOf(bob));
    expect(library).not.toContain(shortnameOf(ann));
    const people = await (await createClient(platform.url, platform.apiKey).core('GET', '/entity')).text();
    expect(people).toContain('bob@example.org');
    expect(people).not.toContain('ann@example.org');
  });

  it('rests over a restart, and is as it was once the restriction is lifted', async () => {
    await platform.stop();
    platform = await startBuilding(platform.dataDir);
    await expectUse(423);
    expect((await api('/calls')).status).toBe(423);
    await setRestriction('DELETE');
    await expectUse(200);
    const state = RightsState.parse(await (await api('/rights')).json());
    expect(state.restricted).toBeNull();
    const { conversationId = '' } = ann.names('/api/v1/aimee/');
    const conversations = await customerOf(() => platform, ann.customer.apiKey).conversations(ann.site.id);
    expect(conversations.map(({ id }) => id)).toContain(conversationId);
    expect((await api('/vectors')).status).toBe(200);
  });
});

/** Ann's published function, called by Bob, and her assistant, asked by a visitor. */
async function expectUse(status: number): Promise<void> {
  const found = await api(`/functions/${shortnameOf(ann)}`);
  if (found.ok) {
    const { versions } = (await found.json()) as { versions: { deployments: { id: string }[] }[] };
    deployment = versions[0]?.deployments[0]?.id ?? '';
  }
  const jfwt = await createClient(platform.url, bob.customer.apiKey).token();
  const call = await fetch(`${platform.url}/${deployment}`, { headers: { jfwt } });
  const said = await send(platform.url, 'messages', { site: ann.site.id, text: 'Hello?' });
  await Promise.all([call.text(), said.text()]);
  expect({ call: call.status, message: said.status }).toEqual({ call: status, message: status });
}
