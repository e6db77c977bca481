import { sql } from 'kysely';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CustomerTables } from '../stores/aimee-tables.ts';
import { customerMigrations } from '../stores/aimee-store.ts';
import { openEncrypted } from '../stores/sqlite.ts';
import { type AimeeRig, type Customer, newCustomer, startAimee } from './testing/aimee-rig.ts';
import type { Site } from './sites.ts';

async function lend(minutes = 10) {
  const rig = await startAimee();
  const customer = newCustomer();
  const site = await rig.createSite(customer);
  await rig.say(site, 'My name is Ann.');
  rig.time.advance(1000);
  await rig.say(site, 'My name is Bob.');
  const [kept = '', lent = ''] = await rig.ids(customer, site);
  const form = { site: site.id, conversations: [lent], reason: 'Ticket 7', minutes };
  const grant = await rig.aimee.grants.create(customer.holder, form);
  return { rig, customer, site, kept, lent, grant };
}

const events = async (rig: AimeeRig, { principal }: Customer): Promise<string[]> =>
  (await rig.aimee.grants.log(principal.accountId)).entries.map(({ event }) => event);

describe('a grant', () => {
  it('lends what it names until its time is over, and each read stands in the log before it is answered', async () => {
    const { rig, customer, kept, lent, grant } = await lend();
    const { grants } = rig.aimee;
    expect((await grants.read(grant.id, lent)).entries[0]).toMatchObject({ question: 'My name is Ann.' });
    await expect(grants.read(grant.id, kept)).rejects.toMatchObject({ code: 'grant.not_found' });
    expect(await events(rig, customer)).toEqual(['granted', 'read']);
    rig.time.advance(10 * 60_000);
    await expect(grants.read(grant.id, lent)).rejects.toMatchObject({ code: 'grant.not_found' });
    expect(grants.open()).toEqual([]);
    await expect.poll(() => events(rig, customer)).toEqual(['granted', 'read', 'ended']);
    const [shown] = await grants.list(customer.principal.accountId);
    expect(shown).toMatchObject({ reads: 1, ended: { by: 'time' } });
  });

  it('ends the moment its customer says so, for reads under way too', async () => {
    const { rig, customer, lent, grant } = await lend();
    const { grants } = rig.aimee;
    const reads = Array.from({ length: 5 }, () => grants.read(grant.id, lent));
    const ended = grants.end(customer.principal.accountId, grant.id);
    const outcomes = await Promise.allSettled(reads);
    expect((await ended).ended?.by).toBe('customer');
    const logged = (await events(rig, customer)).filter((event) => event === 'read').length;
    // Nothing is answered that is not in the log.
    expect(logged).toBeGreaterThanOrEqual(outcomes.filter(({ status }) => status === 'fulfilled').length);
    await expect(grants.read(grant.id, lent)).rejects.toMatchObject({ code: 'grant.not_found' });
    await expect(grants.end(newCustomer().principal.accountId, grant.id)).rejects.toMatchObject({
      code: 'grant.not_found',
    });
  });

  it('lends nothing that has been purged, and goes with a restart', async () => {
    const { rig, customer, site, lent, grant } = await lend();
    await rig.aimee.purges.purge(site.accountId, site.id, { scope: 'one', conversation: lent });
    await expect(rig.aimee.grants.read(grant.id, lent)).rejects.toMatchObject({ code: 'grant.not_found' });
    const again = await rig.restart();
    expect(again.aimee.grants.open()).toEqual([]);
    const [shown] = await again.aimee.grants.list(customer.principal.accountId);
    expect(shown?.ended?.by).toBe('restart');
  });

  it('needs the key of the account whose conversations it lends', async () => {
    const { rig, site, lent } = await lend();
    const form = { site: site.id, conversations: [lent], reason: 'Why', minutes: 1 };
    await expect(rig.aimee.grants.create(newCustomer().holder, form)).rejects.toMatchObject({
      code: 'site.not_found',
    });
    const impostor = { accountId: site.accountId, accountKey: newCustomer().holder.accountKey };
    await expect(rig.aimee.grants.create(impostor, form)).rejects.toMatchObject({ code: 'aimee.unreadable' });
  });
});

describe('the access log', () => {
  const EDITS: [what: string, statement: string][] = [
    ['a changed time', 'update access set at = at + 1 where number = 2'],
    [
      'another conversation',
      `update access set conversation_id = 'conv_00000000000000000000' where number = 2`,
    ],
    ['an entry that is gone', 'delete from access where number = 2'],
    ['a first entry that is gone', 'delete from access where number = 1'],
    ['another kind of event', `update access set event = 'granted' where number = 2`],
  ];

  it.each(EDITS)('shows %s', async (_what, statement) => {
    const { rig, customer, site, lent, grant } = await lend();
    await rig.aimee.grants.read(grant.id, lent);
    await rig.aimee.grants.read(grant.id, lent);
    const { accountId } = customer.principal;
    expect((await rig.aimee.grants.log(accountId)).isIntact).toBe(true);
    await edit(rig, site, statement);
    const again = await rig.restart();
    expect((await again.aimee.grants.log(accountId)).isIntact).toBe(false);
  });

  /** As somebody does who has the file and its key. */
  async function edit(rig: AimeeRig, { accountId }: Site, statement: string): Promise<void> {
    const store = await openEncrypted<CustomerTables>({
      name: 'aimee',
      path: join(rig.customers.directoryOf(accountId), 'aimee.db'),
      key: (await rig.keyRing.find(`aimee/${accountId}/file`)) ?? new Uint8Array(),
      migrations: customerMigrations,
    });
    await sql.raw(statement).execute(store.db);
    await store.close();
  }
});
