import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';
import { StartedUpload, UploadEvent, UploadProgress } from './vectors.ts';

/**
 * AI.Mee as its customers see it: sites, what their assistants know, what was said, and who else has read it. Visitors have
 * routes of their own (aimee-widget.ts), none of which reads. Conversations open only for whoever brings the account key:
 * an API key, or an unlocked session of the portal.
 */

export const SITES_PER_ACCOUNT_MAX = 20;
export const PERSONA_LENGTH_MAX = 4_000;
export const CRAWL_PAGES_MAX = 200;

const Origin = z
  .string()
  .max(200)
  .refine((text) => isOrigin(text), 'An origin is a scheme and a host, as in https://www.example.com.');

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && origin === text;
}

const WebUrl = z.url({ protocol: /^https?$/ }).max(500);

export const AimeeHandOver = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('email'),
    email: z
      .email()
      .max(254)
      .describe('Who is told that a visitor asks; nothing is sent without SMTP settings'),
  }),
  z.strictObject({ kind: z.literal('link'), url: WebUrl, label: z.string().trim().min(1).max(80) }),
]);
export type AimeeHandOver = z.infer<typeof AimeeHandOver>;

/** Attributes of the embed snippet, and nothing that the server answers by. */
export const AimeeLook = z.strictObject({
  title: z.string().trim().max(60).default('').describe('Heading of the chat; the name of the site if empty'),
  greeting: z.string().trim().max(300).default(''),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/)
    .default('#3b5bdb'),
  theme: z.enum(['auto', 'light', 'dark']).default('auto'),
  position: z.enum(['right', 'left']).default('right'),
  privacyUrl: WebUrl.or(z.literal(''))
    .default('')
    .describe("The site's own privacy text, linked from the chat"),
});
export type AimeeLook = z.infer<typeof AimeeLook>;

const settings = {
  name: z.string().trim().min(1).max(80),
  persona: z
    .string()
    .trim()
    .max(PERSONA_LENGTH_MAX)
    .default('')
    .describe('How the assistant speaks and what it is for. Facts belong into the knowledge'),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,3}(-[0-9A-Za-z]{2,8})*$/)
    .max(35)
    .nullable()
    .default(null)
    .describe('BCP 47; null answers in the language of the question'),
  allowedOrigins: z
    .array(Origin)
    .max(20)
    .default([])
    .describe('Pages of these origins may embed the widget; none listed: any page may'),
  suggestions: z.array(z.string().trim().min(1).max(120)).max(6).default([]),
  functions: z
    .array(z.string().min(1).max(100))
    .max(16)
    .default([])
    .describe('Shortnames of library functions that answers may call, with the rights of this account'),
  handOver: AimeeHandOver.default({ kind: 'none' }),
  retentionDays: z
    .int()
    .min(1)
    .max(3650)
    .nullable()
    .default(90)
    .describe('Older conversations are purged every hour; null keeps them until you purge'),
  isOn: z.boolean().default(true).describe('Off: visitors are answered as if the site did not exist'),
  messagesPerMinute: z.int().min(1).max(10_000).default(60),
  messagesPerDay: z.int().min(1).max(1_000_000).default(5_000),
  look: AimeeLook.prefault({}),
};

export const AimeeSiteForm = z.strictObject(settings);
export type AimeeSiteForm = z.infer<typeof AimeeSiteForm>;

export const AimeeSite = z.object({ id: z.string(), createdAt: Time, ...settings });
export type AimeeSite = z.infer<typeof AimeeSite>;
export const AimeeSites = z.object({
  sites: z.array(AimeeSite),
  canSendMail: z.boolean().describe('SMTP is set up, so that hand-overs by e-mail reach somebody'),
});
export type AimeeSites = z.infer<typeof AimeeSites>;

export const AimeeSnippet = z.object({
  html: z.string().describe('The one script tag, with the file’s integrity'),
  policy: z.string().describe('A paragraph for the privacy text of the site, HTML'),
  fileUrl: z.string().describe('The widget itself, for those who host it themselves'),
});
export type AimeeSnippet = z.infer<typeof AimeeSnippet>;

export const AimeeDocument = z.object({
  documentId: z.string(),
  title: z.string(),
  url: z.string().nullable().describe('Of crawled pages'),
  passages: Count,
});
export const AimeeKnowledge = z.object({
  documents: z.array(AimeeDocument),
  next: z.string().nullable().describe('`after` of the next page'),
});
export type AimeeKnowledge = z.infer<typeof AimeeKnowledge>;

export const AimeeCrawlForm = z.union([
  z.strictObject({ urls: z.array(WebUrl).min(1).max(CRAWL_PAGES_MAX) }),
  z.strictObject({ sitemap: WebUrl }),
]);
export type AimeeCrawlForm = z.infer<typeof AimeeCrawlForm>;

export const AimeeCrawl = z.object({
  status: z.enum(['idle', 'running', 'completed', 'cancelled']),
  pagesDone: Count,
  pages: Count,
  removed: Count.describe('Pages of an earlier crawl that were not there any more'),
  failures: z
    .array(z.object({ url: z.string(), code: z.string(), message: z.string() }))
    .describe('At most 20 of them; kept in memory until the next crawl'),
});
export type AimeeCrawl = z.infer<typeof AimeeCrawl>;

export const Receipt = z.string().describe('Compact JWS of the installation; its key set is public');
export const AimeeSiteDeleted = z.object({ receipt: Receipt });

export const AIMEE_PATH = '/api/v1/aimee';
export const AIMEE_SITE_PATH = `${AIMEE_PATH}/sites/{siteId}`;
export const AimeeSitePath = z.object({ siteId: z.string().max(40) });
const Upload = AimeeSitePath.extend({ uploadId: z.string().max(64) });

export const aimeeRoutes = {
  listAimeeSites: {
    method: 'GET',
    path: `${AIMEE_PATH}/sites`,
    summary: 'Sites with an assistant',
    access: 'key',
    success: { status: 200, content: 'json', schema: AimeeSites },
    errors: [401],
  },
  createAimeeSite: {
    method: 'POST',
    path: `${AIMEE_PATH}/sites`,
    summary: 'Give a site an assistant',
    access: 'key',
    body: AimeeSiteForm,
    success: { status: 201, content: 'json', schema: AimeeSite },
    errors: [400, 401, 404, 413, 415, 429, 503],
  },
  getAimeeSite: {
    method: 'GET',
    path: AIMEE_SITE_PATH,
    summary: 'One site',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeSite },
    errors: [401, 404],
  },
  updateAimeeSite: {
    method: 'PUT',
    path: AIMEE_SITE_PATH,
    summary: 'Replace the settings of a site; they count from the next message on',
    access: 'key',
    params: AimeeSitePath,
    body: AimeeSiteForm,
    success: { status: 200, content: 'json', schema: AimeeSite },
    errors: [400, 401, 404, 413, 415],
  },
  deleteAimeeSite: {
    method: 'DELETE',
    path: AIMEE_SITE_PATH,
    summary: 'Delete a site with its knowledge, conversations and statistics, for good',
    access: 'key',
    fresh: true,
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeSiteDeleted },
    errors: [401, 403, 404],
  },
  getAimeeSnippet: {
    method: 'GET',
    path: `${AIMEE_SITE_PATH}/snippet`,
    summary: 'What to paste into the pages of the site and into its privacy text',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeSnippet },
    errors: [401, 404, 503],
  },
  listAimeeKnowledge: {
    method: 'GET',
    path: `${AIMEE_SITE_PATH}/knowledge`,
    summary: 'Documents and pages that answers rest on',
    access: 'key',
    params: AimeeSitePath,
    query: z.object({
      after: z.string().max(100).exactOptional(),
      limit: z.coerce.number<string>().int().min(1).max(1000).default(100),
    }),
    success: { status: 200, content: 'json', schema: AimeeKnowledge },
    errors: [400, 401, 404, 503],
  },
  uploadAimeeDocument: {
    method: 'POST',
    path: `${AIMEE_SITE_PATH}/knowledge`,
    summary: 'Add a document; metadata `{"title": …}` is what visitors see as its source',
    access: 'key',
    params: AimeeSitePath,
    upload: 'document',
    success: { status: 202, content: 'json', schema: StartedUpload },
    errors: [400, 401, 404, 409, 413, 415, 429, 503],
  },
  getAimeeUpload: {
    method: 'GET',
    path: `${AIMEE_SITE_PATH}/uploads/{uploadId}`,
    summary: 'How far an upload is; streams until it has ended when text/event-stream is accepted',
    access: 'key',
    params: Upload,
    success: { status: 200, content: 'json', schema: UploadProgress, events: UploadEvent },
    errors: [401, 404, 503],
  },
  cancelAimeeUpload: {
    method: 'DELETE',
    path: `${AIMEE_SITE_PATH}/uploads/{uploadId}`,
    summary: 'Call a running upload off',
    access: 'key',
    params: Upload,
    success: { status: 200, content: 'json', schema: z.object({ cancelled: z.boolean() }) },
    errors: [401, 404, 503],
  },
  deleteAimeeDocument: {
    method: 'DELETE',
    path: `${AIMEE_SITE_PATH}/knowledge/{documentId}`,
    summary: 'Remove a document or page from the knowledge',
    access: 'key',
    params: AimeeSitePath.extend({ documentId: z.string().max(100) }),
    success: { status: 204, content: 'none' },
    errors: [400, 401, 404, 503],
  },
  startAimeeCrawl: {
    method: 'POST',
    path: `${AIMEE_SITE_PATH}/crawl`,
    summary: 'Read pages of the site itself; what an earlier crawl found and this one does not is removed',
    access: 'key',
    params: AimeeSitePath,
    body: AimeeCrawlForm,
    success: { status: 202, content: 'json', schema: AimeeCrawl },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503],
  },
  getAimeeCrawl: {
    method: 'GET',
    path: `${AIMEE_SITE_PATH}/crawl`,
    summary: 'How far the crawl is, or how the last one ended',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeCrawl },
    errors: [401, 404],
  },
  cancelAimeeCrawl: {
    method: 'DELETE',
    path: `${AIMEE_SITE_PATH}/crawl`,
    summary: 'Call a running crawl off; pages that were read stay',
    access: 'key',
    params: AimeeSitePath,
    success: { status: 200, content: 'json', schema: AimeeCrawl },
    errors: [401, 404],
  },
} as const satisfies Record<string, Route>;
