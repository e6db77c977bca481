import { PlatformError } from '../kernel/errors.ts';

/** Why the embedded model did not answer; none of them holds a word of the question. */
export const embeddedErrors = {
  fileMissing: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'models.embedded_missing',
      message:
        'The embedded model has no file. The operator fetches one with "jellyfaas model pull", or gives its path.',
    }),
  notLoaded: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'models.embedded_not_loaded',
      message:
        'The embedded model could not be loaded: its file is not a GGUF model that this engine reads, or loading took too long.',
    }),
  outOfMemory: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'models.embedded_out_of_memory',
      message:
        'The embedded model ran out of memory. Ask with a shorter text, or the operator chooses a smaller model.',
    }),
  crashed: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'models.embedded_crashed',
      message: 'The embedded model ended unexpectedly. It starts again with the next question; ask again.',
      retryAfterSeconds: 1,
    }),
  failed: () =>
    new PlatformError({
      kind: 'internal',
      code: 'models.embedded_failed',
      message: 'The embedded model could not answer this question. Ask again, or choose another model.',
    }),
  tooLong: () =>
    new PlatformError({
      kind: 'too_large',
      code: 'models.context_exceeded',
      message:
        'The question, its history and its functions together are longer than the model can read. Shorten them, or offer fewer functions.',
    }),
  busy: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'models.busy',
      message: 'The embedded model has too many questions waiting. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
  timeout: () =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'models.timeout',
      message: 'The embedded model did not finish its answer in time. Ask for less, or choose another model.',
      owner: 'platform',
    }),
  cancelled: () =>
    new PlatformError({
      kind: 'cancelled',
      code: 'models.cancelled',
      message: 'The question was taken back before the model had answered.',
    }),
};
