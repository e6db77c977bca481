import { describe, expect, it } from 'vitest';
import type { ConversationId } from '../kernel/ids.ts';
import { ringHalfOf } from './conversation-keys.ts';
import { newCustomer, startAimee } from './testing/aimee-rig.ts';

const DAY_MS = 86_400_000;
const claimsOf = (receipt: string): unknown =>
  JSON.parse(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString());

describe('a purge', () => {
  it('destroys exactly what it says, keys first, and leaves statistics as they are', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    const { accountId } = site;
    const { conversations, purges } = rig.aimee;
    const first = await rig.say(site, 'one');
    rig.time.advance(DAY_MS);
    await rig.say(site, 'two');
    rig.time.advance(DAY_MS);
    const last = await rig.say(site, 'three');
    const [third, second, one] = await rig.ids(customer, site);
    const statistics = await conversations.statistics(accountId, site.id, {});
    expect(statistics.days.map(({ messages }) => messages)).toEqual([1, 1, 1]);
    const halves = (ids: readonly (ConversationId | undefined)[]) =>
      Promise.all(
        ids.map(async (conversationId) => {
          const place = { accountId, conversationId: conversationId ?? ('' as ConversationId) };
          return (await rig.keyRing.find(ringHalfOf(place))) !== undefined;
        }),
      );

    const range = { scope: 'range', from: '2026-11-24', to: '2026-11-24' } as const;
    const purged = await purges.purge(accountId, site.id, range);
    expect(claimsOf(purged.receipt)).toEqual({
      event: 'aimee.conversations_purged',
      site: site.id,
      scope: 'range',
      conversations: 1,
      at: '2026-11-25T12:00:00.000Z',
    });
    expect(await rig.ids(customer, site)).toEqual([third, one]);
    expect(await halves([third, second, one])).toEqual([true, false, true]);
    const { reference } = last;
    await purges.purge(accountId, site.id, { scope: 'reference', reference });
    expect(await rig.ids(customer, site)).toEqual([one]);
    await expect(purges.purge(accountId, site.id, { scope: 'reference', reference })).rejects.toMatchObject({
      code: 'conversation.not_found',
    });
    expect((await purges.purge(accountId, site.id, { scope: 'all' })).conversations).toBe(1);
    expect(await halves([third, second, one])).toEqual([false, false, false]);
    expect(await conversations.statistics(accountId, site.id, {})).toEqual(statistics);
    // A ticket from before begins anew.
    expect((await rig.say(site, 'again', { ticket: first.ticket })).reference).not.toBe(first.reference);
  });

  it('meets a conversation that goes on in the same moment, and nothing of it comes back', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    const { ticket } = await rig.say(site, 'one');
    const [before] = await rig.ids(customer, site);
    const going = Array.from({ length: 20 }, (_, at) => rig.say(site, `more ${at}`, { ticket }));
    const purging = rig.aimee.purges.purge(site.accountId, site.id, { scope: 'all' });
    await Promise.all([...going, purging]);
    expect(await rig.ids(customer, site)).not.toContain(before);
    for (const id of await rig.ids(customer, site))
      expect((await rig.aimee.conversations.get(customer.holder, site.id, id)).entries.length).toBe(1);
  });

  it('shows the customer who looks meanwhile all of it or nothing, and never one without its words', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    // More than one statement's worth, so that others have the thread in between.
    const count = 1100;
    await Promise.all(Array.from({ length: count }, (_, at) => rig.say(site, `question ${at}`)));
    const purging = rig.aimee.purges.purge(site.accountId, site.id, { scope: 'all' });
    const seen = new Set<number>();
    for (let isOver = false; !isOver;) {
      const page = { limit: count };
      const { conversations } = await rig.aimee.conversations.list(customer.holder, site.id, page);
      seen.add(conversations.length);
      isOver = conversations.length === 0;
      expect(conversations.every(({ firstQuestion }) => firstQuestion.startsWith('question'))).toBe(true);
    }
    expect((await purging).conversations).toBe(count);
    expect([...seen].filter((length) => length !== count)).toEqual([0]);
  });

  it('comes by itself when the retention of a site is over', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const [short, long] = [
      await rig.createSite(customer, { retentionDays: 2 }),
      await rig.createSite(customer, { retentionDays: null }),
    ];
    await rig.say(short, 'old');
    await rig.say(long, 'old');
    rig.time.advance(2 * DAY_MS);
    await expect
      .poll(async () => {
        rig.time.advance(3_600_000);
        return await rig.ids(customer, short);
      })
      .toEqual([]);
    expect(await rig.ids(customer, long)).toHaveLength(1);
  });
});

describe('statistics', () => {
  it('count each message, rating and hand-over once, and can be reset without touching conversations', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const handOver = { kind: 'email', email: 'office@example.com' } as const;
    const site = await rig.createSite(customer, { handOver });
    const { visitors, conversations, purges } = rig.aimee;
    const visit = { site: site.id, originIp: '192.0.2.1' };
    const { ticket } = await rig.say(site, 'one');
    await rig.say(site, 'two', { ticket });
    for (const rating of ['up', 'up', 'down', 'none', 'up'] as const)
      await visitors.rate({ ...visit, ticket, message: 1, rating });
    await visitors.handOver({ ...visit, ticket, email: 'ann@example.org', text: 'Call.', turns: [] });
    const total = { conversations: 1, messages: 2, answered: 0, unanswered: 2, up: 1, down: 0, handOvers: 1 };
    expect((await conversations.statistics(site.accountId, site.id, {})).total).toEqual(total);
    const [id] = await rig.ids(customer, site);
    await purges.resetStatistics(site.accountId, site.id);
    expect((await conversations.statistics(site.accountId, site.id, {})).days).toEqual([]);
    expect(await rig.ids(customer, site)).toEqual([id]);
    // A rating that is taken back after the reset counts nothing below zero.
    await visitors.rate({ ...visit, ticket, message: 1, rating: 'none' });
    expect((await conversations.statistics(site.accountId, site.id, {})).total.up).toBe(0);
    for (const message of [2 + 1, 99])
      await expect(visitors.rate({ ...visit, ticket, message, rating: 'up' })).rejects.toMatchObject({
        code: 'conversation.not_found',
      });
  });
});

describe('a search', () => {
  it('looks into so many conversations at a time and goes on where it stopped', async () => {
    const rig = await startAimee({ searchedMax: 4 });
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    for (let at = 0; at < 10; at++) {
      await rig.say(site, at % 3 === 0 ? `Zanzibar ${at}` : `other ${at}`);
      rig.time.advance(1000);
    }
    const questions: string[] = [];
    let searched = 0;
    for (let cursor: string | undefined, isMore = true; isMore;) {
      const page = { text: 'ZANZIBAR', limit: 100, cursor };
      const found = await rig.aimee.conversations.search(customer.holder, site.id, page);
      questions.push(...found.conversations.map(({ firstQuestion }) => firstQuestion));
      searched += found.searched;
      cursor = found.next ?? undefined;
      isMore = found.next !== null;
    }
    expect(questions).toEqual(['Zanzibar 9', 'Zanzibar 6', 'Zanzibar 3', 'Zanzibar 0']);
    expect(searched).toBe(10);
  });

  it('finds what was added since, and nothing of what was purged', async () => {
    const rig = await startAimee();
    const customer = newCustomer();
    const site = await rig.createSite(customer);
    const { ticket } = await rig.say(site, 'hello');
    const find = async (text: string): Promise<number> =>
      (await rig.aimee.conversations.search(customer.holder, site.id, { text, limit: 10 })).conversations
        .length;
    expect(await find('zanzibar')).toBe(0);
    await rig.say(site, 'Zanzibar', { ticket });
    expect(await find('zanzibar')).toBe(1);
    await rig.aimee.purges.purge(site.accountId, site.id, { scope: 'all' });
    expect(await find('zanzibar')).toBe(0);
  });
});

describe('an export', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '%0A', '|cmd'])(
    'holds %j as text that no spreadsheet computes',
    async (text) => {
      const rig = await startAimee();
      const customer = newCustomer();
      const site = await rig.createSite(customer);
      await rig.say(site, text);
      const pieces = await rig.aimee.conversations.export(customer.holder, site.id, { format: 'csv' });
      let csv = '';
      for await (const piece of pieces) csv += piece;
      const [, line = ''] = csv.split('\r\n');
      expect(line).toMatch(/,"?'/);
      expect(line).not.toMatch(/,"?\s*[=+\-@%|]/);
    },
  );
});

describe('mails', () => {
  it('tell that a visitor asks and nothing of the conversation, again and again until one goes out', async () => {
    const rig = await startAimee();
    const handOver = { kind: 'email', email: 'office@example.com' } as const;
    const site = await rig.createSite(newCustomer(), { handOver });
    const { ticket } = await rig.say(site, 'CANARY question');
    let failures = 2;
    const tried = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    rig.beforeMail = async () => {
      tried[2 - failures]?.resolve();
      if (failures-- > 0) throw new Error('no route');
    };
    const turns = [{ role: 'visitor' as const, text: 'CANARY question' }];
    const visit = { site: site.id, originIp: '192.0.2.1', ticket, turns };
    await rig.aimee.visitors.handOver({ ...visit, email: 'ann@example.org', text: 'Call me.' });
    for (const [at, delayMs] of [0, 60_000, 600_000].entries()) {
      rig.time.advance(delayMs);
      await tried[at]?.promise;
      await Promise.resolve();
    }
    await expect.poll(() => rig.mails.length).toBe(1);
    expect(rig.mails[0]).toMatchObject({ to: 'office@example.com', replyTo: 'ann@example.org' });
    expect(rig.mails[0]?.text).toContain('Call me.');
    expect(JSON.stringify(rig.mails)).not.toContain('CANARY');
  });
});
