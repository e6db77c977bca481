import type { FastifyInstance, FastifyReply } from 'fastify';
import {
  type AimeeConversation,
  type AimeeConversationSummary,
  type AimeeEntry,
  aimeeConversationRoutes as routes,
} from '../../../contract/index.ts';
import type { Conversation } from '../../aimee/conversation-reader.ts';
import type { ListedConversation } from '../../aimee/conversations.ts';
import type { Entry } from '../../aimee/entries.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import { bind } from '../control/bind.ts';
import { createTextAnswer } from '../control/text-answer.ts';
import { reportFailure } from '../errors.ts';
import type { AimeeOptions } from './parts.ts';

export function serveConversations(app: FastifyInstance, options: AimeeOptions): void {
  const { accounts } = options;
  const { conversations } = options.aimee.service;
  bind(app, accounts, routes.listAimeeConversations, async ({ unlock, params, query }) => {
    const { conversations: found, next } = await conversations.list(await unlock(), params.siteId, query);
    return { conversations: found.map(summary), next };
  });
  bind(app, accounts, routes.searchAimeeConversations, async ({ unlock, params, body }) => {
    const { conversations: found, ...rest } = await conversations.search(await unlock(), params.siteId, body);
    return { conversations: found.map(summary), ...rest };
  });
  bind(app, accounts, routes.getAimeeConversation, async ({ unlock, params }) =>
    shownConversation(await conversations.get(await unlock(), params.siteId, params.conversationId)),
  );
  bind(app, accounts, routes.listAimeeUnanswered, async ({ unlock, params }) =>
    conversations.unanswered(await unlock(), params.siteId),
  );
  bind(app, accounts, routes.exportAimeeConversations, async ({ unlock, params, query, reply }) => {
    const pieces = await conversations.export(await unlock(), params.siteId, query);
    await sendFile(options, reply, { format: query.format, pieces });
  });
}

async function sendFile(
  { events }: AimeeOptions,
  reply: FastifyReply,
  { format, pieces }: { readonly format: 'csv' | 'json'; readonly pieces: AsyncIterable<string> },
): Promise<void> {
  const mediaType = format === 'csv' ? 'text/csv' : 'application/json';
  const answer = createTextAnswer(reply, {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-disposition': `attachment; filename="conversations.${format}"`,
  });
  try {
    for await (const piece of pieces) await answer.write(piece);
    answer.end();
  } catch (thrown) {
    if (!answer.isOpen()) throw thrown;
    reportFailure(events, thrown, 'aimee');
    answer.cut();
  }
}

export function serveStatistics(app: FastifyInstance, { accounts, aimee }: AimeeOptions): void {
  const { conversations, purges } = aimee.service;
  bind(app, accounts, routes.getAimeeStatistics, async ({ principal, params, query }) =>
    conversations.statistics(principal.accountId, params.siteId, query),
  );
  bind(app, accounts, routes.purgeAimeeConversations, async ({ principal, params, body }) =>
    purges.purge(principal.accountId, params.siteId, body),
  );
  bind(app, accounts, routes.resetAimeeStatistics, async ({ principal, params }) => ({
    receipt: await purges.resetStatistics(principal.accountId, params.siteId),
  }));
}

function summary({ startedAt, ...conversation }: ListedConversation): AimeeConversationSummary {
  return { ...conversation, startedAt: rfc3339(startedAt * 1000) };
}

export function shownConversation({ startedAt, entries, notes, ...rest }: Conversation): AimeeConversation {
  const startedTime = rfc3339(startedAt * 1000);
  return { ...rest, startedAt: startedTime, entries: entries.map(shownEntry), notes: [...notes] };
}

function shownEntry(entry: Entry): AimeeEntry {
  return entry.kind === 'answer'
    ? { ...entry, sources: [...entry.sources] }
    : { ...entry, turns: [...entry.turns] };
}
