import type { Holder } from '../accounts/principal.ts';
import { notFound } from '../kernel/errors.ts';
import type { AccountId, ConversationId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import {
  type AccountKeys,
  type Place,
  accountKeysOf,
  joinHalves,
  openContent,
  openHalf,
  ringHalfOf,
} from './conversation-keys.ts';
import type { CustomerStore, StoredConversation, StoredEntry } from './customer-store.ts';
import { type Entry, openEntry } from './entries.ts';
import { aimeeErrors } from './errors.ts';
import { shownReference } from './tickets.ts';

/** What is known of a conversation without opening it. */
export interface ConversationFacts extends Omit<StoredConversation, 'sealedHalf'> {}

/** What a visitor had corrected, beside an entry. */
export interface Note {
  readonly entry: number;
  readonly text: string;
}

export interface Conversation extends ConversationFacts {
  readonly entries: readonly Entry[];
  readonly notes: readonly Note[];
}

export function factsOf({ sealedHalf: _sealedHalf, ...facts }: StoredConversation): ConversationFacts {
  return { ...facts, reference: shownReference(facts.reference) };
}

interface Opener {
  readonly accountId: AccountId;
  readonly keys: AccountKeys;
  readonly forVisitor: boolean;
}

/** Opens conversations of one account for as long as its key is at hand. */
export class ConversationReader {
  readonly #keyRing: Pick<KeyRing, 'findAll'>;
  readonly #accountId: AccountId;
  readonly #keys: AccountKeys;
  readonly #forVisitor: boolean;

  private constructor(keyRing: Pick<KeyRing, 'findAll'>, opener: Opener) {
    this.#keyRing = keyRing;
    this.#accountId = opener.accountId;
    this.#keys = opener.keys;
    this.#forVisitor = opener.forVisitor;
  }

  /** `forVisitor`: on his own demand, what he had restricted is opened, too. */
  static async of(
    keyRing: Pick<KeyRing, 'findAll'>,
    holder: Holder,
    { forVisitor = false }: { readonly forVisitor?: boolean } = {},
  ): Promise<ConversationReader> {
    const { accountId } = holder;
    return new ConversationReader(keyRing, { accountId, forVisitor, keys: await accountKeysOf(holder) });
  }

  /**
   * The conversation's key, the caller's to wipe; undefined once it has been purged. Throws `aimee.restricted` for one that
   * is only kept.
   */
  async keyOf(stored: Sealed): Promise<Uint8Array | undefined> {
    if (stored.restricted && !this.#forVisitor) throw aimeeErrors.restricted();
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

  /** Whole, with its notes. Rejects with `conversation.not_found`. */
  async read(store: CustomerStore, stored: StoredConversation): Promise<Conversation> {
    const key = await this.keyOf(stored);
    if (key === undefined) throw notFound('conversation');
    try {
      return await conversationWith(store, stored, key);
    } finally {
      key.fill(0);
    }
  }

  /** Those of a page that are still there, in order: of a purge's conversations all or none. What is only kept is not opened. */
  async all(
    store: CustomerStore,
    page: readonly StoredConversation[],
  ): Promise<{ stored: StoredConversation; entries: readonly Entry[] }[]> {
    const sealed = await store.conversations.entriesOf(page.map(({ id }) => id));
    const ringHalves = await this.#keyRing.findAll(page.map((stored) => ringHalfOf(this.#placeOf(stored))));
    const there: { stored: StoredConversation; entries: readonly Entry[] }[] = [];
    for (const [at, stored] of page.entries()) {
      const key = await this.#join(stored, ringHalves[at]);
      const entries = opened(key, stored, stored.restricted ? [] : (sealed.get(stored.id) ?? []));
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

type Sealed = Pick<StoredConversation, 'id' | 'sealedHalf' | 'restricted'>;

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

/** A conversation whose key is at hand. */
export async function conversationWith(
  store: CustomerStore,
  stored: StoredConversation,
  key: Uint8Array,
): Promise<Conversation> {
  const { id } = stored;
  const entries = (await store.conversations.entries(id)).map((entry) => openEntry(key, id, entry));
  const notes = (await store.conversations.notes(id)).map(({ entry, sealed }) => ({
    entry,
    ...(openContent(key, id, sealed) as { text: string }),
  }));
  return { ...factsOf(stored), entries, notes };
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
