import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { notFound } from '../kernel/errors.ts';
import type { ConversationId } from '../kernel/ids.ts';
import { joinHalves, newHalf, openContent, ringHalfOf } from './conversation-keys.ts';
import { type Customer, newCustomer, startAimee } from './testing/aimee-rig.ts';
import type { Site } from './sites.ts';

const CANARY = 'canary-5e77ed';

function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });
}

describe('fifty customers at once', () => {
  it('get each their own visitors’ messages and no other, though many are called off midway', async () => {
    const rig = await startAimee({ openCustomersMax: 8 });
    const customers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const customer = newCustomer();
        return { customer, site: await rig.createSite(customer), said: new Map<string, string>() };
      }),
    );
    let abandoned = 0;
    const visit = async (at: number, round: number): Promise<void> => {
      const own = customers[at];
      if (own === undefined) return;
      const text = `${CANARY} of customer ${at} in round ${round}`;
      const leaving = new AbortController();
      const message = { site: own.site.id, originIp: `198.51.100.${at}`, turns: [], text };
      const { answer } = await rig.aimee.visitors.message(message);
      const answered = answer(() => (round % 5 === 3 ? leaving.abort() : undefined), leaving.signal);
      const outcome = await answered.catch(() => undefined);
      if (outcome === undefined) abandoned++;
      else own.said.set(outcome.reference, text);
    };
    const order = Array.from({ length: 50 * 6 }, (_, at) => at).toSorted((a, b) => hash(a) - hash(b));
    await Promise.all(order.map((at) => visit(at % 50, Math.floor(at / 50))));

    expect(abandoned).toBe(50);
    for (const { customer, site, said } of customers) {
      const kept = new Map<string, string>();
      const { conversations } = await rig.aimee.conversations.list(customer.holder, site.id, { limit: 100 });
      for (const { reference, firstQuestion } of conversations) kept.set(reference, firstQuestion);
      expect(kept).toEqual(said);
    }
    expect(filesWith(rig.directory, CANARY)).toEqual([]);
  });

  /** A fixed order that looks like none. */
  const hash = (value: number): number => (value * 2_654_435_761) % 4_294_967_296;
});

describe('a conversation', () => {
  it('opens with both halves of its key and with neither alone', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    await rig.say(site, CANARY);
    const { accountId } = site;
    const [id = '' as ConversationId] = await rig.ids(customer, site);
    const [entry] = await rig.customers.use(accountId, (store) => store.conversations.entries(id));
    const ringHalf = await rig.keyRing.find(ringHalfOf({ accountId, conversationId: id }));
    const sealed = entry?.sealed ?? new Uint8Array();
    for (const key of [ringHalf, joinHalves(ringHalf ?? newHalf(), newHalf())])
      expect(() => openContent(key ?? newHalf(), id, sealed)).toThrow('does not open');
    // Neither does it for somebody who has the service's keys and another account key.
    const impostor = { accountId, accountKey: newCustomer().holder.accountKey };
    await expect(rig.aimee.conversations.get(impostor, site.id, id)).rejects.toMatchObject({
      code: 'aimee.unreadable',
    });
    expect((await rig.aimee.conversations.get(customer.holder, site.id, id)).entries).toHaveLength(1);
  });

  it('is nobody else’s, whichever way he asks', async () => {
    const rig = await startAimee();
    const [ann, bob] = [newCustomer(), newCustomer()];
    const [site, own] = [await rig.createSite(ann), await rig.createSite(bob)];
    const { ticket } = await rig.say(site, CANARY);
    const [id = ''] = await rig.ids(ann, site);
    const { conversations, purges, grants, sites } = rig.aimee;
    const ask = {
      get: () => conversations.get(bob.holder, own.id, id),
      purge: () => purges.purge(bob.principal.accountId, own.id, { scope: 'one', conversation: id }),
    };
    for (const refused of [ask.get(), ask.purge()])
      await expect(refused).rejects.toMatchObject({ code: 'conversation.not_found' });
    const foreign = (by: Customer, to: Site): Promise<unknown>[] => [
      sites.get(by.principal.accountId, to.id),
      sites.update(by.principal, to.id, to),
      rig.aimee.deleteSite(by.principal.accountId, to.id),
      conversations.list(by.holder, to.id, { limit: 1 }),
      conversations.search(by.holder, to.id, { text: CANARY, limit: 1 }),
      conversations.export(by.holder, to.id, { format: 'json' }),
      conversations.unanswered(by.holder, to.id),
      conversations.statistics(by.principal.accountId, to.id, {}),
      purges.purge(by.principal.accountId, to.id, { scope: 'all' }),
      purges.resetStatistics(by.principal.accountId, to.id),
      grants.create(by.holder, { site: to.id, conversations: [id], reason: 'Why', minutes: 1 }),
    ];
    for (const refused of foreign(bob, site)) await expect(refused).rejects.toEqual(notFound('site'));
    const visit = { site: own.id, originIp: '192.0.2.1' };
    await expect(
      rig.aimee.visitors.rate({ ...visit, ticket, message: 1, rating: 'up' }),
    ).rejects.toMatchObject({ code: 'conversation.not_found' });
  });

  it('is not begun by a message that nobody waits for', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    const left = AbortSignal.abort();
    const { answer } = await rig.aimee.visitors.message({
      site: site.id,
      originIp: '192.0.2.1',
      turns: [],
      text: 'Hello',
    });
    await expect(answer(() => undefined, left)).rejects.toMatchObject({ code: 'aimee.cancelled' });
    expect(await rig.ids(customer, site)).toEqual([]);
    expect(rig.records).toMatchObject([{ accountId: site.accountId, originIp: '192.0.2.1', ok: false }]);
  });
});
