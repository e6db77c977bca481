import { readFile, readdir } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the built portal, as it lies in RAM. */
export interface PortalFile {
  readonly type: string;
  readonly content: Buffer;
  /** Undefined where it would gain nothing. */
  readonly compressed: Buffer | undefined;
}

export interface PortalFiles {
  /** By the path of the URL, `/index.html`; empty when the portal was not built. Read once, at the first request. */
  all(): Promise<ReadonlyMap<string, PortalFile>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const COMPRESSED_FROM_BYTES = 1024;
const compress = promisify(gzip);

export function createPortalFiles(directory: string): PortalFiles {
  let read: Promise<ReadonlyMap<string, PortalFile>> | undefined;
  return { all: () => (read ??= readFiles(directory)) };
}

async function readFiles(directory: string): Promise<ReadonlyMap<string, PortalFile>> {
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  // Only what a page of ours can ask for: stamps and the like are no part of the portal.
  const served = names.filter((name) => TYPES[extname(name)] !== undefined);
  const files = await Promise.all(
    served.map(
      async (name) => [`/${name.split(sep).join('/')}`, await readOne(join(directory, name))] as const,
    ),
  );
  return new Map(files);
}

async function readOne(path: string): Promise<PortalFile> {
  const content = await readFile(path);
  const type = TYPES[extname(path)] ?? '';
  const isWorthIt = content.byteLength >= COMPRESSED_FROM_BYTES && !type.startsWith('font/');
  return { type, content, compressed: isWorthIt ? await compress(content) : undefined };
}
