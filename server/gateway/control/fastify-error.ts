import { type ErrorKind, PlatformError } from '../../kernel/errors.ts';

export function unsupportedMedia(mediaTypes: readonly string[] = ['application/json']): PlatformError {
  return new PlatformError({
    kind: 'unsupported_media',
    code: 'request.unsupported_media_type',
    message: `Send the body as ${mediaTypes.join(' or ')}.`,
  });
}

export function invalidJson(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'request.invalid_json',
    message: 'The body is not valid JSON, though its content type says so.',
  });
}

export function bodyTooLarge(): PlatformError {
  return new PlatformError({
    kind: 'too_large',
    code: 'request.body_too_large',
    message: 'The body is larger than this endpoint takes.',
  });
}

/** Fastify's own refusals in our words; everything else stays what it is. */
export function fastifyError(thrown: unknown): unknown {
  if (thrown instanceof PlatformError || !(thrown instanceof Error)) return thrown;
  if (!('code' in thrown) || !String(thrown.code).startsWith('FST_')) return thrown;
  const status = 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
  if (status >= 500) return thrown;
  if (status === 415) return unsupportedMedia();
  if (status === 413) return bodyTooLarge();
  const kind: ErrorKind = status === 404 ? 'not_found' : 'invalid_argument';
  return new PlatformError({
    kind,
    code: 'request.malformed',
    message: 'The request is malformed: check its URL, headers and length.',
  });
}
