import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Api, StartedUpload, UploadEvent, UploadProgress } from '../api.ts';
import { connect, print, withJson, type Context } from '../context.ts';
import { type DocumentFile, documentFiles } from '../document-files.ts';
import { CliError, usageError } from '../failure.ts';
import { progressBar } from '../terminal.ts';
import { databasePath, filterOf } from './vector-words.ts';

interface UploadOptions {
  readonly id?: string;
  readonly metadata?: string;
  readonly byPath?: boolean;
}

export function addVectorUpload(vectors: Command, context: Context): void {
  const upload = withJson(vectors.command('upload'))
    .description('send documents: PDF, DOCX, HTML, Markdown, CSV, text; one of the same name is replaced')
    .argument('<name>')
    .argument('<file...>', "files, or patterns like 'docs/**/*.md'")
    .option('--id <id>', 'the document, if it is one, instead of a hash of its name')
    .option('--metadata <json>', 'to filter by, for example \'{"year":2026}\'')
    .option('--by-path', 'tell files apart by their paths, not their names alone')
    .action(async (name: string, words: string[], options: UploadOptions) => {
      const files = documentFiles(words, { cwd: context.cwd, byPath: options.byPath === true });
      if (options.id !== undefined && files.length > 1) throw usageError('--id names one document.');
      const fields = {
        ...(options.id !== undefined && { documentId: options.id }),
        ...(options.metadata !== undefined && { metadata: JSON.stringify(filterOf(options.metadata)) }),
      };
      const sent = await sendAll(context, connect(context, upload), {
        path: databasePath(name, '/documents'),
        progressPath: (uploadId) => `/api/v1/uploads/${encodeURIComponent(uploadId)}`,
        files,
        fieldsOf: () => fields,
      });
      print(context, upload, { value: sent, lines: [summary(sent)] });
      if (sent.failed.length > 0) throw new CliError(`${sent.failed.length} document(s) were not taken.`);
    });
}

interface Sent {
  readonly uploaded: { readonly file: string; readonly documentId: string; readonly passages: number }[];
  readonly failed: { readonly file: string; readonly code: string; readonly message: string }[];
}

interface Sending {
  readonly path: string;
  readonly progressPath: (uploadId: string) => string;
  readonly files: readonly DocumentFile[];
  readonly fieldsOf: (file: DocumentFile) => Record<string, string>;
}

/** One after another; one that fails does not keep the others from being sent. */
export async function sendAll(
  { terminal }: Context,
  api: Api,
  { path, progressPath, files, fieldsOf }: Sending,
): Promise<Sent> {
  const sent: Sent = { uploaded: [], failed: [] };
  for (const [at, file] of files.entries()) {
    const label = files.length === 1 ? file.name : `${file.name} (${at + 1} of ${files.length})`;
    try {
      terminal.status(`${label}: sending`);
      const content = readFileSync(file.path);
      const { uploadId } = await api.sendFile<StartedUpload>(
        path,
        { name: file.name, content },
        fieldsOf(file),
      );
      const { documentId, passages } = await watch(api, progressPath(uploadId), (progress) =>
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
