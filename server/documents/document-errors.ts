import { type ErrorKind, PlatformError } from '../kernel/errors.ts';

/** Why a document was not read; none of them holds a word or a name of it. */
export const documentErrors = {
  unsupported: () =>
    documentError(
      'unsupported',
      'unsupported_media',
      'The document is of a kind that cannot be read. Send PDF, DOCX, HTML, Markdown, CSV or plain text.',
    ),
  encrypted: () =>
    documentError(
      'encrypted',
      'invalid_argument',
      'The document asks for a password. Send a copy that opens without one.',
    ),
  damaged: () =>
    documentError(
      'damaged',
      'invalid_argument',
      'The document does not hold to its format, or only the beginning of it arrived. Save it anew with the program that made it.',
    ),
  empty: () =>
    documentError(
      'empty',
      'invalid_argument',
      'There is no text in the document. Pages that were scanned need text recognition first.',
    ),
  tooLarge: () =>
    documentError(
      'too_large',
      'too_large',
      'The document is larger than may be read. Send it in several parts.',
    ),
  tooManyPages: () =>
    documentError(
      'too_many_pages',
      'too_large',
      'The document has more pages than may be read. Send it in several parts.',
    ),
  tooComplex: () =>
    documentError(
      'too_complex',
      'too_large',
      'The document is nested more deeply, or made of more parts, than may be read. Export it as plain text.',
    ),
  expandsTooMuch: () =>
    documentError(
      'expands_too_much',
      'too_large',
      'The document unpacks to more than may be held while it is read. Send it in several parts, or as plain text.',
    ),
  tookTooLong: () =>
    documentError(
      'took_too_long',
      'deadline_exceeded',
      'The document could not be read in the time that its size allows. Send it in several parts, or as plain text.',
    ),
  cancelled: () =>
    documentError(
      'cancelled',
      'cancelled',
      'The document was taken back before it had been read to the end.',
    ),
  busy: () =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'documents.busy',
      message: 'Too many documents are waiting to be read. Try again in a moment.',
      retryAfterSeconds: 5,
    }),
};

/** What the reader in the jail tells of a document, by its code; anything else it may say counts as damaged. */
export function readerFailure(code: string): PlatformError {
  const failures: Partial<Record<string, () => PlatformError>> = {
    unsupported: documentErrors.unsupported,
    encrypted: documentErrors.encrypted,
    empty: documentErrors.empty,
    too_large: documentErrors.tooLarge,
    too_many_pages: documentErrors.tooManyPages,
    too_complex: documentErrors.tooComplex,
    expands_too_much: documentErrors.expandsTooMuch,
  };
  return (Object.hasOwn(failures, code) ? failures[code] : undefined)?.() ?? documentErrors.damaged();
}

function documentError(what: string, kind: ErrorKind, message: string): PlatformError {
  return new PlatformError({ kind, code: `documents.${what}`, message });
}
