import { notFound } from '../kernel/errors.ts';
import type { AccountId, SiteId } from '../kernel/ids.ts';
import { LruMap } from '../kernel/lru-map.ts';
import type { StoredSite } from './customer-store.ts';
import type { Customers } from './customers.ts';
import type { Site, SiteSettings } from './sites.ts';

const CACHED_SITES_MAX = 1024;

/** Whose each site is, in memory, and the settings of those in use. Changes must not overlap reads that fill the cache. */
export class KnownSites {
  readonly #customers: Customers;
  readonly #owners: Map<SiteId, AccountId>;
  readonly #cache = new LruMap<SiteId, Site>(CACHED_SITES_MAX);

  constructor(customers: Customers, owners: ReadonlyMap<SiteId, AccountId>) {
    this.#customers = customers;
    this.#owners = new Map(owners);
  }

  ownerOf(id: SiteId): AccountId | undefined {
    return this.#owners.get(id);
  }

  owners(): ReadonlySet<AccountId> {
    return new Set(this.#owners.values());
  }

  adopt({ id, accountId }: Site): void {
    this.#owners.set(id, accountId);
  }

  disown({ id }: Pick<Site, 'id'>): void {
    this.#owners.delete(id);
    this.#cache.take(id);
  }

  cached(id: SiteId): Site | undefined {
    return this.#cache.get(id);
  }

  async list(accountId: AccountId): Promise<Site[]> {
    const rows = (await this.#customers.find(accountId, (store) => store.sites.list())) ?? [];
    const own = rows.filter(({ id }) => this.#owners.get(id) === accountId);
    return own.map((row) => toSite(accountId, row));
  }

  async get(accountId: AccountId, id: SiteId): Promise<Site> {
    if (this.#owners.get(id) !== accountId) throw notFound('site');
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const found = (await this.list(accountId)).find((site) => site.id === id);
    if (found === undefined) throw notFound('site');
    this.#cache.set(id, found);
    return found;
  }

  async change(site: Site, next: Partial<Site>): Promise<Site> {
    const changed = { ...site, ...next };
    const { settings, knowledge } = toRow(changed);
    const isThere = await this.#customers.use(site.accountId, (store) =>
      store.sites.update(site.id, { settings, knowledge }),
    );
    this.#cache.take(site.id);
    if (!isThere) throw notFound('site');
    return changed;
  }
}

export function toRow(site: Site): StoredSite {
  const { id, accountId: _accountId, createdAt, knowledge, ...settings } = site;
  return { id, createdAt, settings: JSON.stringify(settings), knowledge };
}

/** Settings come back as `toRow` wrote them. */
function toSite(accountId: AccountId, { settings, ...row }: StoredSite): Site {
  return { ...(JSON.parse(settings) as SiteSettings), ...row, accountId };
}
