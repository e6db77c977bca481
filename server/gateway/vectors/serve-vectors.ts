import type { FastifyInstance } from 'fastify';
import {
  DOCUMENT_BYTES_MAX,
  type StartedUpload,
  type UploadEvent,
  type VectorAnswerEvent,
  vectorRoutes as routes,
} from '../../../contract/index.ts';
import { rfc3339 } from '../../kernel/clock.ts';
import type { Asker, VectorDatabase } from '../../vectors/vectors.ts';
import { acceptsEvents, goneSignal, streamAnswer } from '../control/answer-stream.ts';
import { bind } from '../control/bind.ts';
import { type Slots, createSlots } from '../control/slots.ts';
import { receiveDocument } from './receive-document.ts';
import type { Admit, VectorOptions } from './parts.ts';
import { serveVectorService } from './serve-vector-service.ts';
import { untilTold } from './until-told.ts';

/** Vector databases of the versioned API and as the public clients know them. */
export function serveVectors(app: FastifyInstance, options: VectorOptions): void {
  const { limits, vectors } = options;
  const slots: Slots = createSlots({
    total: limits.queriesMax,
    perHolder: limits.queriesPerAccountMax,
    code: 'vectors.too_many_requests',
    what: 'requests to vector databases',
  });
  const admit: Admit = async ({ principal, unlock, request, reply }, work) => {
    const release = slots.take(principal.accountId);
    try {
      const originIp = vectors.originIp(request.raw);
      return await work({ principal, holder: await unlock(), originIp, signal: goneSignal(reply) });
    } finally {
      release();
    }
  };
  serveDatabases(app, options);
  serveRecords(app, options, admit);
  serveQuestions(app, options, admit);
  serveDocuments(app, options, admit);
  serveUploads(app, options, admit);
  serveVectorService(app, options, admit);
}

function serveDatabases(app: FastifyInstance, { accounts, vectors: { service } }: VectorOptions): void {
  bind(app, accounts, routes.createVectorDatabase, async ({ unlock, body }) =>
    shown(await service.create(await unlock(), body)),
  );
  bind(app, accounts, routes.listVectorDatabases, async ({ unlock }) => ({
    databases: (await service.list(await unlock())).map(shown),
  }));
  bind(app, accounts, routes.describeVectorDatabase, async ({ unlock, params }) =>
    shown(await service.describe(await unlock(), params.name)),
  );
  bind(app, accounts, routes.dropVectorDatabase, async ({ unlock, params }) => {
    const { id, receipt } = await service.drop(await unlock(), params.name);
    return { id, receipt };
  });
}

function shown<T extends VectorDatabase>(database: T): Omit<T, 'createdAt'> & { createdAt: string } {
  return { ...database, createdAt: rfc3339(database.createdAt) };
}

function serveRecords(
  app: FastifyInstance,
  { accounts, vectors: { service } }: VectorOptions,
  admit: Admit,
): void {
  bind(app, accounts, routes.upsertVectors, ({ params, body, ...call }) =>
    admit(call, (asker) => service.upsert(asker, params.name, body.records)),
  );
  bind(app, accounts, routes.deleteVectors, ({ params, body, ...call }) =>
    admit(call, async (asker) => ({ deleted: await service.delete(asker, params.name, body) })),
  );
  bind(app, accounts, routes.queryVectors, ({ params, body, ...call }) =>
    admit(call, (asker) => service.query(asker, params.name, body)),
  );
}

function serveQuestions(app: FastifyInstance, options: VectorOptions, admit: Admit): void {
  const {
    accounts,
    vectors: { service },
  } = options;
  bind(app, accounts, routes.askVectors, ({ params, body, ...call }) =>
    admit(call, async (asker) => {
      if (!acceptsEvents(call.request)) return await service.ask(asker, params.name, body);
      await streamAnswer<VectorAnswerEvent>(options, call.reply, {
        area: 'vectors',
        async work(send, signal) {
          const onText = (text: string): void => send({ type: 'text', text });
          const answer = await service.ask({ ...asker, signal }, params.name, body, onText);
          send({ type: 'answer', ...answer });
        },
      });
      return undefined;
    }),
  );
}

function serveDocuments(app: FastifyInstance, options: VectorOptions, admit: Admit): void {
  const { accounts, vectors } = options;
  const { service } = vectors;
  bind(app, accounts, routes.uploadDocument, ({ params, ...call }) =>
    admit(call, async (asker) => {
      const take = (taker: Asker): Promise<StartedUpload> =>
        receiveDocument(call.request, DOCUMENT_BYTES_MAX, (document) =>
          service.upload(taker, params.name, document),
        );
      if (!acceptsEvents(call.request)) return await untilTold(vectors, asker, take(asker));
      await streamAnswer<UploadEvent>(options, call.reply, {
        area: 'vectors',
        async work(send, signal) {
          const { uploadId } = await take({ ...asker, signal });
          for await (const progress of service.watchUpload(asker.holder, uploadId, signal))
            send({ type: 'progress', ...progress });
        },
      });
      return undefined;
    }),
  );
  bind(app, accounts, routes.extractText, (call) =>
    admit(call, (asker) =>
      receiveDocument(call.request, DOCUMENT_BYTES_MAX, async (document) => ({
        text: await service.extract(asker, document),
      })),
    ),
  );
  bind(app, accounts, routes.listDocuments, async ({ unlock, params, query }) => ({
    documents: await service.documents(await unlock(), params.name, query),
  }));
  bind(app, accounts, routes.deleteDocument, ({ params, ...call }) =>
    admit(call, (asker) => service.deleteDocument(asker, params.name, params.documentId)),
  );
}

function serveUploads(app: FastifyInstance, options: VectorOptions, admit: Admit): void {
  const {
    accounts,
    vectors: { service },
  } = options;
  bind(app, accounts, routes.getDocumentUpload, ({ params, ...call }) =>
    admit(call, async ({ holder }) => {
      // Answers 404 while an error can still have a status.
      const state = await service.uploadState(holder, params.uploadId);
      if (!acceptsEvents(call.request)) return state;
      await streamAnswer<UploadEvent>(options, call.reply, {
        area: 'vectors',
        async work(send, signal) {
          for await (const progress of service.watchUpload(holder, params.uploadId, signal))
            send({ type: 'progress', ...progress });
        },
      });
      return undefined;
    }),
  );
  bind(app, accounts, routes.cancelDocumentUpload, async ({ unlock, params }) => ({
    cancelled: await service.cancelUpload(await unlock(), params.uploadId),
  }));
}
