import type { Holder, Principal } from '../accounts/principal.ts';
import type { FunctionTools } from '../ai/function-tool.ts';
import type { Clock } from '../kernel/clock.ts';
import { type AccountId, type SiteId, newId } from '../kernel/ids.ts';
import { createSerial } from '../kernel/serial.ts';
import { accountKeysOf } from './conversation-keys.ts';
import type { SiteCatalogue, StoredSite } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { aimeeErrors } from './errors.ts';
import type { Restriction } from '../rights/restriction.ts';
import { KnownSites, toRow } from './known-sites.ts';
import type { AimeeLimits } from './limits.ts';

/** What a customer sets for a site; bounded by whoever lets it in. */
export interface SiteSettings {
  readonly name: string;
  readonly persona: string;
  /** BCP 47; null: that of the question. */
  readonly language: string | null;
  readonly allowedOrigins: readonly string[];
  readonly suggestions: readonly string[];
  readonly functions: readonly string[];
  readonly handOver: HandOver;
  readonly retentionDays: number | null;
  readonly isOn: boolean;
  readonly messagesPerMinute: number;
  readonly messagesPerDay: number;
  /** Goes into the embed snippet and is of no meaning here. */
  readonly look: Look;
}

export type HandOver =
  | { readonly kind: 'none' }
  | { readonly kind: 'email'; readonly email: string }
  | { readonly kind: 'link'; readonly url: string; readonly label: string };

export interface Look {
  readonly title: string;
  readonly greeting: string;
  readonly accent: string;
  readonly theme: 'auto' | 'light' | 'dark';
  readonly position: 'right' | 'left';
  readonly privacyUrl: string;
}

export interface Site extends SiteSettings {
  readonly id: SiteId;
  readonly accountId: AccountId;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly knowledge: StoredSite['knowledge'];
}

/** Which site, and whose. */
export type SiteName = Pick<Site, 'id' | 'accountId'>;

/** Sites of customers. What is missing and what is another account's both reject with `site.not_found`. */
export interface Sites {
  list(accountId: AccountId): Promise<Site[]>;
  get(accountId: AccountId, id: string): Promise<Site>;
  /** Rejects with `function.not_found`, `aimee.too_many_sites`. */
  create(principal: Principal, holder: Holder, settings: SiteSettings): Promise<Site>;
  update(principal: Principal, id: string, settings: SiteSettings): Promise<Site>;
  /** What the knowledge base of the site is made with. */
  setKnowledge(site: Site, knowledge: NonNullable<Site['knowledge']>): Promise<Site>;
  /** From here on nobody finds it. `destroy` ends all that belongs to it, then its row goes. */
  remove(accountId: AccountId, id: string, destroy: (site: Site) => Promise<void>): Promise<Site>;
  /**
   * From here on nobody finds any site of the account. `destroy` ends what belongs to each, then the account's file goes, and
   * what names them last. Opens nothing: the keys may be gone.
   */
  erase(accountId: AccountId, destroy: (site: SiteName) => Promise<void>): Promise<void>;
  /** By its public key, for visitors; undefined also for one that is switched off. */
  forVisitors(id: string): Promise<Site | undefined>;
  /** Accounts that have any. */
  accounts(): ReadonlySet<AccountId>;
}

export interface SitesOptions {
  readonly catalogue: SiteCatalogue;
  readonly customers: Customers;
  readonly tools: Pick<FunctionTools, 'named'>;
  readonly restriction: Pick<Restriction, 'check'>;
  readonly clock: Clock;
  readonly limits: Pick<AimeeLimits, 'sitesPerAccountMax'>;
}

export async function createSites(options: SitesOptions): Promise<Sites> {
  const { catalogue, customers, tools, restriction } = options;
  const owners = (await catalogue.list()).map(({ id, accountId }) => [id, accountId] as const);
  const known = new KnownSites(customers, new Map(owners));
  const serial = createSerial();

  return {
    list: (accountId) => serial(() => known.list(accountId)),
    async get(accountId, id) {
      restriction.check(accountId);
      return await serial(() => known.get(accountId, id as SiteId));
    },
    async create(principal, holder, settings) {
      await tools.named(principal, settings.functions);
      const { publicKey } = await accountKeysOf(holder);
      return await serial(() => create(options, known, { accountId: holder.accountId, publicKey, settings }));
    },
    async update(principal, id, settings) {
      await tools.named(principal, settings.functions);
      return await serial(async () =>
        known.change(await known.get(principal.accountId, id as SiteId), settings),
      );
    },
    setKnowledge: ({ accountId, id }, knowledge) =>
      serial(async () => known.change(await known.get(accountId, id), { knowledge })),
    async remove(accountId, id, destroy) {
      const site = await serial(async () => {
        const found = await known.get(accountId, id as SiteId);
        known.disown(found);
        return found;
      });
      try {
        await destroy(site);
        await customers.use(accountId, async (store) => {
          await store.sites.remove(site.id);
          await store.truncateLog();
        });
        await catalogue.remove(site.id);
      } catch (thrown) {
        // So that it can be tried again.
        known.adopt(site);
        throw thrown;
      }
      return site;
    },
    async erase(accountId, destroy) {
      const own = await serial(async () => {
        const listed = (await catalogue.list()).filter((site) => site.accountId === accountId);
        for (const site of listed) known.disown(site);
        return listed;
      });
      for (const site of own) await destroy(site);
      await customers.remove(accountId);
      for (const { id } of own) await catalogue.remove(id);
    },
    async forVisitors(id) {
      const siteId = id as SiteId;
      const accountId = known.ownerOf(siteId);
      if (accountId === undefined) return undefined;
      restriction.check(accountId);
      const site = known.cached(siteId) ?? (await serial(() => known.get(accountId, siteId)));
      return site.isOn ? site : undefined;
    },
    accounts: () => known.owners(),
  };
}

async function create(
  { catalogue, customers, clock, limits }: SitesOptions,
  known: KnownSites,
  { accountId, publicKey, settings }: { accountId: AccountId; publicKey: Uint8Array; settings: SiteSettings },
): Promise<Site> {
  if ((await known.list(accountId)).length >= limits.sitesPerAccountMax)
    throw aimeeErrors.tooManySites(limits.sitesPerAccountMax);
  const createdAt = Math.floor(clock.now() / 1000);
  const site: Site = { ...settings, id: newId<SiteId>('site'), accountId, createdAt, knowledge: null };
  // Without an entry in the catalogue a site does not exist, so that comes last.
  await customers.use(accountId, async (store) => {
    const stored = await store.publicKey();
    if (stored === undefined) await store.setPublicKey(publicKey);
    else if (!Buffer.from(stored).equals(publicKey)) throw aimeeErrors.otherKey();
    await store.sites.insert(toRow(site));
  });
  await catalogue.insert(site.id, accountId);
  known.adopt(site);
  return site;
}
