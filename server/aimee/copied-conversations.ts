import * as z from 'zod';
import type { Holder } from '../accounts/principal.ts';
import { rfc3339, utcDay } from '../kernel/clock.ts';
import { PlatformError, notFound } from '../kernel/errors.ts';
import { type ConversationId, newId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { PackFile, PackWriter } from '../rights/copier.ts';
import { joinHalves, newHalf, ringHalfOf, sealContent, sealHalf } from './conversation-keys.ts';
import { type Conversation, ConversationReader } from './conversation-reader.ts';
import type { CustomerStore, NewEntry, StoredConversation } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { type Entry, type EntryDraft, sealEntry } from './entries.ts';
import type { Site } from './sites.ts';
import { newReference, parseReference, shownReference } from './tickets.ts';

const Text = z.string().max(256 * 1024);

const EntryOf = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answer'),
    question: Text,
    answer: Text,
    sources: z.array(z.strictObject({ title: Text, url: Text.nullable() })).max(1000),
    answered: z.boolean(),
    rating: z.enum(['up', 'down', 'none']),
  }),
  z.strictObject({
    kind: z.literal('hand-over'),
    email: Text,
    text: Text,
    turns: z.array(z.strictObject({ role: z.enum(['visitor', 'assistant']), text: Text })).max(1000),
  }),
]);
type EntryOf = z.infer<typeof EntryOf>;

const ConversationOf = z.strictObject({
  site: z.string().max(64),
  reference: z.string().regex(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/),
  startedAt: z.iso.datetime(),
  entries: z.array(EntryOf).min(1),
  /** What the visitor had corrected, by the number of the entry that it stands beside. */
  notes: z.array(z.strictObject({ entry: z.int().min(1), text: Text })).max(100),
  /** At the visitor's wish it is not searched, counted or looked through. */
  objected: z.boolean(),
});
type ConversationOf = z.infer<typeof ConversationOf>;

export const CONVERSATIONS: PackFile<ConversationOf> = {
  name: 'conversations',
  title:
    'What visitors of the sites asked, and what they were answered; on your behalf, so you answer for it',
  nature: 'given',
  row: ConversationOf,
};

interface Parts {
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'findAll' | 'create'>;
}

const PAGE = 50;

interface Giving {
  readonly holder: Holder;
  readonly sites: readonly Site[];
  readonly writer: Pick<PackWriter, 'missing'>;
}

/** Conversations of all sites, oldest first, opened with the customer's key. */
export async function* conversationsOf(
  { customers, keyRing }: Parts,
  { holder, sites, writer }: Giving,
): AsyncGenerator<ConversationOf> {
  const reader = await ConversationReader.of(keyRing, holder);
  for (const { id: siteId, accountId } of sites) {
    let after: StoredConversation | undefined;
    do {
      const { page, whole } = await customers.use(accountId, async (store) => {
        const rows = await store.conversations.list({
          siteId,
          order: 'oldest-first',
          limit: PAGE,
          ...(after && { after }),
        });
        return { page: rows, whole: await wholeOf(reader, store, { rows, writer }) };
      });
      for (const { reference, startedAt, objected, entries, notes } of whole)
        yield {
          site: siteId,
          reference,
          startedAt: rfc3339(startedAt * 1000),
          entries: entries.map(entryOf),
          notes: notes.map(({ entry, text }) => ({ entry, text })),
          objected,
        };
      after = page.length < PAGE ? undefined : page.at(-1);
    } while (after !== undefined);
  }
}

/** Without those that were purged meanwhile. What is only kept stays closed, to its customer's copy, too. */
async function wholeOf(
  reader: ConversationReader,
  store: CustomerStore,
  { rows, writer }: { readonly rows: readonly StoredConversation[] } & Pick<Giving, 'writer'>,
): Promise<Conversation[]> {
  const whole: Conversation[] = [];
  for (const stored of rows.filter(({ restricted }) => !restricted)) {
    try {
      whole.push(await reader.read(store, stored));
    } catch (thrown) {
      const isGone = thrown instanceof PlatformError && thrown.kind === 'not_found';
      if (!isGone) writer.missing(CONVERSATIONS, shownReference(stored.reference), thrown);
    }
  }
  return whole;
}

function entryOf({ number: _number, ...entry }: Entry): EntryOf {
  if (entry.kind === 'answer')
    return { ...entry, sources: entry.sources.map(({ title, url }) => ({ title, url })) };
  return { ...entry, turns: entry.turns.map(({ role, text }) => ({ role, text })) };
}

/** Keeps a conversation whole, sealed as those that are had here. Rejects with `site.not_found`. */
export async function takeConversation(
  { customers, keyRing }: Parts,
  site: Site,
  conversation: ConversationOf,
): Promise<void> {
  const { id: siteId, accountId } = site;
  const conversationId = newId<ConversationId>('conv');
  const place = { accountId, conversationId };
  await customers.use(accountId, async (store) => {
    const publicKey = await store.publicKey();
    if (publicKey === undefined) throw notFound('site');
    const half = newHalf();
    const sealedHalf = await sealHalf(publicKey, place, half);
    const [ringHalf = new Uint8Array()] = await keyRing.create([ringHalfOf(place)], accountId);
    const key = joinHalves(ringHalf, half);
    const reference = await freeReference(store, parseReference(conversation.reference));
    const startedAt = Math.floor(Date.parse(conversation.startedAt) / 1000);
    const day = utcDay(startedAt * 1000);
    const rows = conversation.entries.map((entry, at): NewEntry => {
      const draft = draftOf(entry);
      const { kind, answered } = draft;
      const sealed = sealEntry(key, conversationId, draft);
      const begins = at === 0 ? { begins: { reference, startedAt, sealedHalf } } : {};
      return { siteId, conversationId, day, kind, answered, sealed, ...begins };
    });
    await store.conversations.append(rows);
    const notes = conversation.notes.map(({ entry, text }) => ({
      entry,
      sealed: sealContent(key, conversationId, { text }),
    }));
    key.fill(0);
    for (const note of notes) await store.conversations.addNote(conversationId, note);
    for (const [at, entry] of conversation.entries.entries())
      if (entry.kind === 'answer' && entry.rating !== 'none')
        await store.conversations.rate(siteId, { id: conversationId, number: at + 1 }, entry.rating);
    if (conversation.objected) await store.conversations.mark(conversationId, { objected: true });
  });
}

function draftOf(entry: EntryOf): EntryDraft {
  if (entry.kind === 'answer') {
    const { question, answer, sources, answered } = entry;
    return { kind: 'answer', answered, content: { question, answer, sources } };
  }
  const { kind: _kind, ...content } = entry;
  return { kind: 'hand-over', answered: true, content };
}

/** The visitor's own, unless the account has it already: the same copy may be taken over twice. */
async function freeReference(store: CustomerStore, wanted: string): Promise<string> {
  for (const { id } of await store.sites.list())
    if ((await store.conversations.doomed(id, { reference: wanted })).length > 0) return newReference();
  return wanted;
}
