import type { DatabaseFile } from '../databases/databases.ts';
import type { Document, DocumentReader, Passage } from '../documents/document-reader.ts';
import type { Embedder } from '../embeddings/embedder.ts';
import { toPlatformError } from '../kernel/errors.ts';
import type { Metadata, VectorEngine } from './engine/vector-engine.ts';
import { vectorErrors } from './errors.ts';
import type { VectorLimits } from './limits.ts';
import type { UploadControl, UploadJob } from './uploads.ts';

export interface IngestOptions {
  readonly engine: VectorEngine;
  readonly reader: DocumentReader;
  readonly limits: VectorLimits;
}

export interface Ingested {
  readonly job: UploadJob;
  readonly file: DatabaseFile;
  readonly embedder: Embedder;
  readonly document: Omit<Document, 'signal'>;
  readonly metadata: Metadata;
}

/**
 * Document → passages → vectors → database, in batches, so that no more than one batch of it is in memory here. Until
 * the last step the database answers as before; what is embedded by then is found again when the document is sent again.
 */
export async function ingest(
  { engine, reader, limits }: IngestOptions,
  { job, file, embedder, document, metadata }: Ingested,
  control: Pick<UploadControl, 'signal' | 'report'>,
): Promise<void> {
  const { uploadId, documentId, accountId } = job;
  const { signal } = control;
  const chunking = {
    tokensMax: Math.min(limits.passageTokensMax, embedder.tokensMax),
    tokensOverlap: limits.passageTokensOverlap,
  };
  let passages = 0;
  let embedded = 0;
  let batch: Passage[] = [];

  const embed = async (): Promise<void> => {
    if (batch.length === 0) return;
    control.report({ status: 'embedding', passages });
    const texts = batch.map(({ text }) => text);
    const known = await engine.knownVectors(file, texts);
    const unknown = batch.filter((_, at) => known[at] === undefined).map(withHeadings);
    const fresh =
      unknown.length === 0
        ? []
        : await embedder.embed({ accountId, texts: unknown, purpose: 'passage', signal });
    const staged = batch.map((passage, at) => ({
      ...passage,
      vector: known[at] ?? fresh.shift() ?? missing(),
    }));
    await engine.stage(file, uploadId, staged);
    embedded += batch.length;
    batch = [];
    control.report({ embedded });
  };

  control.report({ status: 'reading' });
  await engine.beginDocument(file, { uploadId, documentId, metadata });
  try {
    for await (const event of reader.passages({ ...document, signal }, chunking)) {
      signal.throwIfAborted();
      if (event.type === 'progress') {
        control.report({ pagesDone: event.pagesDone, pages: event.pages });
        continue;
      }
      passages++;
      batch.push(event.passage);
      if (batch.length >= limits.batchPassages) await embed();
    }
    await embed();
    signal.throwIfAborted();
    await engine.finishDocument(file, uploadId);
    control.report({ passages });
  } catch (thrown) {
    const error = toPlatformError(signal.aborted ? signal.reason : thrown);
    // An interrupted upload is not failed: what it staged is found again. One whose database is gone is noted nowhere.
    if (error.code !== vectorErrors.interrupted().code)
      await engine.failDocument(file, uploadId, error.code).catch(() => undefined);
    throw error;
  }
}

/** What a passage is about stands above it as often as in it. */
export function withHeadings({ headings, text }: Pick<Passage, 'headings' | 'text'>): string {
  return headings.length === 0 ? text : `${headings.join(': ')}\n${text}`;
}

function missing(): never {
  throw new Error('the embedder answered with too few vectors');
}
