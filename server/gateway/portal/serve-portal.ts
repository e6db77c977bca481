import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';
import { PAGE_HEADERS } from '../security-headers.ts';
import type { PortalFile, PortalFiles } from './portal-files.ts';

/** Addresses that are none of the portal's pages, whatever a browser asks for there. */
const NO_PAGES = /^\/(?:api|assets|[a-z]+-service|health|metrics|mcp|\.well-known)(?:\/|$)/;

/**
 * What is no endpoint may be a file of the portal, or one of its pages, which are all the same document. False when it is
 * neither.
 */
export async function answerWithPortal(
  files: PortalFiles,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const [path = '/'] = request.url.split(/[?#]/, 1);
  const all = await files.all();
  const file = all.get(path);
  if (file !== undefined) {
    send(reply, request, file, path.startsWith('/assets/'));
    return true;
  }
  const isPage = path === '/' || (acceptsHtml(request) && !NO_PAGES.test(path));
  if (!isPage) return false;
  const page = all.get('/index.html');
  if (page === undefined) throw notBuilt();
  send(reply, request, page, false);
  return true;
}

function send(reply: FastifyReply, request: FastifyRequest, file: PortalFile, isHashed: boolean): void {
  void reply.type(file.type).header('vary', 'accept-encoding');
  if (file.type.startsWith('text/html')) void reply.headers(PAGE_HEADERS);
  if (isHashed) void reply.header('cache-control', 'public, max-age=31536000, immutable');
  const isCompressed = file.compressed !== undefined && acceptsGzip(request);
  if (isCompressed) void reply.header('content-encoding', 'gzip');
  void reply.send(isCompressed ? file.compressed : file.content);
}

function acceptsHtml({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').includes('text/html');
}

export function acceptsGzip({ headers }: FastifyRequest): boolean {
  const accepted = headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b/.test(accepted);
}

function notBuilt(): PlatformError {
  return new PlatformError({
    kind: 'unavailable',
    code: 'portal.not_built',
    message:
      'The portal has not been built on this machine. Run "npm start" once, or "npm run build -w web/portal", then start the server again.',
  });
}
