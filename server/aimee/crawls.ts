import { createHash } from 'node:crypto';
import { PlatformError, toPlatformError } from '../kernel/errors.ts';
import type { SiteId } from '../kernel/ids.ts';
import { LruMap } from '../kernel/lru-map.ts';
import { aimeeErrors } from './errors.ts';
import type { Editor, Knowledge } from './knowledge.ts';
import type { AimeeLimits } from './limits.ts';
import { type Page, PageFailure, type PageReader } from './page-reader.ts';
import { type Robots, parseRobots } from './robots.ts';
import { readSitemap, withoutFragment } from './sitemap.ts';
import type { Site } from './sites.ts';

export type CrawlForm = { readonly urls: readonly string[] } | { readonly sitemap: string };

export interface CrawlState {
  readonly status: 'idle' | 'running' | 'completed' | 'cancelled';
  readonly pagesDone: number;
  readonly pages: number;
  /** Pages of earlier crawls that went. */
  readonly removed: number;
  readonly failures: readonly { readonly url: string; readonly code: string; readonly message: string }[];
}

/** Reads pages of customers' own sites into their knowledge, one page of a site at a time. States are kept in memory. */
export interface Crawls {
  /**
   * Resolves when it has begun. Rejects with `aimee.crawl_running`, `aimee.too_many_crawls`, `aimee.crawl_not_allowed`,
   * `aimee.sitemap_unreadable`.
   */
  start(editor: Omit<Editor, 'signal'>, site: Site, form: CrawlForm): Promise<CrawlState>;
  state(site: Pick<Site, 'id'>): CrawlState;
  /** Resolves when it has stopped; what was read stays. */
  cancel(site: Pick<Site, 'id'>): Promise<CrawlState>;
  close(): Promise<void>;
}

export interface CrawlsOptions {
  readonly knowledge: Pick<Knowledge, 'upload' | 'watchUpload' | 'documents' | 'deleteDocument'>;
  readonly reader: PageReader;
  readonly limits: Pick<AimeeLimits, 'crawlPagesMax' | 'crawlsMax'>;
}

const IDLE: CrawlState = { status: 'idle', pagesDone: 0, pages: 0, removed: 0, failures: [] };
const STATES_MAX = 1000;
const FAILURES_MAX = 20;

interface Running {
  readonly ending: AbortController;
  readonly done: Promise<void>;
}

export function createCrawls(options: CrawlsOptions): Crawls {
  const { reader, limits } = options;
  const states = new LruMap<SiteId, CrawlState>(STATES_MAX);
  const running = new Map<SiteId, Running>();

  const stateOf = ({ id }: Pick<Site, 'id'>): CrawlState => states.get(id) ?? IDLE;

  async function run(crawl: Crawl, pagesOf: () => Promise<URL[]>, begun: () => void): Promise<void> {
    const { site, signal } = crawl;
    const report = (change: Partial<CrawlState>): void =>
      void states.set(site.id, { ...stateOf(site), ...change });
    const pages = await pagesOf();
    report({ ...IDLE, status: 'running', pages: pages.length });
    begun();
    try {
      const kept = await readPages(options, crawl, { pages, report, state: () => stateOf(site) });
      const removed = await removeOthers(options, crawl, kept);
      report({ status: 'completed', removed });
    } catch (thrown) {
      if (signal.aborted) report({ status: 'cancelled' });
      else report({ status: 'completed', failures: [failureOf('', toPlatformError(thrown))] });
    }
  }

  return {
    async start(editor, site, form) {
      const pagesOf = plan(options, site, form);
      if (running.has(site.id)) throw aimeeErrors.crawlRunning();
      if (running.size >= limits.crawlsMax) throw aimeeErrors.tooManyCrawls();
      const ending = new AbortController();
      const crawl = { editor: { ...editor, signal: ending.signal }, site, signal: ending.signal };
      const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
      const done = run(crawl, () => pagesOf(ending.signal), onBegun).finally(() => running.delete(site.id));
      running.set(site.id, { ending, done: done.catch(() => undefined) });
      await Promise.race([begun, done]);
      return stateOf(site);
    },
    state: stateOf,
    async cancel(site) {
      const crawl = running.get(site.id);
      crawl?.ending.abort(aimeeErrors.crawlCancelled());
      await crawl?.done;
      return stateOf(site);
    },
    async close() {
      for (const { ending } of running.values()) ending.abort(aimeeErrors.crawlCancelled());
      await Promise.all([...running.values()].map(({ done }) => done));
      await reader.close();
    },
  };
}

interface Crawl {
  readonly editor: Editor;
  readonly site: Site;
  readonly signal: AbortSignal;
}

/** Which pages are to be read; throws at once when others than the site's own are asked for. */
function plan(
  { reader, limits }: CrawlsOptions,
  site: Site,
  form: CrawlForm,
): (signal: AbortSignal) => Promise<URL[]> {
  const isOwn = (url: URL): boolean => site.allowedOrigins.includes(url.origin);
  const named = ('urls' in form ? form.urls : [form.sitemap]).map((url) => withoutFragment(new URL(url)));
  if (!named.every(isOwn)) throw aimeeErrors.crawlForeign();
  const unique = [...new Map(named.map((url) => [url.href, url])).values()];
  if ('urls' in form) return async () => unique;
  return async (signal) => {
    const [map] = unique;
    if (map === undefined) throw aimeeErrors.sitemapUnreadable();
    return await readSitemap(map, { reader, isOwn, pagesMax: limits.crawlPagesMax, signal });
  };
}

interface Progress {
  readonly pages: readonly URL[];
  readonly report: (change: Partial<CrawlState>) => void;
  readonly state: () => CrawlState;
}

/** Ids of the documents that stay: what was read, and what could not be reached this time. */
async function readPages(
  options: CrawlsOptions,
  crawl: Crawl,
  { pages, report, state }: Progress,
): Promise<ReadonlySet<string>> {
  const robots = createRobotsOf(options.reader, crawl.signal);
  const kept = new Set<string>();
  for (const url of pages) {
    try {
      await readPage(options, crawl, { url, robots });
      kept.add(documentIdOf(url.href));
    } catch (thrown) {
      crawl.signal.throwIfAborted();
      const isPage = thrown instanceof PageFailure;
      if (!isPage || !thrown.isGone) kept.add(documentIdOf(url.href));
      const failure = failureOf(url.href, isPage ? thrown.reason : toPlatformError(thrown));
      report({ failures: [...state().failures, failure].slice(0, FAILURES_MAX) });
    }
    report({ pagesDone: state().pagesDone + 1 });
  }
  return kept;
}

function failureOf(url: string, { code, message }: PlatformError): CrawlState['failures'][number] {
  return { url, code, message };
}

type RobotsOf = (url: URL) => Promise<Robots>;

/** Asked once for each origin; a site without the file asks for nothing. */
function createRobotsOf(reader: PageReader, signal: AbortSignal): RobotsOf {
  const known = new Map<string, Promise<Robots>>();
  return (url) => {
    const asked = known.get(url.origin) ?? robotsAt(reader, new URL('/robots.txt', url), signal);
    known.set(url.origin, asked);
    return asked;
  };
}

async function robotsAt(reader: PageReader, url: URL, signal: AbortSignal): Promise<Robots> {
  try {
    return parseRobots(Buffer.from((await reader.read(url, signal)).bytes).toString('utf8'));
  } catch {
    signal.throwIfAborted();
    return () => true;
  }
}

const READABLE: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml', 'text/plain']);

async function readPage(
  { knowledge, reader }: CrawlsOptions,
  { editor, site, signal }: Crawl,
  { url, robots }: { url: URL; robots: RobotsOf },
): Promise<void> {
  const mayRead = await robots(url);
  if (!mayRead(url.pathname + url.search)) throw new PageFailure(aimeeErrors.page('robots'), true);
  const page = await reader.read(url, signal);
  if (!READABLE.has(page.mediaType)) throw new PageFailure(aimeeErrors.page('media type'), true);
  const { uploadId } = await knowledge.upload(editor, site.id, {
    content: once(page.bytes),
    mediaType: page.mediaType,
    documentId: documentIdOf(url.href),
    metadata: { title: titleOf(page, url), url: url.href },
  });
  for await (const { error } of knowledge.watchUpload(site.accountId, uploadId, signal))
    if (error !== null) throw new PlatformError({ kind: 'failed_precondition', ...error });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const TITLE_LENGTH_MAX = 200;

/** What visitors are shown as source; only a name, so a pattern has to do for it. */
function titleOf({ mediaType, bytes }: Page, url: URL): string {
  const head = Buffer.from(bytes.subarray(0, 65_536)).toString('utf8');
  const [, title = ''] =
    /<title[^>]{0,200}>([^<]{1,500})/i.exec(mediaType === 'text/plain' ? '' : head) ?? [];
  const plain = title
    .replaceAll('&amp;', '&')
    .replaceAll(/&(?:#39|rsquo|apos);/g, '’')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (plain === '' ? url.pathname : plain).slice(0, TITLE_LENGTH_MAX);
}

function documentIdOf(href: string): string {
  return `page-${createHash('sha256').update(href).digest('hex').slice(0, 40)}`;
}

const DOCUMENTS_PAGE = 1000;

/** Pages of earlier crawls, which this one did not meet. */
async function removeOthers(
  { knowledge }: CrawlsOptions,
  { editor, site, signal }: Crawl,
  kept: ReadonlySet<string>,
): Promise<number> {
  const gone: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await knowledge.documents(site.accountId, site.id, {
      ...(after !== '' && { after }),
      limit: DOCUMENTS_PAGE,
    });
    gone.push(
      ...page
        .filter(({ documentId, metadata }) => typeof metadata['url'] === 'string' && !kept.has(documentId))
        .map(({ documentId }) => documentId),
    );
    after = page.length < DOCUMENTS_PAGE ? undefined : page.at(-1)?.documentId;
  }
  for (const documentId of gone) {
    signal.throwIfAborted();
    await knowledge.deleteDocument(editor, site.id, documentId);
  }
  return gone.length;
}
