import * as z from 'zod';
import type { Route } from './route.ts';
import { Time } from './scalars.ts';

/**
 * Sessions of the portal. The cookie is the third credential beside API key and JFWT: it counts only together with the
 * header `x-jellyfaas-portal: 1` on same-origin requests, for every route that takes a key or token.
 */

export const SessionResource = z.object({
  account: z.object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role: z.enum(['owner', 'member']),
  }),
  unlocked: z
    .boolean()
    .describe('An API key opened the account key: databases, conversations and tokens are at hand'),
  fresh: z.boolean().describe('Signed in within the last five minutes, as dangerous acts want it'),
  expiresAt: Time,
  firstApiKey: z
    .string()
    .optional()
    .describe('The first key of an account that this sign-in made; shown by the first answer only'),
});
export type SessionResource = z.infer<typeof SessionResource>;

export const SignInWays = z.object({
  provider: z
    .object({ name: z.string(), url: z.string().describe('Begins the sign-in; a page, not a request') })
    .nullable(),
  link: z.literal(true).describe('`jellyfaas portal` prints a single-use link'),
});
export type SignInWays = z.infer<typeof SignInWays>;

export const SignInLink = z.object({
  url: z.url().describe('Opens the portal once, as you, unlocked'),
  expiresAt: Time,
});

export const SignedOut = z.object({
  providerUrl: z
    .url()
    .nullable()
    .describe(
      'The identity provider’s own page for signing out there, too; null for sessions that it did not begin, and without one',
    ),
});
export type SignedOut = z.infer<typeof SignedOut>;

const ApiKeyBody = z.strictObject({ apiKey: z.string().min(1).max(200) });

export const sessionRoutes = {
  getSignInWays: {
    method: 'GET',
    path: '/api/v1/sign-in',
    summary: 'How one gets into the portal',
    access: 'open',
    success: { status: 200, content: 'json', schema: SignInWays },
    errors: [],
  },
  createSignInLink: {
    method: 'POST',
    path: '/api/v1/sign-in-links',
    summary: 'A single-use link into the portal, good for ten minutes',
    access: 'key',
    fresh: true,
    success: { status: 201, content: 'json', schema: SignInLink },
    errors: [401],
  },
  redeemSignInLink: {
    method: 'POST',
    path: '/api/v1/session',
    summary: 'Begin a session with a single-use link, or with an API key',
    access: 'open',
    body: z.union([z.strictObject({ link: z.string().min(1).max(200) }), ApiKeyBody]),
    success: { status: 201, content: 'json', schema: SessionResource },
    errors: [400, 401, 403, 409, 413, 415, 429],
  },
  getSession: {
    method: 'GET',
    path: '/api/v1/session',
    summary: 'Who is signed in',
    access: 'session',
    success: { status: 200, content: 'json', schema: SessionResource },
    errors: [401],
  },
  unlockSession: {
    method: 'POST',
    path: '/api/v1/session/unlock',
    summary: 'Open what the account has sealed, with one of its API keys; counts as a fresh sign-in',
    access: 'session',
    body: ApiKeyBody,
    success: { status: 200, content: 'json', schema: SessionResource },
    errors: [400, 401, 413, 415],
  },
  createSessionToken: {
    method: 'POST',
    path: '/api/v1/session/token',
    summary: 'A JFWT for calls of functions from the portal; the session has to be unlocked',
    access: 'session',
    success: { status: 201, content: 'json', schema: z.object({ token: z.string(), expiresAt: Time }) },
    errors: [401, 403],
  },
  endSession: {
    method: 'DELETE',
    path: '/api/v1/session',
    summary: 'Sign out; the unlocked key is gone from memory',
    access: 'session',
    success: { status: 200, content: 'json', schema: SignedOut },
    errors: [401],
  },
} as const satisfies Record<string, Route>;
