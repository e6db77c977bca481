import type { StartedUpload } from '../../../contract/index.ts';
import { PlatformError } from '../../kernel/errors.ts';
import type { Asker, UploadProgress } from '../../vectors/vectors.ts';
import type { VectorParts } from './parts.ts';

/** An upload when its client is told of it: once its document is there or, where nothing goes on behind a request, at its end. */
export async function untilTold(
  { service, endsUploads = false }: VectorParts,
  { holder, signal }: Asker,
  started: Promise<StartedUpload>,
): Promise<StartedUpload> {
  const upload = await started;
  if (!endsUploads) return upload;
  let last: UploadProgress | undefined;
  for await (const progress of service.watchUpload(holder, upload.uploadId, signal)) last = progress;
  if (last?.status === 'failed' && last.error !== null)
    throw new PlatformError({ kind: 'unprocessable', ...last.error });
  return upload;
}
