import { PlatformError } from '../kernel/errors.ts';

/** What AI.Mee refuses. None of it repeats a word of what was said, asked or configured. */
export const aimeeErrors = {
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'aimee.cancelled',
      message: 'The message was called off: its sender has left. Nothing of it was kept.',
    }),
  deadline: (deadlineMs: number) =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'aimee.deadline',
      owner: 'platform',
      message: `There was no whole answer within ${deadlineMs / 1000} seconds. Nothing was kept; send the message again.`,
    }),
  originRefused: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'aimee.origin_not_allowed',
      message: 'This page may not embed the assistant. Its owner adds the origin to the allowed ones.',
    }),
  tooMany: (retryAfterSeconds: number) =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'aimee.too_many_messages',
      message: 'There have been too many messages. Wait a little, then send yours again.',
      retryAfterSeconds,
    }),
  noHandOver: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'aimee.no_hand_over',
      message: 'Nobody answers by e-mail for this site.',
    }),
  tooManySites: (max: number) =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'aimee.too_many_sites',
      message: `An account can have ${max} sites. Delete one that you no longer use.`,
    }),
  otherKey: () =>
    new PlatformError({
      kind: 'internal',
      code: 'aimee.other_key',
      message:
        'The conversations of this account are sealed to another account key. The stores do not belong together; restore a backup.',
    }),
  unreadable: () =>
    new PlatformError({
      kind: 'internal',
      code: 'aimee.unreadable',
      message: 'A conversation does not open under its key: the store was damaged. Restore a backup.',
    }),
  crawlRunning: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'aimee.crawl_running',
      message: 'A crawl of this site runs already. Wait for its end, or call it off.',
    }),
  crawlCancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'aimee.crawl_cancelled',
      message: 'The crawl was called off. Pages that were read stay.',
    }),
  tooManyCrawls: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'aimee.too_many_crawls',
      message: 'As many sites as may be are being read at the moment. Try again in some minutes.',
      retryAfterSeconds: 60,
    }),
  crawlForeign: () =>
    new PlatformError({
      kind: 'permission_denied',
      code: 'aimee.crawl_not_allowed',
      message:
        'Only pages of the site itself are read. Add the origin to the allowed origins of the site first, and list no other pages.',
    }),
  sitemapUnreadable: () =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'aimee.sitemap_unreadable',
      owner: 'provider',
      message:
        'The sitemap could not be read, or names no page of an allowed origin. Open its address in a browser.',
    }),
  restricted: () =>
    new PlatformError({
      kind: 'locked',
      code: 'aimee.restricted',
      message:
        'The visitor has had this conversation restricted (Article 18 GDPR): it is kept and not read until that is lifted. A copy for the visitor himself goes through a request.',
    }),
  /** Told of a page in the state of its crawl. */
  page: (reason: keyof typeof PAGE_REASONS) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'aimee.page_unreadable',
      owner: 'provider',
      message: PAGE_REASONS[reason],
    }),
  tooManyGrants: (max: number) =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'aimee.too_many_grants',
      message: `At most ${max} grants can be open at once. End one first.`,
    }),
};

const PAGE_REASONS = {
  robots: 'The robots.txt of the site asks not to read this page.',
  status: 'The server answered with an error.',
  redirect: 'The page leads to another site, or in circles.',
  'media type': 'The page is neither HTML nor text.',
  'too large': 'The page is larger than 2 MiB.',
  unreachable: 'The server did not answer, or its address may not be reached from here.',
} as const;

export type PageFault = keyof typeof PAGE_REASONS;
