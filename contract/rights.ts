import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

/** The rights of Articles 15 to 21 of the GDPR, for whoever has an account. */

export const RIGHTS_PATH = '/api/v1/rights';

/** `lifting` ends a restriction, `withdrawal` an objection. */
export const RightKind = z.enum([
  'access',
  'rectification',
  'erasure',
  'restriction',
  'lifting',
  'portability',
  'objection',
  'withdrawal',
]);
export type RightKind = z.infer<typeof RightKind>;

/** What the data map rests on legitimate interest, and one may therefore object to. */
export const ObjectionPurpose = z.enum(['origin-ip', 'statistics']);
export type ObjectionPurpose = z.infer<typeof ObjectionPurpose>;

/**
 * `received`: not proven yet to be the person's own. `verified`: waits for the operator. `running`: the platform does it,
 * with a step left for the person. `extended`: like `verified`, with two months more.
 */
export const RequestState = z.enum(['received', 'verified', 'running', 'extended', 'done', 'refused']);
export type RequestState = z.infer<typeof RequestState>;

export const RequestId = z.string().regex(/^req_[0-9A-Za-z]{20}$/);

/** Why an extension or a refusal, in the words of whoever decides; the person reads them. */
export const DecisionReason = z.strictObject({ reason: z.string().trim().min(5).max(500) });

export const RequestClock = {
  receivedOn: z.iso.date(),
  dueOn: z.iso.date().describe('The answer is due by the end of this day'),
  daysLeft: z.int().nullable().describe('Negative when overdue; null once it has ended'),
  reminder: z
    .union([z.literal(0), z.literal(20), z.literal(27)])
    .describe('Last day of the month that was called out'),
  extension: z.object({ on: z.iso.date(), reason: z.string() }).nullable(),
  endedOn: z.iso.date().nullable(),
  refusal: z.string().nullable().describe('Why it was refused'),
  receipt: z.string().nullable().describe('Compact JWS over kind, days and result, once it has ended'),
};

export const RightsRequest = z.object({
  id: RequestId,
  kind: RightKind,
  purpose: ObjectionPurpose.nullable(),
  state: RequestState,
  byOperator: z.boolean().describe('The operator carries it out, not the platform'),
  missing: Count.describe('Parts that the copy given lacks because they could not be read; it names them'),
  ...RequestClock,
  next: z
    .string()
    .nullable()
    .describe('Method and path of the request that carries it out; null when there is nothing to do'),
});
export type RightsRequest = z.infer<typeof RightsRequest>;

export const RightsRequests = z.object({ requests: z.array(RightsRequest).describe('Newest first') });
export type RightsRequests = z.infer<typeof RightsRequests>;

export const BeginRequest = z.strictObject({
  kind: RightKind,
  purpose: ObjectionPurpose.exactOptional().describe('Of an objection and its withdrawal'),
  byOperator: z
    .boolean()
    .default(false)
    .describe('Ask the operator, because you cannot do it yourself, say without your API key'),
});
export type BeginRequest = z.input<typeof BeginRequest>;

/** When a request reached whoever answers it; its month counts from there. */
export const ReceivedOn = z.iso
  .date()
  .describe('The day on which it was asked, at most 90 ago; today if absent');

/** What came by letter or telephone; the person confirms it after a sign-in by beginning the same. */
export const NoteRequest = BeginRequest.pick({ kind: true, purpose: true }).extend({
  email: z.string().max(1000).describe('Of the account'),
  receivedOn: ReceivedOn.exactOptional(),
});

/** What a right that was carried out answers with. */
export const CarriedOut = z.object({ request: RightsRequest });

export const EraseAccount = z.strictObject({ confirm: z.string().max(40).describe('Id of the account') });
export const AccountErased = z.object({
  receipt: z.string().describe('Compact JWS'),
  retained: z.array(z.object({ what: z.string(), why: z.string() })),
});
export type AccountErased = z.infer<typeof AccountErased>;

export const RightsState = z.object({
  restricted: z.object({ since: Time }).nullable(),
  objections: z.array(ObjectionPurpose),
});
export type RightsState = z.infer<typeof RightsState>;

/** An open request as the owner of the installation sees it. */
export const OpenRequest = RightsRequest.omit({ next: true }).extend({
  account: z.object({ id: z.string(), name: z.string(), email: z.string() }),
});
export type OpenRequest = z.infer<typeof OpenRequest>;
export const OpenRequests = z.object({
  open: z.array(OpenRequest).describe('The most urgent first'),
  overdue: Count,
});
export type OpenRequests = z.infer<typeof OpenRequests>;

const ERRORS = [400, 401, 403, 404, 409, 413, 415];
const ACT_ERRORS = [400, 401, 403, 409, 413, 415, 503];
const OfPurpose = z.object({ purpose: ObjectionPurpose });
const OfRequest = z.object({ requestId: RequestId });

export const rightsRoutes = {
  getRightsState: {
    method: 'GET',
    path: RIGHTS_PATH,
    summary: 'Whether the use of your data is restricted, and what you have objected to',
    access: 'key',
    ownAct: true,
    success: { status: 200, content: 'json', schema: RightsState },
    errors: [401],
  },
  eraseAccount: {
    method: 'POST',
    path: `${RIGHTS_PATH}/erasure`,
    summary: 'Erase your account and all that is kept of it, for good; it is gone when this answers',
    access: 'key',
    fresh: true,
    ownAct: true,
    body: EraseAccount,
    success: { status: 200, content: 'json', schema: AccountErased },
    errors: ACT_ERRORS,
  },
  restrictAccount: {
    method: 'POST',
    path: `${RIGHTS_PATH}/restriction`,
    summary: 'Have your data kept and not used: no calls, questions, searches, chats on your sites, support',
    access: 'key',
    fresh: true,
    ownAct: true,
    success: { status: 200, content: 'json', schema: CarriedOut },
    errors: [401, 403],
  },
  liftRestriction: {
    method: 'DELETE',
    path: `${RIGHTS_PATH}/restriction`,
    summary: 'Lift the restriction: from the answer on your data is used again, and retention goes on',
    access: 'key',
    fresh: true,
    ownAct: true,
    success: { status: 200, content: 'json', schema: CarriedOut },
    errors: [401, 403],
  },
  objectToPurpose: {
    method: 'POST',
    path: `${RIGHTS_PATH}/objections/{purpose}`,
    summary: 'Object to what rests on legitimate interest: addresses in records of calls, or statistics',
    access: 'key',
    fresh: true,
    ownAct: true,
    params: OfPurpose,
    success: { status: 200, content: 'json', schema: CarriedOut },
    errors: [400, 401, 403],
  },
  withdrawObjection: {
    method: 'DELETE',
    path: `${RIGHTS_PATH}/objections/{purpose}`,
    summary: 'Take an objection back',
    access: 'key',
    fresh: true,
    ownAct: true,
    params: OfPurpose,
    success: { status: 200, content: 'json', schema: CarriedOut },
    errors: [400, 401, 403],
  },
  listRightsRequests: {
    method: 'GET',
    path: `${RIGHTS_PATH}/requests`,
    summary: 'Own requests under the rights of the GDPR, with their deadlines and receipts',
    access: 'key',
    ownAct: true,
    success: { status: 200, content: 'json', schema: RightsRequests },
    errors: [401],
  },
  beginRightsRequest: {
    method: 'POST',
    path: `${RIGHTS_PATH}/requests`,
    summary: 'Exercise a right; what can be done at once is done',
    access: 'key',
    ownAct: true,
    fresh: true,
    body: BeginRequest,
    success: { status: 201, content: 'json', schema: RightsRequest },
    errors: [400, 401, 403, 409, 413, 415],
  },
  listOpenRequests: {
    method: 'GET',
    path: `${RIGHTS_PATH}/all-requests`,
    summary: 'Open requests of everybody, with the days that are left',
    access: 'ownerKey',
    success: { status: 200, content: 'json', schema: OpenRequests },
    errors: [401, 403],
  },
  noteRequest: {
    method: 'POST',
    path: `${RIGHTS_PATH}/all-requests`,
    summary: 'Note a request that came by other ways; its month runs, and it waits to be confirmed',
    access: 'ownerKey',
    fresh: true,
    body: NoteRequest,
    success: { status: 201, content: 'json', schema: OpenRequest },
    errors: ERRORS,
  },
  extendRequest: {
    method: 'POST',
    path: `${RIGHTS_PATH}/all-requests/{requestId}/extension`,
    summary: 'Take two months more for a request, once, with a reason that the person reads',
    access: 'ownerKey',
    fresh: true,
    params: OfRequest,
    body: DecisionReason,
    success: { status: 200, content: 'json', schema: OpenRequest },
    errors: ERRORS,
  },
  refuseRequest: {
    method: 'POST',
    path: `${RIGHTS_PATH}/all-requests/{requestId}/refusal`,
    summary: 'Refuse a request, with a reason that the person reads',
    access: 'ownerKey',
    fresh: true,
    params: OfRequest,
    body: DecisionReason,
    success: { status: 200, content: 'json', schema: OpenRequest },
    errors: ERRORS,
  },
  completeRequest: {
    method: 'POST',
    path: `${RIGHTS_PATH}/all-requests/{requestId}/completion`,
    summary: 'Carry a request out, or say that it was carried out by hand where the platform cannot',
    access: 'ownerKey',
    fresh: true,
    params: OfRequest,
    success: { status: 200, content: 'json', schema: OpenRequest },
    errors: ERRORS,
  },
} as const satisfies Record<string, Route>;
