import type { Holder } from '../accounts/principal.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { type AccountKeys, accountKeysOf, joinHalves, openHalf, ringHalfOf } from './conversation-keys.ts';
import type { CustomerStore, StoredConversation, StoredEntry } from './customer-store.ts';
import { type Entry, openEntry } from './entries.ts';
import { shownReference } from './tickets.ts';

/** What is known of a conversation without opening it. */
export interface ConversationFacts extends Omit<StoredConversation, 'sealedHalf'> {}

export interface Conversation extends ConversationFacts {
  readonly entries: readonly Entry[];
}

export function factsOf({ sealedHalf: _sealedHalf, ...facts }: StoredConversation): ConversationFacts {
  return { ...facts, reference: shownReference(facts.reference) };
}

/** Opens conversations of one account for as long as its key is at hand. */
export class ConversationReader {
  readonly #keyRing: Pick<KeyRing, 'find'>;
  readonly #accountId: AccountId;
  readonly #keys: AccountKeys;

  constructor(keyRing: Pick<KeyRing, 'find'>, accountId: AccountId, keys: AccountKeys) {
    this.#keyRing = keyRing;
    this.#accountId = accountId;
    this.#keys = keys;
  }

  static async of(keyRing: Pick<KeyRing, 'find'>, holder: Holder): Promise<ConversationReader> {
    return new ConversationReader(keyRing, holder.accountId, await accountKeysOf(holder));
  }

  /** The conversation's key, the caller's to wipe; undefined once it has been purged. */
  async keyOf({
    id,
    sealedHalf,
  }: Pick<StoredConversation, 'id' | 'sealedHalf'>): Promise<Uint8Array | undefined> {
    const place = { accountId: this.#accountId, conversationId: id };
    const ringHalf = await this.#keyRing.find(ringHalfOf(place));
    if (ringHalf === undefined) return undefined;
    return joinHalves(ringHalf, await openHalf(this.#keys, place, sealedHalf));
  }

  /** Undefined once it has been purged. */
  async entries(
    stored: StoredConversation,
    sealed: readonly StoredEntry[],
  ): Promise<readonly Entry[] | undefined> {
    const key = await this.keyOf(stored);
    if (key === undefined) return undefined;
    try {
      return sealed.map((entry) => openEntry(key, stored.id, entry));
    } finally {
      key.fill(0);
    }
  }

  /** Those of a page that are still there, in order. */
  async all(
    store: CustomerStore,
    page: readonly StoredConversation[],
  ): Promise<{ stored: StoredConversation; entries: readonly Entry[] }[]> {
    const sealed = await store.conversations.entriesOf(page.map(({ id }) => id));
    const opened: { stored: StoredConversation; entries: readonly Entry[] }[] = [];
    for (const stored of page) {
      const entries = await this.entries(stored, sealed.get(stored.id) ?? []);
      if (entries !== undefined) opened.push({ stored, entries });
    }
    return opened;
  }
}

const FIRST_QUESTION_LENGTH = 200;

export function firstQuestionOf(entries: readonly Entry[]): string {
  const first = entries.find((entry) => entry.kind === 'answer');
  return first?.question.slice(0, FIRST_QUESTION_LENGTH).toWellFormed() ?? '';
}

/** A place in a list, opaque to callers. */
export function cursorOf({ startedAt, id }: Pick<StoredConversation, 'startedAt' | 'id'>): string {
  return `${startedAt}.${id}`;
}

export function parseCursor(cursor: string): Pick<StoredConversation, 'startedAt' | 'id'> {
  const [, startedAt, id] = /^(\d{1,12})\.(conv_[0-9A-Za-z]{20})$/.exec(cursor) ?? [];
  if (startedAt === undefined || id === undefined) throw notFound('conversation');
  return { startedAt: Number(startedAt), id: id as ConversationId };
}
