import type { RecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import { notFound } from '../kernel/errors.ts';
import type { AnswerVisitor, VisitorAnswer } from './answering.ts';
import type { Budgets } from './budgets.ts';
import type { WriteEntry } from './conversation-writer.ts';
import type { Rating } from './customer-store.ts';
import type { Customers } from './customers.ts';
import type { Turn } from './entries.ts';
import { aimeeErrors } from './errors.ts';
import type { AimeeLimits } from './limits.ts';
import type { Mails } from './mails.ts';
import type { HandOver, Site, Sites } from './sites.ts';
import { type Tickets, shownReference } from './tickets.ts';

export interface VisitorsOptions {
  readonly sites: Pick<Sites, 'forVisitors'>;
  readonly customers: Pick<Customers, 'find'>;
  readonly budgets: Budgets;
  readonly tickets: Tickets;
  readonly answer: AnswerVisitor;
  readonly write: WriteEntry;
  readonly mails: Mails;
  readonly recordRequest: RecordRequest;
  readonly limits: Pick<AimeeLimits, 'deadlineMs'>;
}

/** What every request of a widget says of itself. */
export interface Visit {
  /** Public key of the site. */
  readonly site: string;
  /** Origin of the page around the widget, as the widget says. */
  readonly origin?: string | undefined;
  /** Address of the visitor's network. */
  readonly originIp: string;
}

export interface VisitorMessage extends Visit {
  readonly text: string;
  readonly turns: readonly Turn[];
  readonly ticket?: string | undefined;
  readonly language?: string | undefined;
}

export interface Answered extends Omit<VisitorAnswer, 'text'> {
  readonly ticket: string;
  readonly reference: string;
  /** Of the answer in its conversation. */
  readonly message: number;
  readonly handOver: { readonly kind: 'email' } | Extract<HandOver, { kind: 'link' }> | null;
}

/** A message that was let in and waits for its answer. */
export interface Admitted {
  readonly siteId: string;
  /**
   * Resolves once question and answer are durable; until then nothing of them is kept. `onText` hears the answer as it
   * comes.
   */
  readonly answer: (onText: (text: string) => void, signal: AbortSignal) => Promise<Answered>;
}

/**
 * What visitors can do: ask, rate an answer, ask for a person. There is nothing that reads. Everything rejects with
 * `site.not_found` for unknown sites and those that are switched off, `aimee.origin_not_allowed`, and
 * `aimee.too_many_messages`.
 */
export interface Visitors {
  message(message: VisitorMessage): Promise<Admitted>;
  /** Rejects with `conversation.not_found` for a ticket of another site or of before the last start. */
  rate(visit: Visit & { ticket: string; message: number; rating: Rating }): Promise<void>;
  /** Rejects with `aimee.no_hand_over`. Without a live ticket it begins a conversation. */
  handOver(
    visit: Visit & { ticket: string; email: string; text: string; turns: readonly Turn[] },
  ): Promise<void>;
}

export function createVisitors(options: VisitorsOptions): Visitors {
  const { sites, customers, budgets, tickets, write, mails } = options;

  async function admit({ site: key, origin, originIp }: Visit): Promise<Site> {
    const site = await sites.forVisitors(key);
    if (site === undefined) throw notFound('site');
    const isListed = origin !== undefined && site.allowedOrigins.includes(origin);
    if (site.allowedOrigins.length > 0 && !isListed) throw aimeeErrors.originRefused();
    const { id: siteId, messagesPerMinute: perMinute, messagesPerDay: perDay } = site;
    budgets.spend({ siteId, originIp, perMinute, perDay });
    return site;
  }

  return {
    async message(message) {
      const site = await admit(message);
      return {
        siteId: site.id,
        answer: (onText, signal) => answerMessage(options, { site, message, onText, signal }),
      };
    },
    async rate({ ticket, message, rating, ...visit }) {
      const site = await admit(visit);
      const opened = tickets.open(site.id, ticket);
      if (opened === undefined) throw notFound('conversation');
      const answer = { id: opened.conversationId, number: message };
      const isThere = await customers.find(site.accountId, (store) =>
        store.conversations.rate(site.id, answer, rating),
      );
      if (isThere !== true) throw notFound('conversation');
    },
    async handOver({ ticket, email, text, turns, ...visit }) {
      const site = await admit(visit);
      if (site.handOver.kind !== 'email') throw aimeeErrors.noHandOver();
      await write(site.accountId, {
        siteId: site.id,
        ticket: tickets.open(site.id, ticket),
        entry: { kind: 'hand-over', answered: true, content: { email, text, turns } },
      });
      mails.send({ to: site.handOver.email, siteName: site.name, visitor: email, text });
    },
  };
}

interface Answering {
  readonly site: Site;
  readonly message: VisitorMessage;
  readonly onText: (text: string) => void;
  readonly signal: AbortSignal;
}

async function answerMessage(
  { tickets, answer, write, recordRequest, limits }: VisitorsOptions,
  { site, message, onText, signal: left }: Answering,
): Promise<Answered> {
  const { id: siteId, accountId, handOver } = site;
  const { text: question, turns, language, originIp } = message;
  const request = {
    accountId,
    originIp,
    functionId: REQUEST_IDS.aimee,
    signal: left,
    deadlineMs: limits.deadlineMs,
  };
  return await recordRequest(request, async (signal) => {
    const said = await answer({ site, text: question, turns, language, originIp, signal, onText });
    const { answered, sources } = said;
    signal.throwIfAborted();
    const ticket = message.ticket === undefined ? undefined : tickets.open(siteId, message.ticket);
    const content = { question, answer: said.text, sources };
    const written = await write(accountId, { siteId, ticket, entry: { kind: 'answer', answered, content } });
    return {
      answered,
      sources,
      ticket: tickets.issue(siteId, written),
      reference: shownReference(written.reference),
      message: written.number,
      handOver: offered(handOver),
    };
  });
}

/** Visitors are not told whose mailbox it is. */
function offered(handOver: HandOver): Answered['handOver'] {
  if (handOver.kind === 'none') return null;
  return handOver.kind === 'email' ? { kind: 'email' } : handOver;
}
