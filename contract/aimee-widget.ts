import * as z from 'zod';
import type { Route } from './route.ts';

/**
 * What the AI.Mee widget says to the server, and all of it: one request at Submit, one for a thumb, one for a hand-over.
 * Visitors have no account and no credential; there is no route that reads anything back. Requests carry no cookie, and
 * `Origin: null`, because the widget lives in a sandboxed frame.
 */

const SITE = /^site_[0-9A-Za-z]{20}$/;
const SiteKey = z.string().regex(SITE).describe('Public key of the site, from the embed snippet');
const EmbeddingOrigin = z
  .string()
  .max(200)
  .optional()
  .describe('Origin of the page around the widget, as the frame itself sees it (`location.ancestorOrigins`)');
const Ticket = z
  .string()
  .max(600)
  .describe(
    'Opaque; from the last answer. It lets the next message join the conversation, and reads nothing',
  );

export const WIDGET_TEXT_LENGTH_MAX = 4_000;
export const WIDGET_TURNS_MAX = 20;

export const WidgetMessage = z.strictObject({
  site: SiteKey,
  origin: EmbeddingOrigin,
  text: z.string().trim().min(1).max(WIDGET_TEXT_LENGTH_MAX),
  turns: z
    .array(z.strictObject({ role: z.enum(['visitor', 'assistant']), text: z.string().max(16_000) }))
    .max(WIDGET_TURNS_MAX)
    .default([])
    .describe('Earlier turns from the memory of the widget: the server cannot read its own record'),
  ticket: Ticket.optional(),
  language: z.string().max(35).optional().describe('BCP 47 tag of the widget'),
});
export type WidgetMessage = z.infer<typeof WidgetMessage>;

export const WidgetSource = z.object({
  title: z.string(),
  url: z.string().nullable().describe("A page of the customer's own site; null for documents"),
});
export type WidgetSource = z.infer<typeof WidgetSource>;

/** Server-sent events; their names are the types. The stream ends with `done` or `error`; without either it was cut. */
export const WidgetEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('done'),
    answered: z.boolean().describe('False: the knowledge of the site does not say'),
    sources: z.array(WidgetSource),
    ticket: z.string(),
    reference: z
      .string()
      .describe('To name the conversation to the site’s owner, for example to have it deleted'),
    message: z.int().min(1).describe('Number of this answer in the conversation, for feedback'),
    handOver: z
      .union([
        z.object({ kind: z.literal('email') }),
        z.object({ kind: z.literal('link'), url: z.string(), label: z.string() }),
      ])
      .nullable(),
  }),
  z.object({
    type: z.literal('error'),
    code: z.string(),
    detail: z.string(),
    retryAfter: z.int().optional(),
  }),
]);
export type WidgetEvent = z.infer<typeof WidgetEvent>;

export const WidgetFeedback = z.strictObject({
  site: SiteKey,
  origin: EmbeddingOrigin,
  ticket: Ticket,
  message: z.int().min(1).max(1000),
  rating: z.enum(['up', 'down', 'none']),
});
export type WidgetFeedback = z.infer<typeof WidgetFeedback>;

export const WidgetHandOver = z.strictObject({
  site: SiteKey,
  origin: EmbeddingOrigin,
  ticket: Ticket,
  email: z.email().max(254),
  text: z.string().trim().max(WIDGET_TEXT_LENGTH_MAX).default(''),
  turns: WidgetMessage.shape.turns.describe('Sent along only if the visitor agreed to it'),
});
export type WidgetHandOver = z.infer<typeof WidgetHandOver>;

export const aimeeWidgetRoutes = {
  sendWidgetMessage: {
    method: 'POST',
    path: '/aimee/v1/messages',
    summary: 'A visitor’s message; the answer streams',
    access: 'open',
    body: WidgetMessage,
    success: { status: 200, content: 'events', schema: WidgetEvent },
    errors: [400, 403, 404, 413, 415, 423, 429, 503],
  },
  sendWidgetFeedback: {
    method: 'POST',
    path: '/aimee/v1/feedback',
    summary: 'Thumbs up or down for an answer',
    access: 'open',
    body: WidgetFeedback,
    success: { status: 204, content: 'none' },
    errors: [400, 403, 404, 413, 415, 423, 429],
  },
  requestWidgetHandOver: {
    method: 'POST',
    path: '/aimee/v1/hand-over',
    summary: 'Ask a person of the site to answer by e-mail',
    access: 'open',
    body: WidgetHandOver,
    success: { status: 204, content: 'none' },
    errors: [400, 403, 404, 409, 413, 415, 423, 429, 503],
  },
} as const satisfies Record<string, Route>;
