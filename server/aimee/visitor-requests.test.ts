import { describe, expect, it } from 'vitest';
import type { RightKind } from '../rights/request.ts';
import type { Site } from './sites.ts';
import { type AimeeRig, type Customer, newCustomer, startAimee } from './testing/aimee-rig.ts';
import type { VisitorRequestForm } from './visitor-requests.ts';
import type { Answered } from './visitors.ts';

const DAY_MS = 86_400_000;

interface Visited {
  readonly rig: AimeeRig;
  readonly customer: Customer;
  readonly site: Site;
  readonly said: Answered;
  /** A request of the visitor, carried out. */
  readonly ask: (kind: RightKind, more?: Partial<VisitorRequestForm>) => ReturnType<Requests['begin']>;
}
type Requests = AimeeRig['aimee']['visitorRequests'];

/** A customer, his site, and a visitor who has asked about the red valve. */
async function visited(): Promise<Visited> {
  const rig = await startAimee();
  const customer = newCustomer();
  const site = await rig.createSite(customer, { retentionDays: 10 });
  const said = await rig.say(site, 'Where is the red valve?');
  const { reference } = said;
  return {
    rig,
    customer,
    site,
    said,
    ask: (kind, more = {}) =>
      rig.aimee.visitorRequests.begin(customer.holder, site.id, { kind, reference, carryOut: true, ...more }),
  };
}

describe('a visitor’s right', () => {
  it('to access is a copy of the one conversation, and ends with it', async () => {
    const { rig, customer, site, said, ask } = await visited();
    await rig.say(site, 'Somebody else asks.');
    const request = await ask('access');
    expect(request).toMatchObject({ state: 'running', reference: said.reference, daysLeft: 30 });
    const { visitorRequests } = rig.aimee;
    const { conversation } = await visitorRequests.copy(customer.holder, site.id, request.id);
    expect(conversation).toMatchObject({
      reference: said.reference,
      entries: [{ question: 'Where is the red valve?' }],
    });
    expect(JSON.stringify(conversation)).not.toContain('Somebody else');
    expect(await visitorRequests.list(site.accountId, site.id)).toMatchObject([{ state: 'done' }]);
  });

  it('to rectification is a note beside the message, sealed as that is, and in the copy', async () => {
    const { rig, customer, site, ask } = await visited();
    const note = { message: 1, text: 'I meant the blue one.' };
    expect(await ask('rectification', { note })).toMatchObject({ state: 'done' });
    const [id = ''] = await rig.ids(customer, site);
    const { notes, entries } = await rig.aimee.conversations.get(customer.holder, site.id, id);
    expect(notes).toEqual([{ entry: 1, text: 'I meant the blue one.' }]);
    expect(entries).toMatchObject([{ question: 'Where is the red valve?' }]);
    const stored = await rig.customers.use(site.accountId, (store) => store.conversations.notes(id as never));
    expect(Buffer.from(stored[0]?.sealed ?? []).includes('blue')).toBe(false);

    await expect(ask('rectification')).rejects.toMatchObject({ code: 'rights.note_missing' });
    await expect(ask('rectification', { note: { ...note, message: 7 } })).rejects.toMatchObject({
      code: 'rights.no_such_message',
    });
  });

  it('to erasure destroys the conversation; what was asked stays without naming it', async () => {
    const { rig, customer, site, said, ask } = await visited();
    const request = await ask('erasure');
    expect(request).toMatchObject({ state: 'done', reference: null, conversationId: null });
    expect(request.receipt).toMatch(/^ey/);
    expect(await rig.ids(customer, site)).toEqual([]);
    expect(JSON.stringify(await rig.aimee.visitorRequests.list(site.accountId, site.id))).not.toContain(
      said.reference,
    );
    await expect(ask('access')).rejects.toMatchObject({ code: 'conversation.not_found' });
  });

  it('to restriction keeps it from everybody: readers, searches, exports, support, retention, and itself', async () => {
    const { rig, customer, site, said, ask } = await visited();
    const { conversations, grants, purges } = rig.aimee;
    const { holder } = customer;
    const [id = ''] = await rig.ids(customer, site);
    const form = { site: site.id, conversations: [id], reason: 'Ticket 7', minutes: 5 };
    const grant = await grants.create(holder, form);
    await ask('restriction');

    await expect(conversations.get(holder, site.id, id)).rejects.toMatchObject({ code: 'aimee.restricted' });
    expect((await conversations.list(holder, site.id, { limit: 9 })).conversations).toMatchObject([
      { restricted: true, firstQuestion: '' },
    ]);
    expect((await conversations.search(holder, site.id, { text: 'valve', limit: 9 })).conversations).toEqual(
      [],
    );
    expect((await conversations.unanswered(holder, site.id)).questions).toEqual([]);
    const exported: string[] = [];
    for await (const piece of await conversations.export(holder, site.id, { format: 'json' }))
      exported.push(piece);
    expect(JSON.parse(exported.join(''))).toEqual([]);
    await expect(grants.read(grant.id, id)).rejects.toMatchObject({ code: 'grant.not_found' });
    await expect(grants.create(holder, form)).rejects.toMatchObject({ code: 'aimee.restricted' });
    // The visitor goes on in another conversation, and his rating does not change this one.
    const { ticket } = said;
    expect((await rig.say(site, 'And the pump?', { ticket })).reference).not.toBe(said.reference);
    const visit = { site: site.id, originIp: '192.0.2.1', ticket, message: 1, rating: 'up' } as const;
    await expect(rig.aimee.visitors.rate(visit)).rejects.toMatchObject({ code: 'conversation.not_found' });
    rig.time.advance(20 * DAY_MS);
    await purges.purge(site.accountId, site.id, { scope: 'all' });
    expect(await rig.ids(customer, site)).toEqual([id]);

    // The visitor himself may still have his copy, and lifting makes it what it was.
    const again = await rig.restart();
    const requests = again.aimee.visitorRequests;
    const ask2 = (kind: RightKind) =>
      requests.begin(holder, site.id, { kind, reference: said.reference, carryOut: true });
    const copy = await requests.copy(holder, site.id, (await ask2('access')).id);
    expect(copy.conversation.entries).toHaveLength(1);
    await expect(again.aimee.conversations.get(holder, site.id, id)).rejects.toMatchObject({
      code: 'aimee.restricted',
    });
    await ask2('lifting');
    expect((await again.aimee.conversations.get(holder, site.id, id)).entries).toHaveLength(1);
  });

  it('to objection takes it out of searches, overviews and statistics; the customer still reads it', async () => {
    const { rig, customer, site, said, ask } = await visited();
    const { conversations } = rig.aimee;
    const { holder } = customer;
    const [id = ''] = await rig.ids(customer, site);
    await ask('objection');
    const before = await conversations.statistics(site.accountId, site.id, {});
    await rig.say(site, 'Which valve again?', { ticket: said.ticket });
    expect((await conversations.search(holder, site.id, { text: 'valve', limit: 9 })).conversations).toEqual(
      [],
    );
    expect((await conversations.unanswered(holder, site.id)).questions).toEqual([]);
    expect(await conversations.statistics(site.accountId, site.id, {})).toEqual(before);
    expect((await conversations.get(holder, site.id, id)).entries).toHaveLength(2);
    await ask('withdrawal');
    expect(
      (await conversations.search(holder, site.id, { text: 'valve', limit: 9 })).conversations,
    ).toHaveLength(1);
  });

  it('is nobody’s who does not know the reference, and no other customer’s', async () => {
    const { rig, customer, site, ask } = await visited();
    await expect(ask('erasure', { reference: 'AAAA-BBBB-CCCC' })).rejects.toMatchObject({
      code: 'conversation.not_found',
    });
    const { id } = await ask('access');
    const other = newCustomer();
    const otherSite = await rig.createSite(other);
    const { visitorRequests } = rig.aimee;
    await expect(visitorRequests.copy(other.holder, site.id, id)).rejects.toMatchObject({
      code: 'site.not_found',
    });
    await expect(visitorRequests.copy(other.holder, otherSite.id, id)).rejects.toMatchObject({
      code: 'visitor_request.not_found',
    });
    await expect(ask('erasure', { receivedOn: '2099-01-01' })).rejects.toMatchObject({
      code: 'rights.bad_day',
    });
    expect(await rig.ids(customer, site)).toHaveLength(1);
  });
});

describe('a request of a visitor that waits', () => {
  it('has its month from the day on which it came, is extended once, and is carried out later', async () => {
    const { rig, customer, site, ask } = await visited();
    rig.time.advance(10 * DAY_MS - 3_600_001);
    const { visitorRequests: requests } = rig.aimee;
    const noted = await ask('erasure', { carryOut: false, receivedOn: '2026-11-25' });
    expect(noted).toMatchObject({ state: 'verified', dueOn: '2026-12-25' });
    expect(await ask('erasure', { carryOut: false })).toEqual(noted);
    const decision = { id: noted.id, reason: 'The site is closed over Christmas.' };
    expect(await requests.extend(site.accountId, site.id, decision)).toMatchObject({
      state: 'extended',
      dueOn: '2027-02-25',
    });
    await expect(requests.extend(site.accountId, site.id, decision)).rejects.toMatchObject({
      code: 'rights.already_extended',
    });
    expect(await requests.complete(customer.holder, site.id, { id: noted.id })).toMatchObject({
      state: 'done',
    });
    expect(await rig.ids(customer, site)).toEqual([]);
  });

  it('is refused with a reason and a receipt, and nothing is done', async () => {
    const { rig, customer, site, ask } = await visited();
    const { id } = await ask('erasure', { carryOut: false });
    const { visitorRequests: requests } = rig.aimee;
    const refused = await requests.refuse(site.accountId, site.id, { id, reason: 'A court wants it kept.' });
    expect(refused).toMatchObject({ state: 'refused', refusal: 'A court wants it kept.' });
    await expect(requests.complete(customer.holder, site.id, { id })).rejects.toMatchObject({
      code: 'rights.request_ended',
    });
    expect(await rig.ids(customer, site)).toHaveLength(1);
  });

  it('for a copy is not done without one', async () => {
    const { rig, customer, site, ask } = await visited();
    const { id } = await ask('portability', { carryOut: false });
    await expect(rig.aimee.visitorRequests.complete(customer.holder, site.id, { id })).rejects.toMatchObject({
      code: 'rights.copy_first',
    });
    await expect(
      rig.aimee.visitorRequests.copy(customer.holder, site.id, (await ask('objection')).id),
    ).rejects.toMatchObject({ code: 'rights.no_copy' });
  });

  it('is called out by the hourly round, once', async () => {
    const { rig, site, ask } = await visited();
    const { id } = await ask('erasure', { carryOut: false });
    rig.time.advance(21 * DAY_MS);
    await expect
      .poll(async () => {
        rig.time.advance(3_600_000);
        return await rig.aimee.visitorRequests.list(site.accountId, site.id);
      })
      .toMatchObject([{ id, reminder: 20 }]);
  });

  it('is called out while the use of its customer’s data is restricted, and nothing else is done', async () => {
    const { rig, customer, site, ask } = await visited();
    await ask('erasure', { carryOut: false });
    await rig.restriction.restrict(site.accountId);
    await expect(ask('erasure')).rejects.toMatchObject({ code: 'account.restricted' });
    rig.time.advance(21 * DAY_MS);
    await expect
      .poll(() => {
        rig.time.advance(3_600_000);
        return rig.events;
      })
      .toContainEqual({ name: 'rights.request_waits', day: 20 });
    const ids = await rig.restriction.asOwnAct(site.accountId, () => rig.ids(customer, site));
    expect(ids).toHaveLength(1);
  });
});
