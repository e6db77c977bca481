import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../../kernel/errors.ts';

const FIELDS_MAX = 8;

/**
 * Reads the one file part `file` of a multipart body into memory; nothing touches a disk. Throws `upload.*` for
 * everything else, after at most `bytesMax` bytes.
 */
export async function receiveUpload(request: FastifyRequest, bytesMax: number): Promise<Buffer> {
  if (!request.isMultipart()) {
    throw new PlatformError({
      kind: 'unsupported_media',
      code: 'upload.not_multipart',
      message: 'An upload is multipart/form-data with the zip in one file part named "file".',
    });
  }
  const limits = {
    fileSize: bytesMax,
    files: 1,
    fields: FIELDS_MAX,
    parts: FIELDS_MAX + 1,
    fieldNameSize: 100,
    fieldSize: 1024,
    headerPairs: 32,
  };
  let zip: Buffer | undefined;
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type === 'field') continue;
      const bytes = await part.toBuffer();
      if (part.fieldname === 'file') zip = bytes;
    }
  } catch (thrown) {
    throw uploadError(thrown, bytesMax);
  }
  if (zip === undefined || zip.byteLength === 0) {
    throw new PlatformError({
      kind: 'invalid_argument',
      code: 'upload.no_file',
      message: 'The upload has no file part named "file", or it is empty. Send the zip as that part.',
    });
  }
  return zip;
}

function uploadError(thrown: unknown, bytesMax: number): PlatformError {
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
        message: `An upload has one file and at most ${FIELDS_MAX} fields. Send one zip at a time.`,
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
