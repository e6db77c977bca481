import { PlatformError } from '../kernel/errors.ts';

/** What the vector service refuses. None of it repeats a name or a word of what was sent. */
export const vectorErrors = {
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'vectors.cancelled',
      message: 'The request was cancelled: its client has left.',
    }),
  deadline: (deadlineMs: number) =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'vectors.deadline',
      owner: 'platform',
      message: `It was not done within ${deadlineMs / 1000} seconds. Send less at once, or try again when the server has less to do.`,
    }),
  noDimensions: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'vectors.bad_dimensions',
      message: 'A database without an embedding model needs the dimensions of the vectors that you bring.',
    }),
  otherDimensions: (dimensions: number) =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'vectors.bad_dimensions',
      message: `The vectors here have ${dimensions} dimensions, as their model makes them. Leave the field out, or choose another model.`,
    }),
  modelEmbeds: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.model_embeds',
      message:
        'This database embeds texts with its own model, and vectors of another origin must not mix with them. ' +
        'Send `text`, or create a database with `dimensions` for your own vectors.',
    }),
  noModel: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.no_model',
      message:
        'This database was created for vectors that you bring, so it has no model to embed texts or documents. ' +
        'Send `vector`, or create a database with a model.',
    }),
  noKeywords: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.no_keywords',
      message: 'Only a sealed database has a keyword index. Search by vector here.',
    }),
  noResolver: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.no_resolver',
      message:
        'This strict database keeps no text and names no resolver function, so nothing can be quoted or answered. ' +
        'Query it for the places of passages, or create it with a resolver.',
    }),
  resolverFailed: (reason: string) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'vectors.resolver_failed',
      owner: 'function',
      message: `The resolver function of this database ${reason} It takes {"passages": [{"documentId", "start", "end"}]} as JSON and answers {"texts": [string or null, …]}, one for each.`,
    }),
  tooManyUploads: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'vectors.too_many_uploads',
      message: 'Too many documents are waiting already. Send this one again when some are done.',
      retryAfterSeconds: 10,
    }),
  uploadCancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'vectors.upload_cancelled',
      message: 'The upload was called off. The database is as it was before.',
    }),
  uploadFailed: (code: string) =>
    new PlatformError({
      kind: 'failed_precondition',
      code,
      message: 'The upload failed. Its code says why; send the document again when that is mended.',
    }),
  interrupted: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.interrupted',
      owner: 'platform',
      message:
        'The server was stopped while this document was being read, and keeps none. Send it again: it goes on where it was.',
    }),
  documentTooLarge: (bytesMax: number) =>
    new PlatformError({
      kind: 'too_large',
      code: 'vectors.document_too_large',
      message: `A document can have ${Math.floor(bytesMax / 1_048_576)} MiB. Split it, or leave out what is not text.`,
    }),
};
