import { createHash } from 'node:crypto';
import type { Holder } from '../accounts/principal.ts';
import type { Clock } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { type AccountId, type ConversationId, type GrantId, newId } from '../kernel/ids.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { type Conversation, ConversationReader, conversationWith } from './conversation-reader.ts';
import type { AccessEntry, ChainHash, LoggedAccess, StoredGrant } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { aimeeErrors } from './errors.ts';
import type { AimeeLimits } from './limits.ts';
import { OpenGrants } from './open-grants.ts';
import type { Site, Sites } from './sites.ts';

export interface GrantForm {
  readonly site: string;
  readonly conversations: readonly string[];
  readonly reason: string;
  readonly minutes: number;
}

export type ListedGrant = StoredGrant & { readonly reads: number };

/** What staff sees of a grant before it reads. */
export interface SupportGrant extends Pick<StoredGrant, 'id' | 'conversations' | 'reason' | 'endsAt'> {
  readonly accountId: AccountId;
  readonly siteName: string;
}

/**
 * Lets staff read named conversations for a while (decision D12). The keys of just those lie in memory under the grant, and
 * go with it; each read is in the customer's log before it is answered. Without a grant there is no way in.
 */
export interface Grants {
  /** Rejects with `site.not_found`, `conversation.not_found`, `aimee.too_many_grants`. */
  create(holder: Holder, form: GrantForm): Promise<ListedGrant>;
  /** Newest first. */
  list(accountId: AccountId): Promise<ListedGrant[]>;
  /** From here on nobody reads. Rejects with `grant.not_found`; one that has ended stays as it is. */
  end(accountId: AccountId, id: string): Promise<ListedGrant>;
  /** In order, and whether each hash follows from what is before it. */
  log(accountId: AccountId): Promise<{ entries: LoggedAccess[]; isIntact: boolean }>;
  /** Those that are open, of all customers. */
  open(): SupportGrant[];
  /** For staff. Rejects with `grant.not_found` for whatever is not granted at this moment. */
  read(id: string, conversationId: string): Promise<Conversation>;
  /** Keys of purged conversations go at once. */
  forget(accountId: AccountId, ids: readonly ConversationId[]): void;
  /** Nobody reads anything of the account any more. */
  dropAccount(accountId: AccountId): void;
  close(): void;
}

export interface GrantsOptions {
  readonly sites: Pick<Sites, 'get'>;
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'findAll'>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly limits: Pick<AimeeLimits, 'grantsPerAccountMax'>;
}

export function createGrants(options: GrantsOptions): Grants {
  const { customers, clock } = options;
  const open = new OpenGrants();
  const now = (): number => Math.floor(clock.now() / 1000);

  async function end(accountId: AccountId, id: GrantId, by: 'customer' | 'time' | 'restart'): Promise<void> {
    open.drop(id);
    await customers.use(accountId, (store) => store.access.end(id, { at: now(), by }, chainHash));
  }

  /** Also notes the end of those that a restart has ended. */
  async function list(accountId: AccountId): Promise<ListedGrant[]> {
    const grants = await customers.find(accountId, async (store) => {
      for (const { id, ended, endsAt } of await store.access.grants())
        if (ended === null && !open.has(id)) await end(accountId, id, endsAt <= now() ? 'time' : 'restart');
      return await store.access.grants();
    });
    return grants ?? [];
  }

  async function listed(accountId: AccountId, id: string): Promise<ListedGrant> {
    const grant = (await list(accountId)).find((one) => one.id === id);
    if (grant === undefined) throw notFound('grant');
    return grant;
  }

  return {
    create: (holder, form) => create(options, { open, end, now }, { holder, form }),
    list,
    async end(accountId, id) {
      const grant = await listed(accountId, id);
      if (grant.ended === null) await end(accountId, grant.id, 'customer');
      return await listed(accountId, id);
    },
    async log(accountId) {
      await list(accountId);
      const entries = (await customers.find(accountId, (store) => store.access.entries())) ?? [];
      return { entries, isIntact: isIntact(entries) };
    },
    open: () =>
      open
        .all()
        .filter(({ endsAt }) => endsAt > now())
        .map(({ site: { accountId, name: siteName }, keys, timer: _timer, ...grant }) => ({
          ...grant,
          accountId,
          siteName,
          conversations: [...keys.keys()],
        })),
    async read(id, conversationId) {
      const conversation = conversationId as ConversationId;
      const { grant } = open.lent(id, conversation, now());
      const { accountId, id: siteId } = grant.site;
      return await customers.use(accountId, async (store) => {
        await store.access.log({ at: now(), event: 'read', grant: grant.id, conversation }, chainHash);
        const stored = await store.conversations.find(siteId, conversation);
        // The customer may have cut it in the meantime.
        const { key } = open.lent(id, conversation, now());
        if (stored === undefined) throw notFound('grant');
        return await conversationWith(store, stored, key);
      });
    },
    forget: (accountId, ids) => open.forget(accountId, ids),
    dropAccount: (accountId) => open.dropAccount(accountId),
    close: () => open.close(),
  };
}

interface Granting {
  readonly open: OpenGrants;
  readonly end: (accountId: AccountId, id: GrantId, by: 'time') => Promise<void>;
  readonly now: () => number;
}

async function create(
  options: GrantsOptions,
  { open, end, now }: Granting,
  { holder, form }: { readonly holder: Holder; readonly form: GrantForm },
): Promise<ListedGrant> {
  const { sites, customers, scheduler, limits } = options;
  const { accountId } = holder;
  const { reason, minutes } = form;
  const site = await sites.get(accountId, form.site);
  if (open.countOf(accountId) >= limits.grantsPerAccountMax)
    throw aimeeErrors.tooManyGrants(limits.grantsPerAccountMax);
  const keys = await keysOf(options, holder, { site, conversations: form.conversations });
  const id = newId<GrantId>('grant');
  const createdAt = now();
  const endsAt = createdAt + minutes * 60;
  const conversations = [...keys.keys()];
  const grant: StoredGrant = { id, siteId: site.id, conversations, reason, createdAt, endsAt, ended: null };
  await customers.use(accountId, (store) => store.access.grant(grant, chainHash));
  // If the end cannot be noted now, it is when somebody looks; nobody reads from here on either way.
  const timer = scheduler.after(
    minutes * 60_000,
    () => void end(accountId, id, 'time').catch(() => undefined),
  );
  open.add({ id, reason, endsAt, site, keys, timer });
  return { ...grant, reads: 0 };
}

async function keysOf(
  { customers, keyRing }: GrantsOptions,
  holder: Holder,
  { site, conversations }: { site: Site; conversations: readonly string[] },
): Promise<Map<ConversationId, Uint8Array>> {
  const reader = await ConversationReader.of(keyRing, holder);
  const keys = new Map<ConversationId, Uint8Array>();
  return await customers.use(site.accountId, async (store) => {
    for (const id of new Set(conversations)) {
      const stored = await store.conversations.find(site.id, id as ConversationId);
      const key = stored && (await reader.keyOf(stored));
      if (stored === undefined || key === undefined) throw notFound('conversation');
      keys.set(stored.id, key);
    }
    return keys;
  });
}

/** SHA-256 over the hash before and the entry, so that no entry can be changed, left out or put in between. */
const chainHash: ChainHash = ({ number, at, event, grant, conversation }, before) =>
  createHash('sha256')
    .update(before ?? new Uint8Array(32))
    .update(JSON.stringify([number, at, event, grant, conversation] satisfies unknown[]))
    .digest();

function isIntact(entries: readonly (AccessEntry & { number: number; hash: Uint8Array })[]): boolean {
  return entries.every((entry, at) => {
    const hash = Buffer.from(chainHash(entry, entries[at - 1]?.hash));
    return entry.number === at + 1 && hash.equals(entry.hash);
  });
}
