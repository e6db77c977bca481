import type { Holder } from '../accounts/principal.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import {
  type AccountKeys,
  type Place,
  accountKeysOf,
  joinHalves,
  openHalf,
  ringHalfOf,
} from './conversation-keys.ts';
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
  readonly #keyRing: Pick<KeyRing, 'findAll'>;
  readonly #accountId: AccountId;
  readonly #keys: AccountKeys;

  constructor(keyRing: Pick<KeyRing, 'findAll'>, accountId: AccountId, keys: AccountKeys) {
    this.#keyRing = keyRing;
    this.#accountId = accountId;
    this.#keys = keys;
  }

  static async of(keyRing: Pick<KeyRing, 'findAll'>, holder: Holder): Promise<ConversationReader> {
    return new ConversationReader(keyRing, holder.accountId, await accountKeysOf(holder));
  }

  /** The conversation's key, the caller's to wipe; undefined once it has been purged. */
  async keyOf(stored: Sealed): Promise<Uint8Array | undefined> {
    const [ringHalf] = await this.#keyRing.findAll([ringHalfOf(this.#placeOf(stored))]);
    return await this.#join(stored, ringHalf);
  }

  /** Undefined once it has been purged. */
  async entries(
    stored: StoredConversation,
    sealed: readonly StoredEntry[],
  ): Promise<readonly Entry[] | undefined> {
    return opened(await this.keyOf(stored), stored, sealed);
  }

  /** Those of a page that are still there, in order: of a purge's conversations all or none. */
  async all(
    store: CustomerStore,
    page: readonly StoredConversation[],
  ): Promise<{ stored: StoredConversation; entries: readonly Entry[] }[]> {
    const sealed = await store.conversations.entriesOf(page.map(({ id }) => id));
    const ringHalves = await this.#keyRing.findAll(page.map((stored) => ringHalfOf(this.#placeOf(stored))));
    const there: { stored: StoredConversation; entries: readonly Entry[] }[] = [];
    for (const [at, stored] of page.entries()) {
      const key = await this.#join(stored, ringHalves[at]);
      const entries = opened(key, stored, sealed.get(stored.id) ?? []);
      if (entries !== undefined) there.push({ stored, entries });
    }
    return there;
  }

  #placeOf({ id }: Pick<Sealed, 'id'>): Place {
    return { accountId: this.#accountId, conversationId: id };
  }

  async #join(stored: Sealed, ringHalf: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    if (ringHalf === undefined) return undefined;
    return joinHalves(ringHalf, await openHalf(this.#keys, this.#placeOf(stored), stored.sealedHalf));
  }
}

type Sealed = Pick<StoredConversation, 'id' | 'sealedHalf'>;

/** Wipes the key. */
function opened(
  key: Uint8Array | undefined,
  { id }: Pick<Sealed, 'id'>,
  sealed: readonly StoredEntry[],
): readonly Entry[] | undefined {
  try {
    return key && sealed.map((entry) => openEntry(key, id, entry));
  } finally {
    key?.fill(0);
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
