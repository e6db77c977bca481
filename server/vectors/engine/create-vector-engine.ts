import { type Caller, createCaller, type VectorEngineOptions } from './engine-caller.ts';
import type { SealedVectors, VectorEngine } from './vector-engine.ts';

const NONE = new Float32Array();

/** Vector databases in a process of its own, started with the first request. */
export function createVectorEngine(options: VectorEngineOptions): VectorEngine & SealedVectors {
  const caller = createCaller(options);
  return { ...vectorEngineOver(caller), sealingKey: caller.key, sealed: caller.callSealed };
}

/** An engine whose requests go this way. */
export function vectorEngineOver({
  call,
  forget,
  recall,
  close,
}: Pick<Caller, 'call' | 'forget' | 'recall' | 'close'>): VectorEngine {
  return {
    create: async (file, settings) => void (await call('create', file, { settings })),
    describe: async (file) => (await call('describe', file, {})).result,
    async upsert(file, records) {
      const { fields, vectors } = apart(records);
      return (await call('upsert', file, { records: fields }, vectors)).result;
    },
    delete: async (file, what) => (await call('delete', file, { what })).result,
    async search(file, { vector, ...search }) {
      return (await call('search', file, { search }, vector && [vector])).result;
    },
    beginDocument: async (file, document) => void (await call('beginDocument', file, { document })),
    async knownVectors(file, texts) {
      const { result, vectors } = await call('knownVectors', file, { texts });
      const known = vectors.values();
      return result.map((isKnown) => (isKnown ? known.next().value : undefined));
    },
    async stage(file, uploadId, passages) {
      const { fields, vectors } = apart(passages);
      await call('stage', file, { uploadId, passages: fields }, vectors);
    },
    finishDocument: async (file, uploadId) => (await call('finishDocument', file, { uploadId })).result,
    failDocument: async (file, uploadId, code) => void (await call('failDocument', file, { uploadId, code })),
    upload: async (file, uploadId) => (await call('upload', file, { uploadId })).result ?? undefined,
    documents: async (file, page) => (await call('documents', file, { page })).result,
    async records(file, page) {
      const { result, vectors } = await call('records', file, { page });
      const { records, next } = result;
      return { next, records: records.map((record, at) => ({ ...record, vector: vectors[at] ?? NONE })) };
    },
    deleteDocument: async (file, documentId) => (await call('deleteDocument', file, { documentId })).result,
    keyedName: async (file, text) => (await call('keyedName', file, { text })).result,
    matches: async (file, passages) => (await call('matches', file, { passages })).result,
    forget,
    recall,
    close,
  };
}

/** Vectors travel beside the other fields. */
function apart<T extends { readonly vector: Float32Array }>(
  items: readonly T[],
): { fields: Omit<T, 'vector'>[]; vectors: Float32Array[] } {
  const vectors: Float32Array[] = [];
  const fields = items.map(({ vector, ...rest }) => {
    vectors.push(vector);
    return rest;
  });
  return { fields, vectors };
}
