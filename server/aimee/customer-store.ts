import type { KeyChange } from '../keys/key-ring.ts';
import type { AccountId, ConversationId, GrantId, SiteId } from '../kernel/ids.ts';
import type { Progress, RequestId, RightKind } from '../rights/request.ts';
import type { Inventory } from '../profile/inventory.ts';

/** Which site belongs to which account: all that is known of customers outside their own files. */
export interface SiteCatalogue {
  list(): Promise<readonly { readonly id: SiteId; readonly accountId: AccountId }[]>;
  insert(id: SiteId, accountId: AccountId): Promise<void>;
  /** No error if it is gone already. */
  remove(id: SiteId): Promise<void>;
}

/**
 * One customer's own file. Everything in it is encrypted at rest under a key of the service; what was said is sealed once
 * more, under keys that the service does not have. Times are epoch seconds, days UTC. Durable when a promise resolves.
 */
export interface CustomerStore {
  /** The account's X25519 public key: 32 bytes; undefined before AI.Mee is used. */
  publicKey(): Promise<Uint8Array | undefined>;
  setPublicKey(key: Uint8Array): Promise<void>;

  readonly sites: SiteRows;
  readonly conversations: ConversationRows;
  readonly counters: CounterRows;
  readonly access: AccessRows;
  readonly requests: VisitorRequestRows;
  /** What the file holds, for the account's own eyes. */
  readonly inventory: Inventory;

  /** Encrypts the file anew under another key; queries wait. */
  rekey(change: KeyChange): Promise<void>;
  /** Moves the log into the file and empties it: what was deleted is gone from disk then. */
  truncateLog(): Promise<void>;
}

export interface StoredSite {
  readonly id: SiteId;
  readonly createdAt: number;
  /** JSON of the customer's settings. */
  readonly settings: string;
  /** Embedding model of the knowledge base; null until there is one. */
  readonly knowledge: { readonly model: string; readonly dimensions: number } | null;
}

export interface SiteRows {
  list(): Promise<StoredSite[]>;
  insert(site: StoredSite): Promise<void>;
  /** False if there is none. */
  update(id: SiteId, change: Partial<Pick<StoredSite, 'settings' | 'knowledge'>>): Promise<boolean>;
  /** With its conversations and counters. */
  remove(id: SiteId): Promise<void>;
}

export interface StoredConversation {
  readonly id: ConversationId;
  readonly reference: string;
  readonly startedAt: number;
  readonly messages: number;
  readonly unanswered: number;
  readonly up: number;
  readonly down: number;
  readonly handedOver: boolean;
  /** Kept and not used. */
  readonly restricted: boolean;
  /** Not searched, counted or looked through. */
  readonly objected: boolean;
  /** The customer's half of the key, sealed to the account's public key. */
  readonly sealedHalf: Uint8Array;
}

export type Rating = 'up' | 'down' | 'none';

export type EntryKind = 'answer' | 'hand-over';

export interface StoredEntry {
  /** From 1, in order. */
  readonly number: number;
  readonly kind: EntryKind;
  readonly answered: boolean;
  readonly rating: Rating;
  readonly sealed: Uint8Array;
}

/** What a visitor had corrected. */
export interface StoredNote {
  /** Number of the entry that it stands beside. */
  readonly entry: number;
  readonly sealed: Uint8Array;
}

export interface StoredVisitorRequest extends Progress {
  readonly id: RequestId;
  readonly siteId: SiteId;
  readonly kind: RightKind;
  /** Null once it is gone, as is its reference. */
  readonly conversationId: ConversationId | null;
  readonly reference: string | null;
}

/** What visitors asked under their rights. */
export interface VisitorRequestRows {
  /** Newest first. */
  list(siteId: SiteId): Promise<StoredVisitorRequest[]>;
  /** Of all sites. */
  listOpen(): Promise<StoredVisitorRequest[]>;
  find(siteId: SiteId, id: RequestId): Promise<StoredVisitorRequest | undefined>;
  /** False, and nothing changed, when there is an open one of the same for the conversation. */
  insert(request: Omit<StoredVisitorRequest, 'reference'>): Promise<boolean>;
  /** False, and nothing changed, when it has ended. */
  update(id: RequestId, progress: Progress): Promise<boolean>;
}

export interface NewEntry {
  readonly siteId: SiteId;
  readonly conversationId: ConversationId;
  /** UTC day that it counts for. */
  readonly day: string;
  readonly kind: EntryKind;
  readonly answered: boolean;
  readonly sealed: Uint8Array;
  /** Present when it is the first of its conversation. */
  readonly begins?: Pick<StoredConversation, 'reference' | 'startedAt' | 'sealedHalf'>;
}

/** Newest first unless it says otherwise. */
export interface ConversationQuery {
  readonly siteId: SiteId;
  /** Epoch seconds: from this one on, and before that one. */
  readonly from?: number;
  readonly before?: number;
  readonly answered?: 'yes' | 'no';
  readonly rating?: 'up' | 'down';
  /** Goes on behind this one. */
  readonly after?: Pick<StoredConversation, 'startedAt' | 'id'>;
  readonly order?: 'oldest-first';
  /** What is looked through for more than to be read: without those that visitors have objected to or restricted. */
  readonly forAnalysis?: true;
  readonly limit: number;
}

/** What a purge means; exactly the conversations that are there when it begins. Restricted ones go when they are meant. */
export type Doomed =
  | { readonly before?: number; readonly from?: number; readonly withRestricted?: true }
  | { readonly id: ConversationId }
  | { readonly reference: string };

export interface ConversationRows {
  /**
   * Keeps entries and counts them, all in one transaction. Answers with the number of each in its conversation; undefined
   * where the conversation or its site is gone.
   */
  append(entries: readonly NewEntry[]): Promise<(number | undefined)[]>;
  /** False if there is no such answer. Counts what changes, for the day on which the conversation began. */
  rate(
    siteId: SiteId,
    answer: { readonly id: ConversationId; readonly number: number },
    rating: Rating,
  ): Promise<boolean>;
  list(query: ConversationQuery): Promise<StoredConversation[]>;
  find(siteId: SiteId, id: ConversationId): Promise<StoredConversation | undefined>;
  entries(id: ConversationId): Promise<StoredEntry[]>;
  /** Entries of several conversations, by conversation. */
  entriesOf(ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, readonly StoredEntry[]>>;
  /** Undefined if there is none. */
  findByReference(siteId: SiteId, reference: string): Promise<StoredConversation | undefined>;
  mark(
    id: ConversationId,
    change: { readonly restricted?: boolean; readonly objected?: boolean },
  ): Promise<void>;
  /** In the order in which they came. */
  notes(id: ConversationId): Promise<StoredNote[]>;
  /** False if there is no such entry, or there are as many notes as may be. */
  addNote(id: ConversationId, note: StoredNote): Promise<boolean>;
  doomed(siteId: SiteId, which: Doomed): Promise<ConversationId[]>;
  /** Rows alone; their keys are gone by then. */
  remove(ids: readonly ConversationId[]): Promise<void>;
}

export interface Counters {
  readonly conversations: number;
  readonly messages: number;
  readonly answered: number;
  readonly unanswered: number;
  readonly up: number;
  readonly down: number;
  readonly handOvers: number;
}

export interface CounterRows {
  /** Oldest first. */
  list(
    siteId: SiteId,
    days: { readonly from?: string | undefined; readonly to?: string | undefined },
  ): Promise<(Counters & { readonly day: string })[]>;
  reset(siteId: SiteId): Promise<void>;
}

export interface StoredGrant {
  readonly id: GrantId;
  readonly siteId: SiteId;
  readonly conversations: readonly ConversationId[];
  readonly reason: string;
  readonly createdAt: number;
  readonly endsAt: number;
  readonly ended: { readonly at: number; readonly by: 'customer' | 'time' | 'restart' } | null;
}

export interface AccessEntry {
  readonly at: number;
  readonly event: 'granted' | 'read' | 'ended';
  readonly grant: GrantId;
  readonly conversation: ConversationId | null;
}

export interface LoggedAccess extends AccessEntry {
  /** From 1, without gaps. */
  readonly number: number;
  readonly hash: Uint8Array;
}

/** Chains an entry to the one before it; undefined before the first. */
export type ChainHash = (
  entry: AccessEntry & { readonly number: number },
  before: Uint8Array | undefined,
) => Uint8Array;

/** Grants, and the log of what was done with them, which only grows. */
export interface AccessRows {
  /** Newest first, with how often staff read. */
  grants(): Promise<(StoredGrant & { readonly reads: number })[]>;
  /** The grant and its entry in the log in one transaction. */
  grant(grant: StoredGrant, hash: ChainHash): Promise<void>;
  /** False if it has ended already. */
  end(id: GrantId, ended: NonNullable<StoredGrant['ended']>, hash: ChainHash): Promise<boolean>;
  log(entry: AccessEntry, hash: ChainHash): Promise<void>;
  /** In order. */
  entries(): Promise<LoggedAccess[]>;
}
