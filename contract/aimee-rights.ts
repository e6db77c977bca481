import * as z from 'zod';
import { AIMEE_SITE_PATH as SITE, AimeeSitePath } from './aimee.ts';
import { AimeeConversation } from './aimee-conversations.ts';
import { DecisionReason, ReceivedOn, RequestClock, RequestId, RequestState, RightKind } from './rights.ts';
import type { Route } from './route.ts';
import { Time } from './scalars.ts';

/** The rights of visitors, whom the customer answers: by the reference that the chat has shown them. */

export const VisitorRequest = z.object({
  id: RequestId,
  kind: RightKind,
  reference: z.string().nullable().describe('Null once the conversation is gone'),
  state: RequestState,
  ...RequestClock,
});
export type VisitorRequest = z.infer<typeof VisitorRequest>;

export const VisitorRequests = z.object({ requests: z.array(VisitorRequest).describe('Newest first') });
export type VisitorRequests = z.infer<typeof VisitorRequests>;

const Note = z
  .strictObject({
    message: z.int().min(1).describe('Number of the message that it stands beside'),
    text: z.string().trim().min(1).max(2000),
  })
  .describe('Of a rectification: what is right, in the words of the visitor');

export const BeginVisitorRequest = z.strictObject({
  kind: RightKind,
  reference: z.string().trim().min(1).max(40).describe('As the chat has shown it'),
  receivedOn: ReceivedOn.exactOptional(),
  carryOut: z.boolean().default(true).describe('False: note it, and decide later'),
  note: Note.exactOptional(),
});
export type BeginVisitorRequest = z.input<typeof BeginVisitorRequest>;

export const CompleteVisitorRequest = z.strictObject({ note: Note.exactOptional() });

/** What is kept of a visitor, for him to take along. */
export const VisitorCopy = z.object({
  format: z.literal('jellyfaas-conversation/1'),
  generatedAt: Time,
  site: z.string(),
  conversation: AimeeConversation,
  about: z.object({
    purpose: z.string(),
    recipients: z.array(z.string()),
    retention: z.string(),
    rights: z.string(),
  }),
});
export type VisitorCopy = z.infer<typeof VisitorCopy>;

const PATH = `${SITE}/requests`;
const OfRequest = AimeeSitePath.extend({ requestId: RequestId });
const ERRORS = [400, 401, 403, 404, 409, 413, 415];
const answer = { status: 200, content: 'json', schema: VisitorRequest } as const;

export const aimeeRightsRoutes = {
  listVisitorRequests: {
    method: 'GET',
    path: PATH,
    summary: 'Requests of visitors under the GDPR, with the days that are left to answer them',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: VisitorRequests },
    errors: [401, 404],
  },
  beginVisitorRequest: {
    method: 'POST',
    path: PATH,
    summary:
      'Note what a visitor asks, and carry it out unless it says otherwise; a copy is fetched afterwards',
    access: 'key',
    fresh: true,
    params: AimeeSitePath,
    body: BeginVisitorRequest,
    success: { status: 201, content: 'json', schema: VisitorRequest },
    errors: ERRORS,
  },
  getVisitorCopy: {
    method: 'GET',
    path: `${PATH}/{requestId}/copy`,
    summary: 'The conversation as a copy for the visitor; ends a request for access or portability',
    access: 'key',
    fresh: true,
    params: OfRequest,
    success: { status: 200, content: 'json', schema: VisitorCopy },
    errors: [401, 403, 404, 409],
  },
  completeVisitorRequest: {
    method: 'POST',
    path: `${PATH}/{requestId}/completion`,
    summary: 'Carry out a request that was noted',
    access: 'key',
    fresh: true,
    params: OfRequest,
    body: CompleteVisitorRequest,
    success: answer,
    errors: ERRORS,
  },
  extendVisitorRequest: {
    method: 'POST',
    path: `${PATH}/{requestId}/extension`,
    summary: 'Take two months more, once, with a reason that the visitor is told',
    access: 'key',
    fresh: true,
    params: OfRequest,
    body: DecisionReason,
    success: answer,
    errors: ERRORS,
  },
  refuseVisitorRequest: {
    method: 'POST',
    path: `${PATH}/{requestId}/refusal`,
    summary: 'Refuse a request, with a reason that the visitor is told',
    access: 'key',
    fresh: true,
    params: OfRequest,
    body: DecisionReason,
    success: answer,
    errors: ERRORS,
  },
} as const satisfies Record<string, Route>;
