import { createBatches } from '../kernel/batches.ts';
import { type Clock, utcDay } from '../kernel/clock.ts';
import { notFound } from '../kernel/errors.ts';
import { type AccountId, type ConversationId, type SiteId, newId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { joinHalves, newHalf, ringHalfOf, sealHalf } from './conversation-keys.ts';
import type { CustomerStore, NewEntry } from './customer-store.ts';
import type { Customers } from './customers.ts';
import { type EntryDraft, sealEntry } from './entries.ts';
import type { AimeeLimits } from './limits.ts';
import { type Ticket, newReference } from './tickets.ts';

export interface WriterOptions {
  readonly customers: Customers;
  readonly keyRing: Pick<KeyRing, 'create' | 'findAll'>;
  readonly clock: Clock;
  readonly limits: Pick<AimeeLimits, 'batchMax'>;
}

export interface Written extends Ticket {
  /** Of the entry in its conversation, from 1. */
  readonly number: number;
}

interface Draft {
  readonly siteId: SiteId;
  /** Of the conversation that goes on; a new one begins without it. */
  readonly ticket: Ticket | undefined;
  readonly entry: EntryDraft;
}

/**
 * Keeps what was said, sealed. Resolves once it is durable; entries of one customer that come together are written together.
 * A conversation that has been purged since is not brought back: what follows begins a new one.
 */
export type WriteEntry = (accountId: AccountId, draft: Draft) => Promise<Written>;

export function createConversationWriter(options: WriterOptions): WriteEntry {
  const { customers, limits } = options;
  interface Queue {
    readonly write: (draft: Draft) => Promise<Written>;
    waiting: number;
  }
  const queues = new Map<AccountId, Queue>();

  function queueOf(accountId: AccountId): Queue {
    const known = queues.get(accountId);
    if (known !== undefined) return known;
    const write = createBatches<Draft, Written>(
      (drafts) => customers.use(accountId, (store) => writeAll(options, { accountId, store }, drafts)),
      limits.batchMax,
    );
    const queue = { write, waiting: 0 };
    queues.set(accountId, queue);
    return queue;
  }

  return async (accountId, draft) => {
    const queue = queueOf(accountId);
    queue.waiting++;
    try {
      return await queue.write(draft);
    } finally {
      queue.waiting--;
      if (queue.waiting === 0) queues.delete(accountId);
    }
  };
}

interface Customer {
  readonly accountId: AccountId;
  readonly store: CustomerStore;
}

async function writeAll(
  options: WriterOptions,
  customer: Customer,
  drafts: readonly Draft[],
): Promise<Written[]> {
  const going = await goingOn(options, customer.accountId, drafts);
  const begun = await begin(
    options,
    customer,
    going.map((key) => key === undefined),
  );
  const now = options.clock.now();
  const prepared = drafts.map((draft, at) => prepare(draft, { key: going[at], fresh: begun[at], now }));
  const numbers = await customer.store.conversations.append(prepared.map(({ row }) => row));
  const lost = drafts.filter((_, at) => numbers[at] === undefined);
  if (lost.some(({ ticket }) => ticket === undefined)) throw notFound('site');
  // Purged in this very moment.
  const again = (
    lost.length === 0
      ? []
      : await writeAll(
          options,
          customer,
          lost.map((draft) => ({ ...draft, ticket: undefined })),
        )
  ).values();
  return prepared.map(({ ticket }, at) => {
    const number = numbers[at];
    return number === undefined ? (again.next().value as Written) : { ...ticket, number };
  });
}

/** Keys of the conversations that go on; undefined for new ones, and for those whose half in the ring is gone. */
async function goingOn(
  { keyRing }: WriterOptions,
  accountId: AccountId,
  drafts: readonly Draft[],
): Promise<(Uint8Array | undefined)[]> {
  const tickets = drafts.flatMap(({ ticket }) => ticket ?? []);
  const ringHalves = await keyRing.findAll(
    tickets.map(({ conversationId }) => ringHalfOf({ accountId, conversationId })),
  );
  const found = ringHalves.values();
  return drafts.map(({ ticket }) => {
    const ringHalf = ticket && found.next().value;
    return ticket && ringHalf && joinHalves(ringHalf, ticket.half);
  });
}

interface Fresh {
  readonly ticket: Ticket;
  readonly sealedHalf: Uint8Array;
  readonly key: Uint8Array;
}

async function begin(
  { keyRing }: WriterOptions,
  { accountId, store }: Customer,
  isNew: readonly boolean[],
): Promise<(Fresh | undefined)[]> {
  if (!isNew.includes(true)) return isNew.map(() => undefined);
  const publicKey = await store.publicKey();
  if (publicKey === undefined) throw notFound('site');
  const begun = await Promise.all(
    isNew.filter(Boolean).map(async () => {
      const conversationId = newId<ConversationId>('conv');
      const half = newHalf();
      const sealedHalf = await sealHalf(publicKey, { accountId, conversationId }, half);
      return { ticket: { conversationId, reference: newReference(), half }, sealedHalf };
    }),
  );
  const resources = begun.map(({ ticket: { conversationId } }) => ringHalfOf({ accountId, conversationId }));
  const ringHalves = await keyRing.create(resources, accountId);
  const keyed = begun
    .map((one, at) => ({ ...one, key: joinHalves(ringHalves[at] ?? new Uint8Array(), one.ticket.half) }))
    .values();
  return isNew.map((is) => (is ? keyed.next().value : undefined));
}

function prepare(
  { siteId, ticket: given, entry }: Draft,
  { key: known, fresh, now }: { key: Uint8Array | undefined; fresh: Fresh | undefined; now: number },
): { row: NewEntry; ticket: Ticket } {
  const ticket = fresh?.ticket ?? given;
  const key = fresh?.key ?? known;
  if (ticket === undefined || key === undefined) throw new Error('an entry has no conversation');
  const { conversationId, reference } = ticket;
  const { kind, answered } = entry;
  const sealed = sealEntry(key, conversationId, entry);
  key.fill(0);
  const row = { siteId, conversationId, day: utcDay(now), kind, answered, sealed };
  if (fresh === undefined) return { row, ticket };
  const begins = { reference, startedAt: Math.floor(now / 1000), sealedHalf: fresh.sealedHalf };
  return { row: { ...row, begins }, ticket };
}
