import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { VectorDatabase, VectorMetadata } from '../../sdk/src/index.ts';
import type { Api, StartedUpload, UploadEvent, UploadProgress } from '../api.ts';
import { connect, print, settingsOf, withJson, type Context } from '../context.ts';
import { type DocumentFile, documentFiles } from '../document-files.ts';
import { CliError, usageError } from '../failure.ts';
import { orCliError } from '../function-call.ts';
import { INSTALLATION_KEY_HELP, installationKeyOf } from '../installation-key.ts';
import { progressBar } from '../terminal.ts';
import { databasePath, filterOf, sealedVectors } from './vector-words.ts';

interface UploadOptions {
  readonly id?: string;
  readonly metadata?: string;
  readonly byPath?: boolean;
  readonly sealed?: boolean;
  readonly installationKey?: string;
}

export function addVectorUpload(vectors: Command, context: Context): void {
  const upload = withJson(vectors.command('upload'))
    .description('send documents: PDF, DOCX, HTML, Markdown, CSV, text; one of the same name is replaced')
    .argument('<name>')
    .argument('<file...>', "files, or patterns like 'docs/**/*.md'")
    .option('--id <id>', 'the document, if it is one, instead of a hash of its name')
    .option('--metadata <json>', 'to filter by, for example \'{"year":2026}\'')
    .option('--by-path', 'tell files apart by their paths, not their names alone')
    .option('--sealed', 'seal the documents here: a sandbox of your own reads them, the server does not')
    .option('--installation-key <key>', INSTALLATION_KEY_HELP)
    .action(async (name: string, words: string[], options: UploadOptions) => {
      const installationKey = installationKeyOf(options);
      const files = documentFiles(words, { cwd: context.cwd, byPath: options.byPath === true });
      if (options.id !== undefined && files.length > 1) throw usageError('--id names one document.');
      const send =
        options.sealed === true
          ? sealedUploads(sealedVectors(settingsOf(context, upload), name, installationKey), options)
          : plainUploads(connect(context, upload), {
              path: databasePath(name, '/documents'),
              progressPath: (uploadId) => `/api/v1/uploads/${encodeURIComponent(uploadId)}`,
              fieldsOf: () => ({
                ...(options.id !== undefined && { documentId: options.id }),
                ...(options.metadata !== undefined && {
                  metadata: JSON.stringify(filterOf(options.metadata)),
                }),
              }),
            });
      const sent = await sendAll(context, files, send);
      print(context, upload, { value: sent, lines: [summary(sent)] });
      if (sent.failed.length > 0) throw new CliError(`${sent.failed.length} document(s) were not taken.`);
    });
}

interface Sent {
  readonly uploaded: { readonly file: string; readonly documentId: string; readonly passages: number }[];
  readonly failed: { readonly file: string; readonly code: string; readonly message: string }[];
}

/** Sends one document and resolves when it can be searched; throws CliError. */
export type SendDocument = (
  file: { readonly name: string; readonly content: Uint8Array },
  onProgress: (progress: UploadProgress) => void,
) => Promise<Pick<UploadProgress, 'documentId' | 'passages'>>;

interface PlainUploads {
  readonly path: string;
  readonly progressPath: (uploadId: string) => string;
  readonly fieldsOf: (name: string) => Readonly<Record<string, string>>;
}

export function plainUploads(api: Api, { path, progressPath, fieldsOf }: PlainUploads): SendDocument {
  return async (file, onProgress) => {
    const { uploadId } = await api.sendFile<StartedUpload>(path, file, fieldsOf(file.name));
    return await watch(api, progressPath(uploadId), onProgress);
  };
}

function sealedUploads(database: VectorDatabase, { id, metadata }: UploadOptions): SendDocument {
  const about = {
    ...(id !== undefined && { id }),
    ...(metadata !== undefined && { metadata: filterOf(metadata) as VectorMetadata }),
  };
  return async (file, onProgress) => {
    const content = new Uint8Array(file.content);
    return await orCliError(database.upload(content, { ...about, fileName: file.name, onProgress }));
  };
}

/** One after another; one that fails does not keep the others from being sent. */
export async function sendAll(
  { terminal }: Context,
  files: readonly DocumentFile[],
  send: SendDocument,
): Promise<Sent> {
  const sent: Sent = { uploaded: [], failed: [] };
  for (const [at, file] of files.entries()) {
    const label = files.length === 1 ? file.name : `${file.name} (${at + 1} of ${files.length})`;
    try {
      terminal.status(`${label}: sending`);
      const content = readFileSync(file.path);
      const { documentId, passages } = await send({ name: file.name, content }, (progress) =>
        terminal.status(`${label}: ${shown(progress)}`),
      );
      sent.uploaded.push({ file: file.path, documentId, passages });
    } catch (thrown) {
      if (!(thrown instanceof CliError)) throw thrown;
      sent.failed.push({ file: file.path, code: thrown.code, message: thrown.message });
      terminal.note(`${file.name}: ${thrown.message}`);
    }
  }
  terminal.status('');
  return sent;
}

/** Until it has ended; rejects when it failed. */
async function watch(
  api: Api,
  path: string,
  onProgress: (progress: UploadProgress) => void,
): Promise<UploadProgress> {
  for await (const event of api.events<UploadEvent>(path)) {
    if (event.type === 'error') throw new CliError(event.detail, { code: event.code });
    if (event.type === 'done') break;
    onProgress(event);
    if (event.error !== null) throw new CliError(event.error.message, { code: event.error.code });
    if (event.status === 'completed') return event;
  }
  throw new CliError('The server ended the stream. Send the document again: it goes on where it was.');
}

function shown({ status, pages, pagesDone, passages, embedded }: UploadProgress): string {
  if (pages !== null && pages > 0) return `${progressBar(pagesDone / pages)} page ${pagesDone} of ${pages}`;
  return status === 'embedding' ? `${embedded} of ${passages} passages` : status;
}

export function summary({ uploaded }: Sent): string {
  const passages = uploaded.reduce((sum, one) => sum + one.passages, 0);
  return `${uploaded.length} document(s) are in, ${passages} passages.`;
}
