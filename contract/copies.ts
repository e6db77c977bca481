import * as z from 'zod';
import { RIGHTS_PATH } from './rights.ts';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

/** Access and portability (Articles 15 and 20 of the GDPR): the copy, and its way from one installation to another. */

const ZIP = ['application/zip'] as const;

const Taken = {
  taken: z.record(z.string(), Count).describe('How many objects were taken over, by kind'),
  leftCount: Count.describe('Objects that stayed behind'),
  receipt: z.string().describe('Compact JWS of the installation that took the copy'),
};

export const TakenCopy = z.object({
  ...Taken,
  left: z
    .array(z.object({ kind: z.string(), name: z.string(), code: z.string() }))
    .describe('The first hundred of what stayed behind, and the code of the reason'),
});
export type TakenCopy = z.infer<typeof TakenCopy>;

/** What a sender is told; names of what is there already are none of its business. */
export const ReceivedCopy = z.object(Taken);
export type ReceivedCopy = z.infer<typeof ReceivedCopy>;

export const CopyInvitation = z.object({
  address: z.url().describe('Where another controller sends the copy'),
  token: z.string().describe('Lets it send one, once; shown once'),
  expiresAt: Time,
});
export type CopyInvitation = z.infer<typeof CopyInvitation>;

export const CopyInvitationState = z.object({
  invitation: z
    .object({ expiresAt: Time, outcome: TakenCopy.nullable().describe('Once a copy has come') })
    .nullable(),
});
export type CopyInvitationState = z.infer<typeof CopyInvitationState>;

export const TransmitCopy = z.strictObject({
  address: z.string().max(2048).describe('As the invitation of the receiver says'),
  token: z.string().min(1).max(200),
});

export const copyRoutes = {
  getCopy: {
    method: 'GET',
    path: `${RIGHTS_PATH}/copy`,
    summary: 'Everything that is kept of the account, as a BagIt zip; one that is cut off is not whole',
    access: 'key',
    fresh: true,
    ownAct: true,
    success: { status: 200, content: 'stream', mediaTypes: ZIP },
    errors: [401, 403, 429],
  },
  importCopy: {
    method: 'POST',
    path: `${RIGHTS_PATH}/imports`,
    summary: 'Take over a copy of another installation: each object wholly or not at all',
    access: 'key',
    fresh: true,
    stream: ZIP,
    success: { status: 200, content: 'json', schema: TakenCopy },
    errors: [400, 401, 403, 413, 415, 429],
  },
  inviteCopy: {
    method: 'POST',
    path: `${RIGHTS_PATH}/invitations`,
    summary:
      'Let another controller send one copy into this account, within a day; ends the former invitation',
    access: 'key',
    fresh: true,
    success: { status: 201, content: 'json', schema: CopyInvitation },
    errors: [401, 403],
  },
  getCopyInvitation: {
    method: 'GET',
    path: `${RIGHTS_PATH}/invitations`,
    summary: 'The present invitation, and what came of it',
    access: 'key',
    ownAct: true,
    success: { status: 200, content: 'json', schema: CopyInvitationState },
    errors: [401],
  },
  revokeCopyInvitation: {
    method: 'DELETE',
    path: `${RIGHTS_PATH}/invitations`,
    summary: 'Take the invitation back',
    access: 'key',
    ownAct: true,
    success: { status: 204, content: 'none' },
    errors: [401],
  },
  receiveCopy: {
    method: 'POST',
    path: `${RIGHTS_PATH}/receptions`,
    summary: 'Send a copy into the account that invited to it, whose token is the bearer',
    access: 'open',
    stream: ZIP,
    success: { status: 200, content: 'json', schema: ReceivedCopy },
    errors: [400, 403, 409, 413, 415, 429],
  },
  transmitCopy: {
    method: 'POST',
    path: `${RIGHTS_PATH}/transmissions`,
    summary: 'Send the copy to another installation that invited to it',
    access: 'key',
    fresh: true,
    ownAct: true,
    body: TransmitCopy,
    success: { status: 200, content: 'json', schema: ReceivedCopy },
    errors: [400, 401, 403, 413, 415, 429, 502],
  },
} as const satisfies Record<string, Route>;
