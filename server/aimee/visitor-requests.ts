import type { Holder } from '../accounts/principal.ts';
import { type Clock, utcDay } from '../kernel/clock.ts';
import { PlatformError, notFound } from '../kernel/errors.ts';
import type { EventLog } from '../kernel/events.ts';
import { type AccountId, newId } from '../kernel/ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Receipts } from '../keys/receipts.ts';
import type { Day, Holidays } from '../rights/deadline.ts';
import {
  type ClockedProgress,
  type Progress,
  type RequestId,
  type RightKind,
  assertOpen,
  checkReceivedOn,
  clocked,
  ended,
  extended,
  newProgress,
  nextReminder,
  requestEnded,
} from '../rights/request.ts';
import { type Conversation, ConversationReader } from './conversation-reader.ts';
import { sealContent } from './conversation-keys.ts';
import type { CustomerStore, StoredConversation, StoredVisitorRequest } from './customer-store.ts';
import type { Customers } from './customers.ts';
import type { Grants } from './grants.ts';
import type { OpenedTexts } from './opened-texts.ts';
import type { Purges } from './purges.ts';
import type { Site, Sites } from './sites.ts';
import { parseReference, shownReference } from './tickets.ts';

export interface NoteForm {
  /** Number of the entry that it stands beside. */
  readonly message: number;
  readonly text: string;
}

export interface VisitorRequestForm {
  readonly kind: RightKind;
  /** As the chat has shown it. */
  readonly reference: string;
  /** Today if absent. */
  readonly receivedOn?: Day | undefined;
  readonly carryOut: boolean;
  readonly note?: NoteForm | undefined;
}

export type ClockedVisitorRequest = StoredVisitorRequest & ClockedProgress;

/**
 * Visitors' rights, answered by the customer. Who knows the reference that the chat has shown is taken for the visitor.
 * Sites and requests of others reject with `site.not_found`, `visitor_request.not_found`.
 */
export interface VisitorRequests {
  /** Newest first. */
  list(accountId: AccountId, siteId: string): Promise<ClockedVisitorRequest[]>;
  /** Carries it out, unless it is only to be noted or is for a copy. Rejects with `conversation.not_found`. */
  begin(holder: Holder, siteId: string, form: VisitorRequestForm): Promise<ClockedVisitorRequest>;
  /** Ends the request, which is for access or portability; `rights.no_copy` otherwise. */
  copy(holder: Holder, siteId: string, id: RequestId): Promise<{ site: Site; conversation: Conversation }>;
  complete(
    holder: Holder,
    siteId: string,
    request: { readonly id: RequestId; readonly note?: NoteForm | undefined },
  ): Promise<ClockedVisitorRequest>;
  extend(accountId: AccountId, siteId: string, decision: Decision): Promise<ClockedVisitorRequest>;
  refuse(accountId: AccountId, siteId: string, decision: Decision): Promise<ClockedVisitorRequest>;
  /** Calls out what waits for too long, once each time; the log does not say whose it is. */
  remind(accountId: AccountId, today: Day): Promise<void>;
}

export interface Decision {
  readonly id: RequestId;
  readonly reason: string;
}

export interface VisitorRequestsOptions {
  readonly sites: Pick<Sites, 'get'>;
  readonly customers: Customers;
  readonly purges: Pick<Purges, 'purge'>;
  readonly keyRing: Pick<KeyRing, 'findAll'>;
  readonly receipts: Pick<Receipts, 'sign'>;
  readonly settings: { readonly rightsHolidays: readonly string[] };
  readonly clock: Clock;
  readonly events: Pick<EventLog, 'emit'>;
  /** What was lent or opened of a conversation goes when it is restricted. */
  readonly grants: Pick<Grants, 'forget'>;
  readonly texts: Pick<OpenedTexts, 'forget'>;
}

export function createVisitorRequests(options: VisitorRequestsOptions): VisitorRequests {
  const { sites, customers, receipts, clock } = options;
  const holidays: Holidays = new Set(options.settings.rightsHolidays);
  const today = (): Day => utcDay(clock.now());
  const shown = (request: StoredVisitorRequest): ClockedVisitorRequest => ({
    ...clocked(request, today(), holidays),
    reference: request.reference === null ? null : shownReference(request.reference),
  });

  /** `change` of one request, stored. */
  async function change(
    accountId: AccountId,
    siteId: string,
    { id, by }: { id: RequestId; by: (request: StoredVisitorRequest) => Promise<StoredVisitorRequest> },
  ): Promise<ClockedVisitorRequest> {
    const site = await sites.get(accountId, siteId);
    return await customers.use(accountId, async (store) => {
      const changed = await by(await found(store, site, id));
      if (!(await store.requests.update(id, changed))) throw requestEnded();
      const now = await found(store, site, id);
      return shown(now);
    });
  }

  async function complete(
    holder: Holder,
    siteId: string,
    { id, note }: { readonly id: RequestId; readonly note?: NoteForm | undefined },
  ): Promise<ClockedVisitorRequest> {
    return await change(holder.accountId, siteId, {
      id,
      by: async (request) => {
        await carryOut(options, holder, { siteId, request, note });
        return await ended(receipts, request, { result: 'done', today: today() });
      },
    });
  }

  return {
    async list(accountId, siteId) {
      const site = await sites.get(accountId, siteId);
      const requests = await customers.find(accountId, (store) => store.requests.list(site.id));
      return (requests ?? []).map(shown);
    },
    async begin(holder, siteId, { kind, reference, receivedOn = today(), carryOut: isNow, note }) {
      checkReceivedOn(receivedOn, today());
      const site = await sites.get(holder.accountId, siteId);
      const state = isCopy(kind) && isNow ? 'running' : 'verified';
      const asked = { kind, reference, progress: newProgress(state, receivedOn) };
      const request = await customers.use(site.accountId, (store) => noted(store, site, asked));
      if (!isNow || isCopy(kind)) return shown(request);
      return await complete(holder, siteId, { id: request.id, note });
    },
    copy: (holder, siteId, id) => copyFor(options, holder, { siteId, id }),
    complete,
    extend: (accountId, siteId, { id, reason }) =>
      change(accountId, siteId, {
        id,
        by: async (request) => extended(request, reason, { today: today(), holidays }),
      }),
    refuse: (accountId, siteId, { id, reason }) =>
      change(accountId, siteId, {
        id,
        by: (request) => ended(receipts, request, { result: 'refused', today: today(), refusal: reason }),
      }),
    remind: (accountId, day) => remind(options, { accountId, today: day }),
  };
}

interface Noted {
  readonly kind: RightKind;
  readonly reference: string;
  readonly progress: Progress;
}

/** The open request for the same, or a new one. */
async function noted(
  store: CustomerStore,
  site: Site,
  { kind, reference, progress }: Noted,
): Promise<StoredVisitorRequest> {
  const { id: conversationId } = await named(store, site, reference);
  const begun = { id: newId<RequestId>('req'), siteId: site.id, kind, conversationId, ...progress };
  if (await store.requests.insert(begun)) return await found(store, site, begun.id);
  const same = (await store.requests.list(site.id)).find(
    (one) => one.conversationId === conversationId && one.kind === kind && one.endedOn === null,
  );
  if (same === undefined) throw requestEnded();
  return same;
}

async function remind(
  { customers, events }: VisitorRequestsOptions,
  { accountId, today }: { readonly accountId: AccountId; readonly today: Day },
): Promise<void> {
  await customers.find(accountId, async (store) => {
    for (const request of await store.requests.listOpen()) {
      const reminder = nextReminder(request, today);
      if (reminder === undefined) continue;
      await store.requests.update(request.id, { ...request, reminder });
      events.emit('rights.request_waits', { day: reminder });
    }
  });
}

/** Ends the request, if it has not ended. */
async function copyFor(
  { sites, customers, keyRing, receipts, clock }: VisitorRequestsOptions,
  holder: Holder,
  { siteId, id }: { readonly siteId: string; readonly id: RequestId },
): Promise<{ site: Site; conversation: Conversation }> {
  const site = await sites.get(holder.accountId, siteId);
  const reader = await ConversationReader.of(keyRing, holder, { forVisitor: true });
  return await customers.use(site.accountId, async (store) => {
    const request = await found(store, site, id);
    if (!isCopy(request.kind) || request.state === 'refused') throw noCopy();
    const conversation = await reader.read(store, await conversationOf(store, site, request));
    if (request.endedOn === null) {
      const done = await ended(receipts, request, { result: 'done', today: utcDay(clock.now()) });
      await store.requests.update(id, done);
    }
    return { site, conversation };
  });
}

interface CarryingOut {
  readonly siteId: string;
  readonly request: StoredVisitorRequest;
  readonly note: NoteForm | undefined;
}

/** Each right does what it says to the one conversation. */
async function carryOut(
  options: VisitorRequestsOptions,
  holder: Holder,
  { siteId, request, note }: CarryingOut,
): Promise<void> {
  assertOpen(request);
  const { customers, purges, sites, grants, texts } = options;
  const { accountId } = holder;
  const site = await sites.get(accountId, siteId);
  await customers.use(accountId, async (store) => {
    const stored = await conversationOf(store, site, request);
    switch (request.kind) {
      case 'access':
      case 'portability':
        throw copyFirst();
      case 'rectification':
        await addNote(options, { store, stored, holder, note });
        return;
      case 'erasure':
        await purges.purge(accountId, site.id, { scope: 'one', conversation: stored.id });
        return;
      case 'restriction':
        await store.conversations.mark(stored.id, { restricted: true });
        grants.forget(accountId, [stored.id]);
        texts.forget(accountId, [stored.id]);
        return;
      case 'lifting':
        await store.conversations.mark(stored.id, { restricted: false });
        return;
      case 'objection':
      case 'withdrawal':
        await store.conversations.mark(stored.id, { objected: request.kind === 'objection' });
    }
  });
}

interface Noting {
  readonly store: CustomerStore;
  readonly stored: StoredConversation;
  readonly holder: Holder;
  readonly note: NoteForm | undefined;
}

async function addNote(
  { keyRing }: VisitorRequestsOptions,
  { store, stored, holder, note }: Noting,
): Promise<void> {
  if (note === undefined)
    throw visitorError(
      'note_missing',
      'Say what is right, and beside which message: note.message and note.text.',
    );
  const reader = await ConversationReader.of(keyRing, holder, { forVisitor: true });
  const key = await reader.keyOf(stored);
  if (key === undefined) throw notFound('conversation');
  const sealed = sealContent(key, stored.id, { text: note.text });
  key.fill(0);
  if (!(await store.conversations.addNote(stored.id, { entry: note.message, sealed })))
    throw visitorError(
      'no_such_message',
      'The conversation has no message of this number, or has 100 notes.',
    );
}

async function named(store: CustomerStore, site: Site, reference: string): Promise<StoredConversation> {
  const stored = await store.conversations.findByReference(site.id, parseReference(reference));
  if (stored === undefined) throw notFound('conversation');
  return stored;
}

async function found(store: CustomerStore, site: Site, id: RequestId): Promise<StoredVisitorRequest> {
  const request = await store.requests.find(site.id, id);
  if (request === undefined) throw notFound('visitor request');
  return request;
}

async function conversationOf(
  store: CustomerStore,
  site: Site,
  { conversationId: id }: StoredVisitorRequest,
): Promise<StoredConversation> {
  const stored = id === null ? undefined : await store.conversations.find(site.id, id);
  if (stored === undefined) throw notFound('conversation');
  return stored;
}

function isCopy(kind: RightKind): boolean {
  return kind === 'access' || kind === 'portability';
}

function noCopy(): PlatformError {
  return visitorError('no_copy', 'This request is not for a copy, or was refused.');
}

function copyFirst(): PlatformError {
  return visitorError(
    'copy_first',
    'This request is for a copy: fetch it and hand it to the visitor, which ends the request.',
  );
}

function visitorError(what: string, message: string): PlatformError {
  return new PlatformError({ kind: 'failed_precondition', code: `rights.${what}`, message });
}
