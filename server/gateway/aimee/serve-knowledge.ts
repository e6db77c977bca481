import type { FastifyInstance } from 'fastify';
import {
  type AimeeCrawl,
  DOCUMENT_BYTES_MAX,
  type UploadEvent,
  aimeeRoutes as routes,
} from '../../../contract/index.ts';
import type { CrawlState } from '../../aimee/crawls.ts';
import type { Editor } from '../../aimee/knowledge.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { NewDocument } from '../../vectors/vectors.ts';
import { acceptsEvents, goneSignal, streamAnswer } from '../control/answer-stream.ts';
import { type RouteCall, bind } from '../control/bind.ts';
import { receiveDocument } from '../vectors/receive-document.ts';
import type { AimeeOptions } from './parts.ts';

type Request = Pick<RouteCall<(typeof routes)['getAimeeSite']>, 'principal' | 'request' | 'reply'>;

export function serveKnowledge(app: FastifyInstance, options: AimeeOptions): void {
  const { accounts, aimee } = options;
  const { knowledge } = aimee.service;
  const editorOf = ({ principal, request, reply }: Request): Editor => ({
    principal,
    originIp: aimee.originIp(request.raw),
    signal: goneSignal(reply),
  });
  bind(app, accounts, routes.listAimeeKnowledge, async ({ principal, params, query }) => {
    const { limit, ...page } = query;
    const found = await knowledge.documents(principal.accountId, params.siteId, {
      ...page,
      limit: limit + 1,
    });
    const documents = found.slice(0, limit).map(({ documentId, passages, metadata: { title, url } }) => ({
      documentId,
      passages,
      title: typeof title === 'string' ? title : documentId,
      url: typeof url === 'string' ? url : null,
    }));
    const next = found.length > limit ? (documents.at(-1)?.documentId ?? null) : null;
    return { documents, next };
  });
  bind(app, accounts, routes.uploadAimeeDocument, async ({ params, ...call }) =>
    receiveDocument(call.request, DOCUMENT_BYTES_MAX, (document) =>
      knowledge.upload(editorOf(call), params.siteId, { ...document, metadata: titleOf(document) }),
    ),
  );
  bind(app, accounts, routes.getAimeeUpload, async ({ principal: { accountId }, params, request, reply }) => {
    // Answers 404 while an error can still have a status.
    const state = await knowledge.uploadState(accountId, params.siteId, params.uploadId);
    if (!acceptsEvents(request)) return state;
    await streamAnswer<UploadEvent>(options, reply, {
      area: 'aimee',
      async work(send, signal) {
        for await (const progress of knowledge.watchUpload(accountId, params.uploadId, signal))
          send({ type: 'progress', ...progress });
      },
    });
    return undefined;
  });
  bind(app, accounts, routes.cancelAimeeUpload, async ({ principal, params }) => ({
    cancelled: await knowledge.cancelUpload(principal.accountId, params.siteId, params.uploadId),
  }));
  bind(app, accounts, routes.deleteAimeeDocument, ({ params, ...call }) =>
    knowledge.deleteDocument(editorOf(call), params.siteId, params.documentId),
  );
}

const TITLE_LENGTH_MAX = 200;

/** The one field that visitors are shown; an address of its own only crawled pages have. */
function titleOf({ metadata }: NewDocument): { title: string } {
  const title = metadata?.['title'];
  if (typeof title === 'string' && title.trim() !== '')
    return { title: title.trim().slice(0, TITLE_LENGTH_MAX) };
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'request.invalid',
    message: "The request's form is not valid.",
    faults: [
      { pointer: '/metadata/title', message: 'Visitors are shown it as the source: send {"title": "…"}.' },
    ],
  });
}

export function serveCrawls(app: FastifyInstance, { accounts, aimee }: AimeeOptions): void {
  const { sites, crawls } = aimee.service;
  bind(app, accounts, routes.startAimeeCrawl, async ({ principal, params, body, request }) => {
    const site = await sites.get(principal.accountId, params.siteId);
    return shown(await crawls.start({ principal, originIp: aimee.originIp(request.raw) }, site, body));
  });
  bind(app, accounts, routes.getAimeeCrawl, async ({ principal, params }) =>
    shown(crawls.state(await sites.get(principal.accountId, params.siteId))),
  );
  bind(app, accounts, routes.cancelAimeeCrawl, async ({ principal, params }) =>
    shown(await crawls.cancel(await sites.get(principal.accountId, params.siteId))),
  );
}

function shown(state: CrawlState): AimeeCrawl {
  return { ...state, failures: [...state.failures] };
}
