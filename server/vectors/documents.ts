import { extname } from 'node:path';
import type { Databases } from '../databases/databases.ts';
import type { Document } from '../documents/document-reader.ts';
import type { Embedders } from '../embeddings/embedder.ts';
import { orAborted } from '../kernel/abort.ts';
import { notFound, type PlatformError } from '../kernel/errors.ts';
import { type DatabaseId, randomBase62 } from '../kernel/ids.ts';
import { withDatabase } from './databases.ts';
import { vectorErrors } from './errors.ts';
import { type IngestOptions, ingest } from './ingest.ts';
import { Intake, type WaitingRoom } from './intake.ts';
import { type Upload, type UploadJob, type Uploads, createUploads } from './uploads.ts';
import type { Asker, NewDocument, UploadProgress, Vectors } from './vectors.ts';

export interface DocumentsOptions extends IngestOptions {
  readonly databases: Pick<Databases, 'open' | 'list'>;
  readonly embedders: Pick<Embedders, 'select'>;
  /** Does work on content and leaves one call record of it. */
  readonly recorded: <T>(asker: Asker, work: (asker: Asker) => Promise<T>, deadlineMs?: number) => Promise<T>;
}

export type Documents = Pick<
  Vectors,
  | 'upload'
  | 'uploadState'
  | 'watchUpload'
  | 'cancelUpload'
  | 'extract'
  | 'documents'
  | 'deleteDocument'
  | 'close'
> & {
  /** Ends the running uploads that fit, and resolves when they have. */
  readonly cancel: (which: (job: UploadJob) => boolean, reason: PlatformError) => Promise<number>;
};

/** The part of the vector service that takes documents in, tells how far they are, and removes them. */
export function createDocuments(options: DocumentsOptions): Documents {
  const { databases, engine, recorded, limits } = options;
  const uploads = createUploads(limits);
  const room: WaitingRoom = { heldBytes: 0, bytesMax: limits.waitingBytesMax };
  const parts = { ...options, uploads, room };

  function known(holder: Asker['holder'], uploadId: string): Upload | undefined {
    const upload = uploads.find(uploadId);
    return upload?.accountId === holder.accountId ? upload : undefined;
  }

  return {
    cancel: (which, reason) => uploads.cancel(which, reason),
    async upload(asker, name, document) {
      const { promise: received, resolve: onReceived } = Promise.withResolvers<Accepted>();
      const done = recorded(
        asker,
        (bounded) => takeIn(parts, { asker: bounded, name, document }, onReceived),
        limits.uploadDeadlineMs,
      );
      // What fails later is told by the upload's state.
      done.catch(() => undefined);
      return await Promise.race([received, done.then(() => received)]);
    },
    uploadState: async (holder, uploadId) =>
      known(holder, uploadId)?.progress ?? (await storedState(options, holder, uploadId)),
    async *watchUpload(holder, uploadId, signal) {
      const upload = known(holder, uploadId);
      if (upload === undefined) {
        yield await storedState(options, holder, uploadId);
        return;
      }
      for (;;) {
        const { changed, progress } = upload;
        yield progress;
        if (changed === undefined) return;
        await orAborted(changed, signal);
      }
    },
    async cancelUpload(holder, uploadId) {
      if (known(holder, uploadId) === undefined) await storedState(options, holder, uploadId);
      const which = (job: UploadJob): boolean =>
        job.uploadId === uploadId && job.accountId === holder.accountId;
      return (await uploads.cancel(which, vectorErrors.uploadCancelled())) > 0;
    },
    extract: (asker, document) =>
      recorded(asker, ({ signal }) => extractText(parts, document, signal), limits.uploadDeadlineMs),
    documents: (holder, name, page) =>
      withDatabase(databases, holder, name, ({ file }) => engine.documents(file, page)),
    deleteDocument: (asker, name, documentId) =>
      recorded(asker, () =>
        withDatabase(databases, asker.holder, name, async ({ file }) => {
          const running = await uploads.cancel(
            (job) => job.databaseId === file.id && job.documentId === documentId,
            vectorErrors.uploadCancelled(),
          );
          if (!(await engine.deleteDocument(file, documentId)) && running === 0) throw notFound('document');
        }),
      ),
    async close() {
      await uploads.cancel(() => true, vectorErrors.interrupted());
    },
  };
}

interface Accepted {
  readonly uploadId: string;
  readonly documentId: string;
}

interface Parts extends DocumentsOptions {
  readonly uploads: Uploads;
  readonly room: WaitingRoom;
}

/** The whole way of one document; `onReceived` hears when the client has sent it all. */
async function takeIn(
  parts: Parts,
  { asker, name, document }: { asker: Asker; name: string; document: NewDocument },
  onReceived: (upload: Accepted) => void,
): Promise<void> {
  const { databases, embedders, engine, limits, room, uploads } = parts;
  await withDatabase(databases, asker.holder, name, async ({ database, file }) => {
    const { accountId } = asker.principal;
    if (database.model === null) throw vectorErrors.noModel();
    const embedder = await embedders.select(accountId, database.model);
    const intake = new Intake(document.content, room, limits.documentBytesMax);
    try {
      // Hashed: a document that comes again under the same name, or without one the same bytes, replaces itself.
      const naming = async (): Promise<string> =>
        document.fileName ?? (await orAborted(intake.digest(), asker.signal));
      const documentId = document.documentId ?? (await engine.keyedName(file, await naming()));
      const job = { uploadId: newUploadId(file.id), documentId, accountId, databaseId: file.id };
      void intake.received.then(
        () => onReceived({ uploadId: job.uploadId, documentId }),
        () => undefined,
      );
      await uploads.start(job, async (control) => {
        const signal = AbortSignal.any([asker.signal, control.signal, intake.broken]);
        await orAborted(control.turn(), signal);
        await ingest(
          parts,
          { job, file, embedder, document: typed(document, intake), metadata: document.metadata ?? {} },
          { signal, report: (change) => control.report(change) },
        );
        await intake.received;
      });
    } finally {
      intake.drop();
    }
  });
}

async function extractText(
  { reader, room, limits }: Parts,
  document: Parameters<Vectors['extract']>[1],
  signal: AbortSignal,
): Promise<string> {
  const intake = new Intake(document.content, room, limits.documentBytesMax);
  try {
    const text = await reader.text({ ...typed(document, intake), signal });
    await intake.received;
    return text;
  } finally {
    intake.drop();
  }
}

/** The state of an upload as its file knows it, when memory no longer does. */
async function storedState(
  { databases, engine }: Pick<Parts, 'databases' | 'engine'>,
  holder: Asker['holder'],
  uploadId: string,
): Promise<UploadProgress> {
  const id = databaseIdOf(uploadId);
  const database = (await databases.list(holder, 'vector')).find((one) => one.id === id);
  if (database === undefined) throw notFound('upload');
  return await withDatabase(databases, holder, database.name, async ({ file }) => {
    const state = await engine.upload(file, uploadId);
    if (state === undefined) throw notFound('upload');
    const { documentId, passages, code } = state;
    const progress = { uploadId, documentId, pagesDone: 0, pages: null, passages };
    if (state.status === 'completed')
      return { ...progress, status: 'completed', embedded: passages, error: null };
    const isFailed = state.status === 'failed' && code !== null;
    const error = isFailed ? vectorErrors.uploadFailed(code) : vectorErrors.interrupted();
    return { ...progress, status: isFailed ? 'failed' : 'interrupted', embedded: 0, error: shown(error) };
  });
}

function typed({ mediaType, fileName }: NewDocument, content: Intake): Omit<Document, 'signal'> {
  const extension = extname(fileName ?? '').toLowerCase();
  return { content, mediaType, extension: extension === '' ? undefined : extension };
}

/** An upload's id names its database by id, so that its state is found again after a restart. */
function newUploadId(databaseId: DatabaseId): string {
  return `upl_${databaseId.slice('db_'.length)}${randomBase62(16)}`;
}

function databaseIdOf(uploadId: string): string {
  return `db_${uploadId.slice('upl_'.length, 'upl_'.length + 20)}`;
}

function shown({ code, message }: PlatformError): UploadProgress['error'] {
  return { code, message };
}
