import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../acceptance/aimee-visitor.ts';
import type { AimeeGrant, RightsState } from '../contract/index.ts';
import { rightsRoutes, apiV1Routes, profileRoutes } from '../contract/index.ts';
import { type Client, type Platform, createClient, startPlatform } from '../testkit/index.ts';
import { type Answer, ROUTES, type Route, ask } from './every-route.ts';
import { type Tenant, moveIn, signIn, startBuilding } from './tenant.ts';

/** Data whose use is restricted is kept, and nothing else: every route, for its holder, for others and for staff. */
let platform: Platform;
let ann: Tenant;
let bob: Client;
let url: string;

const headersOf = ({ customer }: Tenant): Record<string, string> => ({ 'x-jf-apikey': customer.apiKey });

async function setRestriction(method: 'POST' | 'DELETE'): Promise<void> {
  const answer = await fetch(`${platform.url}/api/v1/rights/restriction`, {
    method,
    headers: headersOf(ann),
  });
  expect(answer.status).toBe(200);
}

/** Ann's one function, and what a visitor of her site says. */
async function useByOthers(): Promise<Record<string, number>> {
  const call = await fetch(url, { headers: { jfwt: await bob.token() } });
  const said = await send(platform.url, `/aimee/v1/sites/${ann.site.id}/messages`, { text: 'Hello?' });
  await Promise.all([call.text(), said.text()]);
  return { call: call.status, message: said.status };
}

beforeAll(async () => {
  platform = await startBuilding();
  ann = await moveIn(platform, 'ann');
  const other = await moveIn(platform, 'bob');
  bob = createClient(platform.url, other.customer.apiKey);
  const shortname = ann.names('')['shortname'] ?? '';
  const owner = createClient(platform.url, ann.customer.apiKey);
  await owner.core('POST', `/library/${shortname}/publish`);
  const found = await fetch(`${platform.url}/api/v1/functions/${shortname}`, { headers: headersOf(ann) });
  const { versions } = (await found.json()) as { versions: { deployments: { url: string }[] }[] };
  url = versions[0]?.deployments[0]?.url ?? '';
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

/** What goes on: one's own acts, by the contract; sign-in; and what tells of no account. */
const OWN = new Set(
  Object.entries({ ...rightsRoutes, ...apiV1Routes, ...profileRoutes }).flatMap(([name, route]) =>
    'ownAct' in route ? [name] : [],
  ),
);
const SIGN_IN = [
  'createSignInLink',
  'validateApiKey',
  'getSession',
  'unlockSession',
  'endSession',
  'createSessionToken',
];

async function answers(headers: Record<string, string>): Promise<Record<string, Answer>> {
  const all: Record<string, Answer> = {};
  for (const route of ROUTES.filter(({ isOpen, operationId }) => !isOpen && !OWN.has(operationId))) {
    all[route.operationId] = await ask(platform.url, route, { names: ann.names, headers });
  }
  return all;
}

describe('debug', () => {
  it('shows', async () => {
    console.log(await useByOthers());
    await setRestriction('POST');
    console.log(await useByOthers());
    const all = await answers(headersOf(ann));
    for (const [name, { status, body }] of Object.entries(all))
      if (status !== 423) console.log(name, status, body.slice(0, 150));
  });
});
