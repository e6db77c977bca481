import type { AnsweringOptions } from '../ai/create-queries.ts';
import { type RecordingOptions, createRecordRequest } from '../calls/record-request.ts';
import type { DatabaseFiles } from '../databases/rotations.ts';
import type { DocumentReader } from '../documents/document-reader.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import type { EventLog } from '../kernel/events.ts';
import type { AccountId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Copier } from '../rights/copier.ts';
import type { Restriction } from '../rights/restriction.ts';
import type { EgressNetwork } from '../sandbox/egress-guard.ts';
import type { VectorEngine } from '../vectors/engine/vector-engine.ts';
import type { VectorLimits } from '../vectors/limits.ts';
import { createAnswerer } from './answering.ts';
import { createAimeeCopier } from './copier.ts';
import { createBudgets } from './budgets.ts';
import { createConversationWriter } from './conversation-writer.ts';
import { type Conversations, createConversations } from './conversations.ts';
import { type Crawls, createCrawls } from './crawls.ts';
import type { SiteCatalogue } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { aimeeErrors } from './errors.ts';
import { type Grants, createGrants } from './grants.ts';
import { type Knowledge, createKnowledge } from './knowledge.ts';
import type { AimeeLimits } from './limits.ts';
import { type MailTransport, createMails } from './mails.ts';
import { OpenedTexts } from './opened-texts.ts';
import { createPageReader } from './page-reader.ts';
import { type Purges, createPurges } from './purges.ts';
import { keepRetention } from './retention.ts';
import { type SiteName, type Sites, createSites } from './sites.ts';
import { createTickets } from './tickets.ts';
import { type VisitorRequests, createVisitorRequests } from './visitor-requests.ts';
import { type Visitors, type VisitorsOptions, createVisitors } from './visitors.ts';

export interface AimeeOptions extends RecordingOptions, Omit<AnsweringOptions, 'limits' | 'sources'> {
  readonly catalogue: SiteCatalogue;
  readonly customers: Customers;
  readonly keyRing: KeyRing;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly engine: VectorEngine;
  readonly files: DatabaseFiles;
  readonly reader: DocumentReader;
  readonly embedders: Pick<Embedders, 'select'>;
  readonly restriction: Pick<Restriction, 'check' | 'isRestricted'>;
  readonly network: EgressNetwork;
  readonly mail: MailTransport | undefined;
  readonly events: Pick<EventLog, 'emit'>;
  readonly settings: {
    readonly visitorMessagesPerMinute: number;
    readonly crawlAllowedHosts: readonly string[];
    readonly rightsHolidays: readonly string[];
  };
  readonly limits: AimeeLimits;
  readonly vectorLimits: VectorLimits;
  readonly queryLimits: AnsweringOptions['limits'];
}

/** AI.Mee: assistants on customers' sites. */
export interface Aimee {
  readonly sites: Omit<Sites, 'remove' | 'erase' | 'setKnowledge'>;
  readonly visitors: Visitors;
  readonly knowledge: Omit<Knowledge, 'bases' | 'search' | 'destroy' | 'close'>;
  readonly crawls: Omit<Crawls, 'close'>;
  readonly conversations: Conversations;
  readonly purges: Omit<Purges, 'purgeBefore' | 'purgeSite'>;
  readonly visitorRequests: Omit<VisitorRequests, 'remind'>;
  readonly grants: Omit<Grants, 'forget' | 'dropAccount' | 'close'>;
  readonly copier: Copier;
  /** Hand-overs by e-mail reach somebody. */
  readonly canSendMail: boolean;
  /** With all that belongs to it, for good: resolves with the receipt. Rejects with `site.not_found`. */
  deleteSite(accountId: AccountId, siteId: string): Promise<string>;
  /** What was opened for the account is closed: what its searches have read, and what it lets staff read. */
  rest(accountId: AccountId): void;
  /** All that an account has here, keys or none. */
  erase(accountId: AccountId): Promise<void>;
  /** Engine, reader, embedders and stores are their maker's to close. */
  close(): Promise<void>;
}

export async function createAimee(options: AimeeOptions): Promise<Aimee> {
  const { scheduler, limits } = options;
  const recordRequest = createRecordRequest({ ...options, errors: aimeeErrors });
  const sites = await createSites(options);
  const knowledge = createKnowledge({
    ...options,
    sites,
    recordRequest,
    limits: options.vectorLimits,
    searchLimits: limits,
  });
  const { crawlAllowedHosts: allowedHosts } = options.settings;
  const crawls = createCrawls({
    knowledge,
    reader: createPageReader({ ...options, allowedHosts }),
    limits,
  });
  const texts = new OpenedTexts(scheduler, limits);
  const grants = createGrants({ ...options, sites });
  const purges = createPurges({
    ...options,
    sites,
    texts,
    onPurge: (accountId, ids) => grants.forget(accountId, ids),
  });
  const mails = createMails({ ...options, transport: options.mail });
  const visitors = visitorsOf(options, { sites, knowledge, mails, recordRequest });
  const visitorRequests = createVisitorRequests({ ...options, sites, purges, grants, texts });
  const retention = keepRetention({ ...options, sites, purges, visitorRequests });

  return {
    sites,
    visitors,
    knowledge,
    crawls,
    conversations: createConversations({ ...options, sites, texts }),
    purges,
    visitorRequests,
    grants,
    copier: createAimeeCopier({ ...options, sites, bases: knowledge.bases }),
    canSendMail: options.mail !== undefined,
    ...createDeletions(options, { sites, crawls, knowledge, purges, texts, grants }),
    async close() {
      retention.close();
      mails.close();
      texts.close();
      grants.close();
      await crawls.close();
      await knowledge.close();
    },
  };
}

function visitorsOf(
  options: AimeeOptions,
  parts: Pick<VisitorsOptions, 'sites' | 'mails' | 'recordRequest'> & { readonly knowledge: Knowledge },
): Visitors {
  const { clock, limits } = options;
  return createVisitors({
    ...options,
    ...parts,
    budgets: createBudgets({
      clock,
      perNetworkPerMinute: options.settings.visitorMessagesPerMinute,
      networksMax: limits.networksMax,
    }),
    tickets: createTickets(),
    answer: createAnswerer({ ...options, ...parts }),
    write: createConversationWriter(options),
  });
}

interface Deletable {
  readonly sites: Sites;
  readonly crawls: Crawls;
  readonly knowledge: Knowledge;
  readonly purges: Purges;
  readonly texts: OpenedTexts;
  readonly grants: Grants;
}

function createDeletions(
  { receipts, clock }: Pick<AimeeOptions, 'receipts' | 'clock'>,
  { sites, crawls, knowledge, purges, texts, grants }: Deletable,
): Pick<Aimee, 'deleteSite' | 'rest' | 'erase'> {
  function rest(accountId: AccountId): void {
    texts.dropAccount(accountId);
    grants.dropAccount(accountId);
  }

  async function endKnowledge(site: SiteName): Promise<void> {
    await crawls.cancel(site);
    await knowledge.destroy(site);
  }

  return {
    async deleteSite(accountId, siteId) {
      const { id } = await sites.remove(accountId, siteId, async (site) => {
        await endKnowledge(site);
        await purges.purgeSite(site);
      });
      const at = new Date(clock.now()).toISOString();
      return await receipts.sign({ event: 'aimee.site_deleted', site: id, at });
    },
    rest,
    async erase(accountId) {
      rest(accountId);
      await sites.erase(accountId, endKnowledge);
    },
  };
}
