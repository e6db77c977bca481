import { PlatformError } from '../kernel/errors.ts';
import { aimeeErrors } from './errors.ts';
import type { PageReader } from './page-reader.ts';

/** Maps that one map may lead to. */
const MAPS_MAX = 10;
const URL_LENGTH_MAX = 500;

export interface SitemapOptions {
  readonly reader: Pick<PageReader, 'read'>;
  /** Addresses elsewhere are left out. */
  readonly isOwn: (url: URL) => boolean;
  readonly pagesMax: number;
  readonly signal: AbortSignal;
}

/** The pages that a sitemap lists, those of the maps that it leads to among them. Rejects with `aimee.sitemap_unreadable`. */
export async function readSitemap(url: URL, options: SitemapOptions): Promise<URL[]> {
  const { reader, pagesMax, signal } = options;
  const pages = new Map<string, URL>();
  const maps = [url];
  for (let at = 0; at < Math.min(maps.length, MAPS_MAX) && pages.size < pagesMax; at++) {
    const map = maps[at];
    if (map === undefined) break;
    const text = await textOf(reader, map, signal);
    const found = locationsOf(text).filter(options.isOwn);
    if (/<sitemapindex[\s>]/i.test(text)) maps.push(...found);
    else for (const page of found.slice(0, pagesMax - pages.size)) pages.set(page.href, page);
  }
  if (pages.size === 0) throw aimeeErrors.sitemapUnreadable();
  return [...pages.values()];
}

async function textOf(reader: Pick<PageReader, 'read'>, url: URL, signal: AbortSignal): Promise<string> {
  try {
    const { bytes } = await reader.read(url, signal);
    return Buffer.from(bytes).toString('utf8');
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof PlatformError ? thrown : aimeeErrors.sitemapUnreadable();
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function locationsOf(xml: string): URL[] {
  return [...xml.matchAll(/<loc>([^<]{1,2000})<\/loc>/gi)]
    .map(([, text = '']) =>
      text.trim().replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? ''),
    )
    .filter((text) => text.length <= URL_LENGTH_MAX && URL.canParse(text))
    .map((text) => withoutFragment(new URL(text)));
}

/** Parts of one page are one page. */
export function withoutFragment(url: URL): URL {
  url.hash = '';
  return url;
}
