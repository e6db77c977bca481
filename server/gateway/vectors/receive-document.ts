import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { DocumentFields } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { NewDocument } from '../../vectors/vectors.ts';
import { parse } from '../control/bind.ts';
import { noFile, uploadError, uploadParts } from '../control/receive-upload.ts';

const METADATA_BYTES_MAX = 32 * 1024;

/**
 * Hands the file of a multipart body on while it arrives: to memory or to the reader, never to a disk. `take` resolves
 * once it has all of the content.
 */
export async function receiveDocument<T>(
  request: FastifyRequest,
  bytesMax: number,
  take: (document: NewDocument) => Promise<T>,
): Promise<T> {
  const fields: Record<string, unknown> = {};
  let taken: { readonly answer: T } | undefined;
  // One byte more than is taken: whoever counts them refuses, where the parser would only cut.
  const parts = uploadParts(request, { fileSize: bytesMax + 1, fieldSize: METADATA_BYTES_MAX });
  try {
    for await (const part of parts) {
      if (part.type === 'field') fields[part.fieldname] = taken === undefined ? part.value : tooLate();
      else if (part.fieldname === 'file') taken = { answer: await take(documentOf(part, fields)) };
      else part.file.resume();
    }
  } catch (thrown) {
    throw uploadError(thrown, bytesMax);
  }
  if (taken === undefined) throw noFile();
  return taken.answer;
}

function documentOf(
  { file, filename, mimetype }: MultipartFile,
  fields: Record<string, unknown>,
): NewDocument {
  return { content: received(file), fileName: filename, mediaType: mimetype, ...fieldsOf(fields) };
}

async function* received(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* file;
  } catch (thrown) {
    throw uploadError(thrown, 0);
  }
}

function fieldsOf(fields: Record<string, unknown>): ReturnType<typeof DocumentFields.parse> {
  const { metadata, ...rest } = fields;
  const given = { ...rest, ...(metadata !== undefined && { metadata: jsonOf(metadata) }) };
  return parse(DocumentFields, given, 'form') as ReturnType<typeof DocumentFields.parse>;
}

/** Parts that say that they are JSON have been parsed on arrival. */
function jsonOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function tooLate(): never {
  throw new PlatformError({
    kind: 'invalid_argument',
    code: 'upload.field_after_file',
    message: 'The file is read as it arrives, so its fields have to come before it. Put the file last.',
  });
}
