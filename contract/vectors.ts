import * as z from 'zod';
import type { Route } from './route.ts';
import { Count, Time } from './scalars.ts';

/**
 * Vector databases: documents and vectors of an account, searched and answered from. What the public clients know of
 * them is the upload of a file, its status and the question; `/api/v1` has the rest. A database opens only with a live
 * key or token of its account; document names, texts and questions are kept nowhere but, sealed, in it.
 */

export const DOCUMENT_BYTES_MAX = 32 * 1_048_576;
export const RECORDS_MAX = 1000;
const RECORDS_BODY_BYTES_MAX = 32 * 1_048_576;
const DIMENSIONS_MAX = 4096;

const Name = z.string().min(1).max(64);
const RecordId = z.string().min(1).max(128);
const DocumentId = z.string().min(1).max(100);
const Text = z.string().trim().min(1).max(20_000);
const Platform = z.string().min(1).max(64);
const Vector = z.array(z.number()).min(1).max(DIMENSIONS_MAX);
const Value = z.union([z.string().max(512), z.number(), z.boolean(), z.null()]);
const Field = z.string().min(1).max(64);

export const VectorMetadata = z
  .record(Field.regex(/^[^$]/, 'Names that begin with $ are reserved.'), Value)
  .refine((fields) => Object.keys(fields).length <= 32, 'At most 32 fields.')
  .describe('Flat; at most 32 fields, strings of at most 512 characters');

const Ordered = z.union([z.number(), z.string().max(512)]);
export const VectorFilter = z
  .record(
    Field,
    z.union([
      Value,
      z.strictObject({
        eq: Value.exactOptional(),
        ne: Value.exactOptional(),
        gt: Ordered.exactOptional(),
        gte: Ordered.exactOptional(),
        lt: Ordered.exactOptional(),
        lte: Ordered.exactOptional(),
        in: z.array(Value).max(100).exactOptional(),
        exists: z.boolean().exactOptional(),
      }),
    ]),
  )
  .refine((fields) => Object.keys(fields).length <= 32, 'At most 32 fields.')
  .describe('All fields have to fit: a value means equal. `$document` is the id of a passage’s document');

const Kind = z
  .enum(['sealed', 'strict'])
  .describe(
    '`sealed` keeps passages, encrypted; `strict` keeps offsets and asks a function of yours for the text',
  );
const Metric = z.enum(['cosine', 'dot', 'euclidean']);

export const CreateVectorDatabase = z
  .strictObject({
    name: Name.describe('Letters, digits, `_`, `.`, `-`'),
    kind: Kind.default('sealed'),
    metric: Metric.default('cosine'),
    dimensions: z.int().min(1).max(DIMENSIONS_MAX).optional().describe('For vectors that you bring'),
    model: z
      .string()
      .min(1)
      .max(200)
      .nullish()
      .describe(
        'Embedding model; null for vectors that you bring. The default one unless dimensions are given',
      ),
    resolver: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Strict only: shortname of the function that brings passages back'),
  })
  .refine(({ kind, resolver }) => kind === 'strict' || resolver === undefined, {
    message: 'A sealed database keeps its passages and asks no resolver.',
    path: ['resolver'],
  });

export const VectorDatabase = z.object({
  name: z.string(),
  kind: Kind,
  metric: Metric,
  dimensions: z.int(),
  model: z.string().nullable(),
  resolver: z.string().nullable(),
  createdAt: Time,
});
export type VectorDatabase = z.infer<typeof VectorDatabase>;
export const VectorDatabases = z.object({ databases: z.array(VectorDatabase) });
export const DescribedVectorDatabase = VectorDatabase.extend({
  records: Count,
  documents: Count,
  bytes: Count.describe('On disk'),
  index: z.enum(['exact', 'building', 'hnsw']),
});
export type DescribedVectorDatabase = z.infer<typeof DescribedVectorDatabase>;

export const DroppedDatabase = z.object({
  id: z.string(),
  receipt: z
    .string()
    .describe('Compact JWS of the installation: the key of this id is destroyed. Its key set is public'),
});

const Records = z.strictObject({
  records: z
    .array(
      z.strictObject({
        id: RecordId,
        vector: Vector.optional(),
        text: Text.optional().describe('Embedded where the database has a model; kept in sealed ones'),
        metadata: VectorMetadata.optional(),
      }),
    )
    .min(1)
    .max(RECORDS_MAX),
});

const Deletion = z.union([
  z.strictObject({ ids: z.array(RecordId).min(1).max(RECORDS_MAX) }),
  z.strictObject({ filter: VectorFilter }),
]);

export const VectorSearch = z
  .strictObject({
    vector: Vector.optional(),
    text: Text.optional(),
    topK: z.int().min(1).max(1000).default(10),
    filter: VectorFilter.optional(),
    minScore: z.number().optional().describe('Vector scores below are left out'),
    mode: z.enum(['hybrid', 'vector', 'keyword']).default('hybrid'),
    rerank: z.boolean().default(false).describe('Judge the best 20 once more, sentence by sentence'),
  })
  .refine(({ vector, text }) => vector !== undefined || text !== undefined, {
    message: 'Send `text`, `vector` or both.',
  });

const Span = z.object({
  documentId: z.string(),
  start: Count.describe('In UTF-16 code units of the extracted text'),
  end: Count,
  page: z.int().min(1).nullable(),
  headings: z.array(z.string()).readonly(),
});

const Stored = z.record(z.string(), Value).readonly();

export const VectorHit = z.object({
  id: z.string(),
  score: z.number().nullable().describe('Of the vector; null when only keywords found it'),
  keywordScore: z.number().nullable(),
  metadata: Stored,
  text: z.string().nullable(),
  span: Span.nullable(),
});
const Changed = z
  .array(Span)
  .readonly()
  .describe('Strict only: passages whose text is no longer what was embedded; they are left out');
export const VectorHits = z.object({ hits: z.array(VectorHit).readonly(), changed: Changed });
export type VectorHits = z.infer<typeof VectorHits>;

export const VectorQuestion = z.strictObject({
  question: Text,
  retrievalText: Text.optional().describe('What is searched for, if not the question itself'),
  topK: z.int().min(1).max(50).default(6).describe('Passages that the answer may rest on'),
  filter: VectorFilter.optional(),
  minScore: z.number().optional().describe('Below it nothing is relevant'),
  rerank: z.boolean().default(false),
  platform: Platform.optional(),
});

export const VectorAnswer = z.object({
  answer: z.string().describe('Markdown; [1] is the citation of that number'),
  engine: z
    .enum(['model', 'extractive', 'none'])
    .describe('`extractive`: no model, passages as they stand. `none`: nothing relevant was found'),
  finish: z.enum(['complete', 'length', 'filtered']),
  citations: z
    .array(
      Span.extend({
        number: z.int().min(1),
        score: z.number().nullable(),
        quote: z.string().describe('Exactly what stands there'),
      }),
    )
    .readonly(),
  changed: Changed,
  platform: z.string().nullable(),
  model: z.string().nullable(),
  retention: z.enum(['none', 'provider']),
});
export type VectorAnswer = z.infer<typeof VectorAnswer>;

/** As of questions to models: the answer follows its texts, and is what counts. */
export const VectorAnswerEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  VectorAnswer.extend({ type: z.literal('answer') }),
  z.object({ type: z.literal('error'), code: z.string(), detail: z.string(), status: z.int() }),
  z.object({ type: z.literal('done') }),
]);
export type VectorAnswerEvent = z.infer<typeof VectorAnswerEvent>;

export const StartedUpload = z.object({ uploadId: z.string(), documentId: z.string() });
export type StartedUpload = z.infer<typeof StartedUpload>;

export const UploadProgress = z.object({
  uploadId: z.string(),
  documentId: z.string(),
  status: z.enum(['queued', 'reading', 'embedding', 'completed', 'failed', 'interrupted']),
  pagesDone: Count,
  pages: Count.nullable(),
  passages: Count,
  embedded: Count,
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type UploadProgress = z.infer<typeof UploadProgress>;

/** Progress until the upload has ended; the stream ends with `done`. */
export const UploadEvent = z.discriminatedUnion('type', [
  UploadProgress.extend({ type: z.literal('progress') }),
  z.object({ type: z.literal('error'), code: z.string(), detail: z.string(), status: z.int() }),
  z.object({ type: z.literal('done') }),
]);
export type UploadEvent = z.infer<typeof UploadEvent>;

export const Documents = z.object({
  documents: z.array(z.object({ documentId: z.string(), passages: Count, metadata: Stored })),
});
export type Documents = z.infer<typeof Documents>;

/** Fields of an upload beside its file; they come before it. */
export const DocumentFields = z.strictObject({
  documentId: DocumentId.optional(),
  metadata: VectorMetadata.optional(),
});

const Database = z.object({ name: Name });
const V1 = '/api/v1/vectors';

export const vectorRoutes = {
  createVectorDatabase: {
    method: 'POST',
    path: V1,
    summary: 'Create a vector database',
    access: 'keyOrToken',
    body: CreateVectorDatabase,
    success: { status: 201, content: 'json', schema: VectorDatabase },
    errors: [400, 401, 403, 409, 413, 415, 429, 503],
  },
  listVectorDatabases: {
    method: 'GET',
    path: V1,
    summary: "The account's vector databases",
    access: 'keyOrToken',
    success: { status: 200, content: 'json', schema: VectorDatabases },
    errors: [401, 403],
  },
  describeVectorDatabase: {
    method: 'GET',
    path: `${V1}/{name}`,
    summary: 'One vector database and its size',
    access: 'keyOrToken',
    params: Database,
    success: { status: 200, content: 'json', schema: DescribedVectorDatabase },
    errors: [400, 401, 403, 404, 503],
  },
  dropVectorDatabase: {
    method: 'DELETE',
    path: `${V1}/{name}`,
    summary: 'Destroy a vector database at once: its key first, then its files',
    access: 'keyOrToken',
    fresh: true,
    params: Database,
    success: { status: 200, content: 'json', schema: DroppedDatabase },
    errors: [400, 401, 403, 404],
  },
  upsertVectors: {
    method: 'POST',
    path: `${V1}/{name}/records`,
    summary: 'Insert or replace records, all or none',
    access: 'keyOrToken',
    params: Database,
    body: Records,
    bodyBytesMax: RECORDS_BODY_BYTES_MAX,
    success: { status: 200, content: 'json', schema: z.object({ inserted: Count, updated: Count }) },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 503, 504],
  },
  deleteVectors: {
    method: 'POST',
    path: `${V1}/{name}/delete`,
    summary: 'Delete records by id or by filter',
    access: 'keyOrToken',
    params: Database,
    body: Deletion,
    success: { status: 200, content: 'json', schema: z.object({ deleted: Count }) },
    errors: [400, 401, 403, 404, 413, 415, 429, 503, 504],
  },
  queryVectors: {
    method: 'POST',
    path: `${V1}/{name}/query`,
    summary: 'Search by text, vector or both',
    access: 'keyOrToken',
    params: Database,
    body: VectorSearch,
    success: { status: 200, content: 'json', schema: VectorHits },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  askVectors: {
    method: 'POST',
    path: `${V1}/{name}/ask`,
    summary: 'Ask in words and get an answer that cites; streams when text/event-stream is accepted',
    access: 'keyOrToken',
    params: Database,
    body: VectorQuestion,
    success: { status: 200, content: 'json', schema: VectorAnswer, events: VectorAnswerEvent },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
  uploadDocument: {
    method: 'POST',
    path: `${V1}/{name}/documents`,
    summary: 'Send a document; it replaces the one of the same id or, without one, of the same file name',
    access: 'keyOrToken',
    params: Database,
    upload: 'document',
    success: { status: 202, content: 'json', schema: StartedUpload, events: UploadEvent },
    errors: [400, 401, 403, 404, 409, 413, 415, 429, 503],
  },
  listDocuments: {
    method: 'GET',
    path: `${V1}/{name}/documents`,
    summary: 'Documents in order of their ids',
    access: 'keyOrToken',
    params: Database,
    query: z.object({
      after: DocumentId.exactOptional(),
      limit: z.coerce.number<string>().int().min(1).max(1000).default(100),
    }),
    success: { status: 200, content: 'json', schema: Documents },
    errors: [400, 401, 403, 404, 503],
  },
  deleteDocument: {
    method: 'DELETE',
    path: `${V1}/{name}/documents/{documentId}`,
    summary: 'Delete a document with all its passages',
    access: 'keyOrToken',
    params: Database.extend({ documentId: DocumentId }),
    success: { status: 204, content: 'none' },
    errors: [400, 401, 403, 404, 503],
  },
  getDocumentUpload: {
    method: 'GET',
    path: '/api/v1/uploads/{uploadId}',
    summary: 'How far an upload is; streams until it has ended when text/event-stream is accepted',
    access: 'keyOrToken',
    params: z.object({ uploadId: z.string().max(64) }),
    success: { status: 200, content: 'json', schema: UploadProgress, events: UploadEvent },
    errors: [401, 403, 404, 503],
  },
  cancelDocumentUpload: {
    method: 'DELETE',
    path: '/api/v1/uploads/{uploadId}',
    summary: 'Call a running upload off',
    access: 'keyOrToken',
    params: z.object({ uploadId: z.string().max(64) }),
    success: { status: 200, content: 'json', schema: z.object({ cancelled: z.boolean() }) },
    errors: [401, 403, 404, 503],
  },
  extractText: {
    method: 'POST',
    path: '/api/v1/documents/text',
    summary: 'The text of a document, to which all offsets refer; nothing of it is kept',
    access: 'keyOrToken',
    upload: 'document',
    success: { status: 200, content: 'json', schema: z.object({ text: z.string() }) },
    errors: [400, 401, 403, 409, 413, 415, 429, 503, 504],
  },
} as const satisfies Record<string, Route>;

/** The public clients' endpoints. A vector database is what they call a collection. */
export const vectorServiceRoutes = {
  embedderUpload: {
    method: 'POST',
    path: '/embedder-service/v1/upload',
    summary: 'Send a document to a collection, which is made if it does not exist',
    access: 'token',
    query: z.object({ collection_name: Name }),
    upload: 'document',
    success: { status: 202, content: 'json', schema: z.object({ upload_id: z.string() }) },
    errors: [400, 403, 409, 413, 415, 429, 503],
  },
  embedderStatus: {
    method: 'GET',
    path: '/embedder-service/v1/status',
    summary: "An upload's state; `completed` is its end, a failed one answers with its error",
    access: 'token',
    query: z.object({ upload_id: z.string().min(1).max(64) }),
    success: { status: 200, content: 'json', schema: z.object({ status: z.string() }) },
    errors: [400, 403, 404, 409, 413, 415, 503, 504],
  },
  queryVectorDatabase: {
    method: 'POST',
    path: '/query-service/v1/vectordb',
    summary: 'Ask a question that the documents of a collection answer',
    access: 'token',
    body: z.object({
      query: Text,
      rag_query: z.string().trim().max(20_000).nullish().describe('What is searched for instead of `query`'),
      vector_mongo_collection: Name,
      vector_mongo_connection_string: z.string().max(2000).nullish().describe('Refused: there is no MongoDB'),
      ai_platform: Platform.nullish(),
    }),
    success: { status: 200, content: 'json', schema: VectorAnswer },
    errors: [400, 403, 404, 409, 413, 415, 429, 502, 503, 504],
  },
} as const satisfies Record<string, Route>;
