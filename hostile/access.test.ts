import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerOf } from '../acceptance/aimee-customer.ts';
import type { AimeeGrant, AimeeStatistics, AimeeSupportGrants } from '../contract/index.ts';
import { type Platform, createClient } from '../testkit/index.ts';
import { type Answer, NAMING, NOBODY, type Names, ROUTES, type Route, ask } from './every-route.ts';
import {
  type Credential,
  type Tenant,
  moveIn,
  revokedKey,
  signIn,
  signedOut,
  startBuilding,
} from './tenant.ts';

/**
 * All routes × all roles × ids of somebody else's and of nobody's: for whoever is not their owner, both are the same answer.
 */
let platform: Platform;
let ann: Tenant;
let bob: Tenant;

beforeAll(async () => {
  platform = await startBuilding();
  [ann, bob] = await Promise.all([moveIn(platform, 'ann'), moveIn(platform, 'bob')]);
});

afterAll(async () => {
  await platform.stop();
  platform.remove();
});

type Role = [who: string, () => Promise<Credential> | Credential];

const staff = () => customerOf(() => platform, platform.apiKey);

/** Somebody else, with everything he has. */
const OTHERS: readonly Role[] = [
  ['another customer', () => ({ 'x-jf-apikey': bob.customer.apiKey })],
  ['another customer in the portal', () => signIn(platform.url, bob.customer)],
  ['the owner of the installation', () => ({ 'x-jf-apikey': platform.apiKey })],
  ['the owner of the installation in the portal', () => signIn(platform.url, staff())],
];

/** Nobody, or somebody who is no longer: of the customer himself, even. */
const STRANGERS: readonly Role[] = [
  ['nobody', () => ({})],
  ['a visitor with the public key of a site', () => ({ 'x-jf-apikey': ann.site.id })],
  ['a visitor with the ticket of a conversation', () => ({ authorization: `Bearer ${ann.ticket}` })],
  ['a visitor with the reference of a conversation', () => ({ jfwt: ann.reference })],
  ['a session that was copied before it ended', () => signedOut(platform.url, ann.customer)],
  ['a revoked key', () => revokedKey(platform.url, ann.customer)],
  [
    'a page of another site in the browser of the customer',
    async () => ({ cookie: (await signIn(platform.url, ann.customer))['cookie'] ?? '' }),
  ],
];

/** For several routes, by what they are called. */
async function answersOf(
  routes: readonly Route[],
  { names }: Pick<Tenant, 'names'>,
  headers: Credential,
): Promise<Record<string, Answer>> {
  const answers: Record<string, Answer> = {};
  for (const route of routes) answers[route.operationId] = await ask(platform.url, route, { names, headers });
  return answers;
}

function statusesOf(answers: Record<string, Answer>): Record<string, number> {
  return Object.fromEntries(Object.entries(answers).map(([route, { status }]) => [route, status]));
}

/** There for its owner, so that it means something that it is not there for others. */
async function expectAllThere(): Promise<void> {
  const reading = NAMING.filter(
    ({ method, operationId }) => method === 'GET' && !ABSENT.includes(operationId),
  );
  const answers = await answersOf(reading, ann, { 'x-jf-apikey': ann.customer.apiKey });
  const statuses = statusesOf(answers);
  expect(statuses).toEqual(Object.fromEntries(Object.keys(statuses).map((route) => [route, 200])));
}

/** Of what is not there: a crawl that runs, an outside source, and what others lent. */
const ABSENT = ['getAimeeCrawl', 'inspectToolSource', 'readAimeeSupportConversation'];

/** Backups are the installation's. */
const OF_CUSTOMERS = NAMING.filter(({ path }) => !path.startsWith('/api/v1/backups/'));

describe('whatever a route names', () => {
  it('is there for its owner', expectAllThere);

  it.each(OTHERS)('is, for %s, what does not exist', async (_who, credential) => {
    await expectNothing(OF_CUSTOMERS, await credential());
  });

  it('is what does not exist for a token of another customer, where tokens count', async () => {
    const jfwt = await createClient(platform.url, bob.customer.apiKey).token();
    await expectNothing(
      OF_CUSTOMERS.filter(({ takesToken }) => takesToken),
      { jfwt },
    );
  });

  async function expectNothing(routes: readonly Route[], headers: Credential): Promise<void> {
    const foreign = await answersOf(routes, ann, headers);
    expect(foreign).toEqual(await answersOf(routes, { names: NOBODY }, headers));
    // What is the staff's is refused to customers, whatever it names.
    const own = await answersOf(routes, { names: NOBODY }, { 'x-jf-apikey': ann.customer.apiKey });
    const odd = Object.entries(statusesOf(foreign)).filter(
      ([route, status]) => status !== 404 && !(status === 403 && own[route]?.status === 403),
    );
    expect(odd).toEqual([]);
    await expectAllThere();
  }

  it('is refused to a token of its owner, where tokens do not count', async () => {
    const jfwt = await createClient(platform.url, ann.customer.apiKey).token();
    await expectRefused(
      ROUTES.filter(({ isOpen, takesToken }) => !isOpen && !takesToken),
      { jfwt },
    );
  });

  it.each(STRANGERS)('is refused to %s, as everything is', async (_who, credential) => {
    await expectRefused(
      ROUTES.filter(({ isOpen }) => !isOpen),
      await credential(),
    );
  });

  async function expectRefused(closed: readonly Route[], headers: Credential): Promise<void> {
    const foreign = await answersOf(closed, ann, headers);
    expect(foreign).toEqual(await answersOf(closed, { names: NOBODY }, headers));
    const odd = Object.entries(statusesOf(foreign)).filter(([, status]) => ![401, 403].includes(status));
    expect(odd).toEqual([]);
    await expectAllThere();
  }
});

describe('whatever names nothing', () => {
  it('tells of nobody but who asks', async () => {
    const lists = ROUTES.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
    for (const [who, credential] of OTHERS) {
      const answers = await answersOf(lists, bob, await credential());
      const told = Object.entries(answers).flatMap(([route, { body }]) =>
        ann.traces.filter((trace) => body.includes(trace)).map((trace) => [who, route, trace]),
      );
      expect(told).toEqual([]);
    }
  });
});

const keyOf = ({ customer }: Tenant): Credential => ({ 'x-jf-apikey': customer.apiKey });

describe('in a site of one’s own', () => {
  it('conversations, documents, uploads and grants of others are what does not exist', async () => {
    const inside = NAMING.filter(({ path }) => /\{siteId\}.*\{/.test(path));
    expect(inside.length).toBeGreaterThan(3);
    const headers = keyOf(bob);
    for (const route of inside) {
      const answers = [ann.names, NOBODY].map(async (names) => {
        const inOwn: Names = (path) => ({ ...names(path), siteId: bob.site.id });
        return await ask(platform.url, route, { names: inOwn, headers });
      });
      const [foreign, missing] = await Promise.all(answers);
      expect([route.operationId, foreign]).toEqual([route.operationId, missing]);
      expect([route.operationId, foreign?.status]).toEqual([route.operationId, 404]);
    }
  });

  it('nothing of others can be purged, or lent to the staff', async () => {
    const { conversationId = '' } = ann.names('/api/v1/aimee/');
    const { conversationId: none = '' } = NOBODY('/api/v1/aimee/');
    const lent = { site: bob.site.id, reason: 'Ticket 12', minutes: 30 };
    const pairs: [path: string, foreign: object, missing: object][] = [
      [
        `/sites/${bob.site.id}/purge`,
        { scope: 'one', conversation: conversationId },
        { scope: 'one', conversation: none },
      ],
      [
        `/sites/${bob.site.id}/purge`,
        { scope: 'reference', reference: ann.reference },
        { scope: 'reference', reference: 'AAAA-AAAA-AAAA' },
      ],
      ['/grants', { ...lent, conversations: [conversationId] }, { ...lent, conversations: [none] }],
      [
        '/grants',
        { ...lent, site: ann.site.id, conversations: [conversationId] },
        { ...lent, site: NOBODY('')['siteId'], conversations: [conversationId] },
      ],
    ];
    for (const [path, ...bodies] of pairs) {
      const answers = await Promise.all(bodies.map((body) => bob.customer.request('POST', path, body)));
      expect(answers.map(({ status }) => status)).toEqual([404, 404]);
      const [foreign, missing] = await Promise.all(answers.map((answer) => answer.text()));
      expect(foreign).toBe(missing);
    }
    const [conversation] = await ann.customer.conversations(ann.site.id);
    expect(conversation?.id).toBe(conversationId);
  });

  it('only one’s own is counted: there is no route over several sites, and no figure over several customers', async () => {
    const telling = /statistics|unanswered|export|search|conversations/;
    const over = ROUTES.filter(({ path }) => path.startsWith('/api/v1/aimee/') && telling.test(path));
    expect(over.filter(({ path }) => !/\{siteId\}|\{grantId\}/.test(path))).toEqual([]);
    const { total } = await bob.customer.api<AimeeStatistics>('GET', `/sites/${bob.site.id}/statistics`);
    expect(total).toMatchObject({ conversations: 1, messages: 1 });
    const metrics = await (await fetch(`${platform.url}/metrics`)).text();
    expect(metrics).not.toMatch(/site_|conv_|acct_/);
  });
});

describe('a grant', () => {
  const route = NAMING.find(({ operationId }) => operationId === 'readAimeeSupportConversation') as Route;
  const read = (grantId: string, conversationId: string, headers: Credential): Promise<Answer> =>
    ask(platform.url, route, { names: () => ({ grantId, conversationId }), headers });

  it('lets the owner read what it names, and is nothing before, after, and for any other one', async () => {
    const headers = { 'x-jf-apikey': platform.apiKey };
    const [own = '', others = '', none = ''] = [ann.names, bob.names, NOBODY].map(
      (names) => names('/api/v1/aimee/')['conversationId'],
    );
    const endedGrants = [ann, bob].map(({ names }) => names('/api/v1/aimee/')['grantId'] ?? '');
    const lent = { site: ann.site.id, conversations: [own], reason: 'Ticket 12', minutes: 30 };
    const { id } = await ann.customer.api<AimeeGrant>('POST', '/grants', lent);
    const nothing = await read(NOBODY('')['grantId'] ?? '', none, headers);
    expect(nothing.status).toBe(404);
    expect((await read(id, own, headers)).body).toContain('What did ann say?');
    const { grants } = await staff().api<AimeeSupportGrants>('GET', '/support/grants');
    expect(grants.map((grant) => grant.id)).toEqual([id]);
    for (const conversation of [others, none]) expect(await read(id, conversation, headers)).toEqual(nothing);
    for (const ended of endedGrants)
      for (const conversation of [own, others])
        expect(await read(ended, conversation, headers)).toEqual(nothing);
    // A session of the portal that was copied counts as long as its owner is signed in.
    expect((await read(id, own, await signedOut(platform.url, staff()))).status).toBe(401);
    expect((await read(id, own, keyOf(bob))).status).toBe(403);
    await ann.customer.api('DELETE', `/grants/${id}`);
    expect(await read(id, own, headers)).toEqual(nothing);
  });
});
