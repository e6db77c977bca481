import type { FastifyInstance } from 'fastify';
import { DOCUMENT_BYTES_MAX, vectorServiceRoutes as routes } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { Asker, Vectors } from '../../vectors/vectors.ts';
import { bind } from '../control/bind.ts';
import type { Admit, VectorOptions } from './parts.ts';
import { receiveDocument } from './receive-document.ts';
import { untilTold } from './until-told.ts';

/** Passages that answers to the public clients may rest on: they cannot say. */
const PASSAGES = 6;

/** embedder-service and the question to a collection as the public clients send them. */
export function serveVectorService(
  app: FastifyInstance,
  { accounts, vectors }: VectorOptions,
  admit: Admit,
): void {
  const { service } = vectors;
  bind(app, accounts, routes.embedderUpload, ({ query, ...call }) =>
    admit(call, (asker) =>
      receiveDocument(call.request, DOCUMENT_BYTES_MAX, async (document) => {
        await makeCollection(service, asker.holder, query.collection_name);
        const started = service.upload(asker, query.collection_name, document);
        const { uploadId } = await untilTold(vectors, asker, started);
        return { upload_id: uploadId };
      }),
    ),
  );

  bind(app, accounts, routes.embedderStatus, async ({ unlock, query }) => {
    const { status, error } = await service.uploadState(await unlock(), query.upload_id);
    // These clients ask until it is completed, without end, or until an answer is no success.
    if (error !== null) throw new PlatformError({ kind: 'failed_precondition', ...error });
    return { status };
  });

  bind(app, accounts, routes.queryVectorDatabase, ({ body, ...call }) =>
    admit(call, async (asker) => {
      if ((body.vector_mongo_connection_string ?? '') !== '') throw noMongo();
      return await service.ask(asker, body.vector_mongo_collection, {
        question: body.query,
        retrievalText: body.rag_query === '' ? undefined : (body.rag_query ?? undefined),
        topK: PASSAGES,
        platform: body.ai_platform ?? undefined,
      });
    }),
  );
}

/** These clients have no call that creates a collection: the first upload does. */
async function makeCollection(service: Vectors, holder: Asker['holder'], name: string): Promise<void> {
  const known = await service.list(holder);
  if (known.some((database) => database.name === name)) return;
  try {
    await service.create(holder, { name, kind: 'sealed', metric: 'cosine' });
  } catch (thrown) {
    const isMadeMeanwhile = thrown instanceof PlatformError && thrown.code === 'databases.name_taken';
    if (!isMadeMeanwhile) throw thrown;
  }
}

function noMongo(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'vectors.no_mongo',
    message:
      'This platform reads no MongoDB. Leave the connection string out, and upload the documents to a collection here.',
  });
}
