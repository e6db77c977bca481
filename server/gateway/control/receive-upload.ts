import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';

const FIELDS_MAX = 8;

/**
 * Reads the one file part `file` of a multipart body into memory; nothing touches a disk. Throws `upload.*` for
 * everything else, after at most `bytesMax` bytes.
 */
export async function receiveUpload(request: FastifyRequest, bytesMax: number): Promise<Buffer> {
  let zip: Buffer | undefined;
  try {
    for await (const part of uploadParts(request, { fileSize: bytesMax, fieldSize: 1024 })) {
      if (part.type === 'field') continue;
      const bytes = await part.toBuffer();
      if (part.fieldname === 'file') zip = bytes;
    }
  } catch (thrown) {
    throw uploadError(thrown, bytesMax);
  }
  if (zip === undefined || zip.byteLength === 0) throw noFile();
  return zip;
}

/** The parts of a multipart body with at most one file, as they arrive. Throws `upload.not_multipart`. */
export function uploadParts(
  request: FastifyRequest,
  sizes: { readonly fileSize: number; readonly fieldSize: number },
): ReturnType<FastifyRequest['parts']> {
  if (!request.isMultipart()) {
    throw new PlatformError({
      kind: 'unsupported_media',
      code: 'upload.not_multipart',
      message: 'An upload is multipart/form-data with one file part named "file".',
    });
  }
  const parts = { files: 1, fields: FIELDS_MAX, parts: FIELDS_MAX + 1 };
  return request.parts({ limits: { ...sizes, ...parts, fieldNameSize: 100, headerPairs: 32 } });
}

export function noFile(): PlatformError {
  return new PlatformError({
    kind: 'invalid_argument',
    code: 'upload.no_file',
    message: 'The upload has no file part named "file", or it is empty. Send the file as that part.',
  });
}

/** What the multipart parser throws, as an error of ours; those that are stay. */
export function uploadError(thrown: unknown, bytesMax: number): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  switch (code) {
    case 'FST_REQ_FILE_TOO_LARGE':
      return new PlatformError({
        kind: 'too_large',
        code: 'upload.too_large',
        message: `The zip is larger than ${Math.floor(bytesMax / 1024 / 1024)} MiB. Leave out what the build installs itself.`,
      });
    case 'FST_FILES_LIMIT':
    case 'FST_FIELDS_LIMIT':
    case 'FST_PARTS_LIMIT':
      return new PlatformError({
        kind: 'invalid_argument',
        code: 'upload.too_many_parts',
        message: `An upload has one file and at most ${FIELDS_MAX} fields. Send one file at a time.`,
      });
    default:
      return new PlatformError({
        kind: 'invalid_argument',
        code: 'upload.malformed',
        message: 'The multipart body is broken or incomplete. Send the whole upload again.',
        cause: thrown,
      });
  }
}
