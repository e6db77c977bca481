import { PlatformError } from '../../kernel/errors.ts';

function refused(what: string, message: string): PlatformError {
  return new PlatformError({ kind: 'invalid_argument', code: `vectors.${what}`, message });
}

/** Why the vector engine refuses; none of them holds a name, a text or a value. */
export const engineErrors = {
  badSettings: () =>
    refused(
      'bad_settings',
      'A vector database is sealed or strict, has 1 to 4096 dimensions and compares by cosine, dot or euclidean.',
    ),
  badDimensions: (dimensions: number) =>
    refused(
      'bad_dimensions',
      `Each vector of this database has ${dimensions} dimensions; send as many numbers.`,
    ),
  badVector: () =>
    refused(
      'bad_vector',
      'A vector holds finite numbers between −10¹⁵ and 10¹⁵, and for cosine at least one that is not zero.',
    ),
  badRecord: (what: string) => refused('bad_record', `A record does not fit: ${what}.`),
  badFilter: (what: string) => refused('bad_filter', `The filter does not fit: ${what}.`),
  badSearch: (what: string) => refused('bad_search', `The search does not fit: ${what}.`),
  badDocument: (what: string) => refused('bad_document', `The document does not fit: ${what}.`),
  keepsNoText: () =>
    refused('keeps_no_text', 'A strict database keeps no text. Leave it out, or use a sealed database.'),
  noKeywords: () =>
    refused('no_keywords', 'A strict database keeps no words to search for. Search by vector alone.'),
  exists: () =>
    new PlatformError({
      kind: 'already_exists',
      code: 'vectors.exists',
      message: 'The vector database has been made before. Drop it first to make it anew.',
    }),
  uploadGone: () =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'vectors.upload_gone',
      message: 'No such upload is running. Begin it again; what it had done is still known.',
    }),
  full: (recordsMax: number) =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'vectors.full',
      owner: 'caller',
      message: `The database would hold more than ${recordsMax} records. Delete some, or make another database.`,
    }),
  tooLarge: () =>
    new PlatformError({
      kind: 'too_large',
      code: 'vectors.too_large',
      message: 'The request is larger than the vector engine takes at once. Send it in smaller parts.',
    }),
  busy: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'vectors.busy',
      message: 'The vector engine has too many requests waiting. Try again in a moment.',
      retryAfterSeconds: 2,
    }),
  sealUnknown: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'vectors.seal_unknown',
      message: 'The vector engine does not open this: it has another key by now. Send it again.',
    }),
  crashed: () =>
    new PlatformError({
      kind: 'unavailable',
      code: 'vectors.engine_crashed',
      message: 'The vector engine ended unexpectedly. It starts again with the next request; try again.',
      retryAfterSeconds: 1,
    }),
};
