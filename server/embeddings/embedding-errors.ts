import { PlatformError } from '../kernel/errors.ts';

/** Why there are no vectors; none of them holds a word of a text. */
export const embeddingErrors = {
  fileMissing: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'embeddings.embedded_missing',
      message:
        'The embedding model has no files. The operator fetches them with "jellyfaas model pull", or gives the directory that holds model.onnx and tokenizer.json.',
    }),
  notLoaded: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'embeddings.embedded_not_loaded',
      message:
        'The embedding model could not be loaded: its files are no ONNX model and tokenizer that this engine reads, or loading took too long.',
    }),
  outOfMemory: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'embeddings.embedded_out_of_memory',
      message: 'The embedding model ran out of memory. The operator chooses a smaller one.',
    }),
  crashed: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'embeddings.embedded_crashed',
      message: 'The embedding model ended unexpectedly. It starts again with the next text; try again.',
      retryAfterSeconds: 1,
    }),
  failed: () =>
    new PlatformError({
      kind: 'internal',
      code: 'embeddings.embedded_failed',
      message: 'The embedding model could not make a vector of a text. Try again, or use another model.',
    }),
  replaced: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'embeddings.embedded_replaced',
      message: 'The embedding model was replaced by another one in the meantime. Try again with the new one.',
    }),
  tooManyTexts: (textsMax: number) =>
    new PlatformError({
      kind: 'too_large',
      code: 'embeddings.too_many_texts',
      message: `More than ${textsMax} texts at once were to be embedded. Send them in several requests.`,
    }),
  busy: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'embeddings.busy',
      message: 'The embedding model has too many requests waiting. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
  timeout: () =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'embeddings.timeout',
      message: 'The embedding model did not answer in time. Try again with fewer texts.',
      owner: 'platform',
    }),
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'embeddings.cancelled',
      message: 'The request ended before its texts were embedded.',
    }),
};
