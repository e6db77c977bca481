import * as z from 'zod';
import { AIMEE_PATH, AIMEE_SITE_PATH as SITE, AimeeSitePath, Receipt } from './aimee.ts';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

/** What visitors and assistants said, counted, purged, exported, and lent to support: for whoever brings the account key. */

export const GRANT_MINUTES_MAX = 60;
export const GRANT_CONVERSATIONS_MAX = 20;

export const AimeeRating = z.enum(['up', 'down', 'none']);

const ConversationId = z.string().regex(/^conv_[0-9A-Za-z]{20}$/);

export const AimeeConversationSummary = z.object({
  id: ConversationId,
  reference: z.string().describe('What the widget showed the visitor, to name the conversation by'),
  startedAt: Time,
  messages: Count,
  unanswered: Count,
  up: Count,
  down: Count,
  handedOver: z.boolean(),
  restricted: z.boolean().describe('Kept and not used, as the visitor asked: it cannot be read'),
  objected: z.boolean().describe('Left out of searches, overviews and statistics, as the visitor asked'),
  firstQuestion: z.string().describe('At most 200 characters'),
});
export type AimeeConversationSummary = z.infer<typeof AimeeConversationSummary>;

export const AimeeConversations = z.object({
  conversations: z.array(AimeeConversationSummary),
  next: z.string().nullable().describe('`cursor` of the next page'),
});
export type AimeeConversations = z.infer<typeof AimeeConversations>;

export const AimeeFound = AimeeConversations.extend({
  searched: Count.describe('Conversations that were looked into; with `next` there are older ones'),
});
export type AimeeFound = z.infer<typeof AimeeFound>;

export const AimeeEntry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answer'),
    number: Count,
    question: z.string(),
    answer: z.string().describe('Markdown without images; links are text'),
    answered: z.boolean(),
    rating: AimeeRating,
    sources: z.array(z.object({ title: z.string(), url: z.string().nullable() })),
  }),
  z.object({
    kind: z.literal('hand-over'),
    number: Count,
    email: z.string(),
    text: z.string(),
    turns: z.array(z.object({ role: z.enum(['visitor', 'assistant']), text: z.string() })),
  }),
]);
export type AimeeEntry = z.infer<typeof AimeeEntry>;

export const AimeeConversation = AimeeConversationSummary.omit({ firstQuestion: true }).extend({
  entries: z.array(AimeeEntry),
  notes: z
    .array(z.object({ entry: Count, text: z.string() }))
    .describe('What the visitor had corrected, beside the entry of that number'),
});
export type AimeeConversation = z.infer<typeof AimeeConversation>;

const Counters = {
  conversations: Count,
  messages: Count,
  answered: Count,
  unanswered: Count,
  up: Count,
  down: Count,
  handOvers: Count,
};

export const AimeeStatistics = z.object({
  days: z
    .array(z.object({ day: z.iso.date(), ...Counters }))
    .describe('UTC days with any traffic, oldest first'),
  total: z.object(Counters),
});
export type AimeeStatistics = z.infer<typeof AimeeStatistics>;

export const AimeeUnanswered = z.object({
  questions: z.array(z.object({ question: z.string(), times: Count, conversation: ConversationId })),
  searched: Count.describe('Unanswered messages that were looked into: the newest ones'),
});
export type AimeeUnanswered = z.infer<typeof AimeeUnanswered>;

export const AimeePurgeForm = z.discriminatedUnion('scope', [
  z.strictObject({ scope: z.literal('all') }),
  z.strictObject({
    scope: z.literal('range'),
    from: z.iso.date().describe('UTC; first day'),
    to: z.iso.date().describe('Last day, with it'),
  }),
  z.strictObject({ scope: z.literal('one'), conversation: ConversationId }),
  z.strictObject({ scope: z.literal('reference'), reference: z.string().trim().min(1).max(40) }),
]);
export type AimeePurgeForm = z.infer<typeof AimeePurgeForm>;

export const AimeePurged = z.object({ conversations: Count, receipt: Receipt });
export type AimeePurged = z.infer<typeof AimeePurged>;
export const AimeeStatisticsReset = z.object({ receipt: Receipt });

export const AimeeGrantForm = z.strictObject({
  site: z.string(),
  conversations: z.array(ConversationId).min(1).max(GRANT_CONVERSATIONS_MAX),
  reason: z.string().trim().min(3).max(300).describe('What support is asked about; staff and you see it'),
  minutes: z.int().min(1).max(GRANT_MINUTES_MAX),
});

export const AimeeGrant = z.object({
  id: z.string(),
  site: z.string(),
  conversations: z.array(ConversationId),
  reason: z.string(),
  createdAt: Time,
  endsAt: Time,
  ended: z
    .object({ at: Time, by: z.enum(['customer', 'time', 'restart']) })
    .nullable()
    .describe('Null while staff can read'),
  reads: Count,
});
export type AimeeGrant = z.infer<typeof AimeeGrant>;
export const AimeeGrants = z.object({ grants: z.array(AimeeGrant).describe('Newest first') });

export const AimeeAccessLog = z.object({
  entries: z
    .array(
      z.object({
        number: Count,
        at: Time,
        event: z.enum(['granted', 'read', 'ended']),
        grant: z.string(),
        conversation: ConversationId.nullable(),
        hash: z.string().describe('SHA-256 over the entry and the hash before it'),
      }),
    )
    .describe('Newest first'),
  head: z.string().describe('Hash of the last entry; note it to prove that nothing before it was changed'),
  intact: z.boolean().describe('Whether every hash follows from the entries'),
});
export type AimeeAccessLog = z.infer<typeof AimeeAccessLog>;

export const AimeeSupportGrant = z.object({
  id: z.string(),
  account: z.object({ id: z.string(), name: z.string() }),
  siteName: z.string(),
  conversations: z.array(ConversationId),
  reason: z.string(),
  endsAt: Time,
});
export const AimeeSupportGrants = z.object({ grants: z.array(AimeeSupportGrant) });
export type AimeeSupportGrants = z.infer<typeof AimeeSupportGrants>;

const Conversation = AimeeSitePath.extend({ conversationId: z.string().max(40) });
const Grant = z.object({ grantId: z.string().max(40) });
const Range = {
  from: z.iso.date().exactOptional().describe('UTC; first day'),
  to: z.iso.date().exactOptional().describe('Last day, with it'),
};
const Page = {
  cursor: z.string().max(100).exactOptional(),
  limit: z.coerce.number<string>().int().min(1).max(100).default(50),
};
const Filters = {
  ...Range,
  answered: z
    .enum(['all', 'yes', 'no'])
    .default('all')
    .describe('`no`: with a question that the knowledge did not answer'),
  rating: z.enum(['all', 'up', 'down']).default('all'),
};

export const aimeeConversationRoutes = {
  listAimeeConversations: {
    method: 'GET',
    path: `${SITE}/conversations`,
    summary: 'Conversations, newest first',
    access: 'key',
    params: AimeeSitePath,
    query: z.object({ ...Filters, ...Page }),
    success: { status: 200, content: 'json', schema: AimeeConversations },
    errors: [400, 401, 404],
  },
  searchAimeeConversations: {
    method: 'POST',
    path: `${SITE}/conversations/search`,
    summary: 'Conversations in which a text occurs, newest first; opened in memory and forgotten',
    access: 'key',
    params: AimeeSitePath,
    body: z.strictObject({
      text: z.string().trim().min(2).max(200),
      ...Filters,
      cursor: z.string().max(100).exactOptional(),
      limit: z.int().min(1).max(100).default(50),
    }),
    success: { status: 200, content: 'json', schema: AimeeFound },
    errors: [400, 401, 404, 413, 415],
  },
  getAimeeConversation: {
    method: 'GET',
    path: `${SITE}/conversations/{conversationId}`,
    summary: 'One conversation to read',
    access: 'key',
    params: Conversation,
    success: { status: 200, content: 'json', schema: AimeeConversation },
    errors: [401, 404, 423],
  },
  exportAimeeConversations: {
    method: 'GET',
    path: `${SITE}/export`,
    summary: 'All conversations of a span of days as CSV or JSON, oldest first',
    access: 'key',
    fresh: true,
    params: AimeeSitePath,
    query: z.object({ ...Range, format: z.enum(['csv', 'json']) }),
    success: { status: 200, content: 'stream', mediaTypes: ['text/csv', 'application/json'] },
    errors: [400, 401, 403, 404],
  },
  getAimeeStatistics: {
    method: 'GET',
    path: `${SITE}/statistics`,
    summary: 'Counters per day',
    access: 'key',
    params: AimeeSitePath,
    query: z.object(Range),
    success: { status: 200, content: 'json', schema: AimeeStatistics },
    errors: [400, 401, 404],
  },
  listAimeeUnanswered: {
    method: 'GET',
    path: `${SITE}/unanswered`,
    summary: 'Questions that the knowledge did not answer, the most frequent first',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeUnanswered },
    errors: [401, 404],
  },
  purgeAimeeConversations: {
    method: 'POST',
    path: `${SITE}/purge`,
    summary: 'Destroy conversations for good and at once; statistics stay',
    access: 'key',
    fresh: true,
    params: AimeeSitePath,
    body: AimeePurgeForm,
    success: { status: 200, content: 'json', schema: AimeePurged },
    errors: [400, 401, 403, 404, 413, 415],
  },
  resetAimeeStatistics: {
    method: 'POST',
    path: `${SITE}/statistics/reset`,
    summary: 'Set all counters to zero for good; conversations stay',
    access: 'key',
    fresh: true,
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeStatisticsReset },
    errors: [401, 403, 404],
  },
  createAimeeGrant: {
    method: 'POST',
    path: `${AIMEE_PATH}/grants`,
    summary: 'Let the staff of this installation read some conversations for a while',
    access: 'key',
    fresh: true,
    body: AimeeGrantForm,
    success: { status: 201, content: 'json', schema: AimeeGrant },
    errors: [400, 401, 403, 404, 413, 415, 429],
  },
  listAimeeGrants: {
    method: 'GET',
    path: `${AIMEE_PATH}/grants`,
    summary: 'Grants that were given, with what was read',
    access: 'key',
    success: { status: 200, content: 'json', schema: AimeeGrants },
    errors: [401],
  },
  endAimeeGrant: {
    method: 'DELETE',
    path: `${AIMEE_PATH}/grants/{grantId}`,
    summary: 'End a grant; nobody reads from this moment on',
    access: 'key',
    params: Grant,
    success: { status: 200, content: 'json', schema: AimeeGrant },
    errors: [401, 404],
  },
  getAimeeAccessLog: {
    method: 'GET',
    path: `${AIMEE_PATH}/access-log`,
    summary: 'Every grant and every read of staff, in a chain of hashes',
    access: 'key',
    success: { status: 200, content: 'json', schema: AimeeAccessLog },
    errors: [401],
  },
  listAimeeSupportGrants: {
    method: 'GET',
    path: `${AIMEE_PATH}/support/grants`,
    summary: 'What customers let the staff read at present',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: AimeeSupportGrants },
    errors: [401, 403],
  },
  readAimeeSupportConversation: {
    method: 'GET',
    path: `${AIMEE_PATH}/support/grants/{grantId}/conversations/{conversationId}`,
    summary: 'Read a granted conversation; the customer sees that you did',
    access: 'ownerKey',
    params: Grant.extend({ conversationId: z.string().max(40) }),
    success: { status: 200, content: 'json', schema: AimeeConversation },
    errors: [401, 403, 404],
  },
} as const satisfies Record<string, Route>;
