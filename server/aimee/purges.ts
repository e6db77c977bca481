import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import { ringHalfOf } from './conversation-keys.ts';
import type { Doomed } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { spanOf } from './days.ts';
import type { OpenedTexts } from './opened-texts.ts';
import type { Site, Sites } from './sites.ts';
import { parseReference } from './tickets.ts';

/** Days are UTC, both included. */
export type PurgeForm =
  | { readonly scope: 'all' }
  | { readonly scope: 'range'; readonly from: string; readonly to: string }
  | { readonly scope: 'one'; readonly conversation: string }
  | { readonly scope: 'reference'; readonly reference: string };

/** Destroys, at once and for good, and says so with a receipt. Sites of others reject with `site.not_found`. */
export interface Purges {
  /**
   * Statistics stay. Resolves when no key of the conversations is left anywhere. Rejects with `conversation.not_found` when
   * one is named that is not there.
   */
  purge(
    accountId: AccountId,
    siteId: string,
    form: PurgeForm,
  ): Promise<{ conversations: number; receipt: string }>;
  /** All that began before, in epoch seconds, except those that visitors had restricted. How many. */
  purgeBefore(site: Site, before: number): Promise<number>;
  /** All, restricted ones too. */
  purgeSite(site: Site): Promise<number>;
  /** Conversations stay. Resolves with the receipt. */
  resetStatistics(accountId: AccountId, siteId: string): Promise<string>;
}

export interface PurgesOptions {
  readonly sites: Pick<Sites, 'get'>;
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'destroyAll'>;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly texts: OpenedTexts;
  readonly clock: Clock;
  /** Hears which conversations are going, before their keys do. */
  readonly onPurge: (accountId: AccountId, ids: readonly ConversationId[]) => void;
}

export function createPurges(options: PurgesOptions): Purges {
  const { sites, customers, receipts, clock } = options;
  const at = (): string => new Date(clock.now()).toISOString();

  return {
    async purge(accountId, siteId, form) {
      const site = await sites.get(accountId, siteId);
      const conversations = await purge(options, site, doomedBy(form));
      const isNamed = form.scope === 'one' || form.scope === 'reference';
      if (isNamed && conversations === 0) throw notFound('conversation');
      const claims = { event: 'aimee.conversations_purged', site: site.id, scope: form.scope, conversations };
      return { conversations, receipt: await receipts.sign({ ...claims, at: at() }) };
    },
    purgeBefore: (site, before) => purge(options, site, { before }),
    purgeSite: (site) => purge(options, site, { withRestricted: true }),
    async resetStatistics(accountId, siteId) {
      const site = await sites.get(accountId, siteId);
      await customers.use(accountId, async (store) => {
        await store.counters.reset(site.id);
        await store.truncateLog();
      });
      return await receipts.sign({ event: 'aimee.statistics_reset', site: site.id, at: at() });
    },
  };
}

function doomedBy(form: PurgeForm): Doomed {
  switch (form.scope) {
    case 'all':
      return {};
    case 'range':
      return spanOf(form);
    case 'one':
      return { id: form.conversation as ConversationId };
    case 'reference':
      return { reference: parseReference(form.reference) };
  }
}

/** Keys first: from then on nothing opens, backups included. Then rows, then what the log still has of them. */
async function purge(
  { customers, keyRing, texts, onPurge }: PurgesOptions,
  { accountId, id: siteId }: Site,
  which: Doomed,
): Promise<number> {
  return await customers.use(accountId, async (store) => {
    const ids = await store.conversations.doomed(siteId, which);
    if (ids.length === 0) return 0;
    onPurge(accountId, ids);
    await keyRing.destroyAll(ids.map((conversationId) => ringHalfOf({ accountId, conversationId })));
    await store.conversations.remove(ids);
    await store.truncateLog();
    // Whatever a search has opened in the meantime.
    texts.forget(accountId, ids);
    return ids.length;
  });
}
