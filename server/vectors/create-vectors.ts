import type { FunctionTools } from '../ai/function-tool.ts';
import type { Holder } from '../accounts/principal.ts';
import { type RecordingOptions, createRecordRequest } from '../calls/record-request.ts';
import { REQUEST_IDS } from '../calls/request-kinds.ts';
import type { Databases } from '../databases/databases.ts';
import type { DocumentReader } from '../documents/document-reader.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import { notFound } from '../kernel/errors.ts';
import type { Models } from '../models/chat-model.ts';
import { answer } from './answers.ts';
import { type OpenedVectors, settingsOf, vectorDatabase, withDatabase } from './databases.ts';
import { createDocuments } from './documents.ts';
import type { VectorEngine } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';
import type { VectorLimits } from './limits.ts';
import { recordsOf } from './records.ts';
import { retrieve } from './retrieval.ts';
import type { Asker, NewVectorDatabase, Vectors } from './vectors.ts';

export interface VectorsOptions extends RecordingOptions {
  readonly databases: Databases;
  readonly engine: VectorEngine;
  readonly embedders: Embedders;
  readonly reader: DocumentReader;
  readonly models: Pick<Models, 'select'>;
  readonly tools: Pick<FunctionTools, 'named'>;
  readonly limits: VectorLimits;
}

/** Ends what still runs when it is closed; engine, reader and embedders are their maker's to close. */
export function createVectors(options: VectorsOptions): Vectors {
  const { databases, engine, embedders, limits } = options;
  const recordRequest = createRecordRequest({ ...options, errors: vectorErrors });

  /** Work on content: recorded, bounded, and called off when its client leaves. */
  const recorded = <T>(
    asker: Asker,
    work: (asker: Asker) => Promise<T>,
    deadlineMs = limits.deadlineMs,
  ): Promise<T> =>
    recordRequest(
      {
        accountId: asker.principal.accountId,
        originIp: asker.originIp,
        functionId: REQUEST_IDS.vectors,
        signal: asker.signal,
        deadlineMs,
      },
      (signal) => work({ ...asker, signal }),
    );
  const onContent = <T>(
    asker: Asker,
    name: string,
    work: (opened: OpenedVectors, asker: Asker) => Promise<T>,
  ): Promise<T> =>
    recorded(asker, (bounded) =>
      withDatabase(databases, asker.holder, name, (opened) => work(opened, bounded)),
    );
  const { cancel: cancelUploads, ...documents } = createDocuments({ ...options, recorded });

  databases.onDropped(
    async (id) => void (await cancelUploads(({ databaseId }) => databaseId === id, notFound('database'))),
  );

  return {
    async create(holder, form) {
      const { name, kind, metric, resolver = null } = form;
      const settings = { kind, metric, ...(await shapeOf(embedders, holder, form)) };
      const database = await databases.create(
        holder,
        { kind: 'vector', name, settings: settingsOf({ ...settings, resolver }) },
        (file) => engine.create(file, settings),
      );
      return vectorDatabase(database);
    },
    list: async (holder) => (await databases.list(holder, 'vector')).map(vectorDatabase),
    describe: (holder, name) =>
      withDatabase(databases, holder, name, async ({ database, file }) => ({
        ...database,
        ...(await engine.describe(file)),
      })),
    drop: (holder, name) => databases.drop(holder, 'vector', name),
    upsert: (asker, name, records) =>
      onContent(asker, name, async (opened, { signal }) =>
        engine.upsert(
          opened.file,
          await recordsOf(embedders, { opened, records, holder: asker.holder, signal }),
        ),
      ),
    delete: (asker, name, what) => onContent(asker, name, ({ file }) => engine.delete(file, what)),
    query: (asker, name, query) =>
      onContent(asker, name, async (opened, bounded) => {
        const { hits, changed } = await retrieve(options, { opened, asker: bounded }, query);
        return { hits, changed };
      }),
    ask: (asker, name, question, onText = () => undefined) =>
      onContent(asker, name, (opened, bounded) =>
        answer(options, { opened, asker: bounded }, { question, onText }),
      ),
    ...documents,
  };
}

/** Of the vectors: those of a model, or those that the owner brings. */
async function shapeOf(
  embedders: Pick<Embedders, 'select'>,
  { accountId }: Holder,
  { model, dimensions }: NewVectorDatabase,
): Promise<{ model: string | null; dimensions: number }> {
  const isRaw = model === null || (model === undefined && dimensions !== undefined);
  if (isRaw) {
    if (dimensions === undefined) throw vectorErrors.noDimensions();
    return { model: null, dimensions };
  }
  const embedder = await embedders.select(accountId, model);
  if (dimensions !== undefined && dimensions !== embedder.dimensions)
    throw vectorErrors.otherDimensions(embedder.dimensions);
  return { model: embedder.model, dimensions: embedder.dimensions };
}
