import { events, getJson, json, jsonRequest, postJson, send } from './control.ts';
import { JellyFaaSError } from './error.ts';
import type { FileBody } from './functions.ts';
import { VECTORS_ID } from './sealed/binding.ts';
import type { Request, Session } from './session.ts';

export type VectorValue = string | number | boolean | null;
/** Flat: strings, numbers, truth values. */
export type VectorMetadata = Readonly<Record<string, VectorValue>>;
/** All fields have to fit: a value means equal, or for example `{ gte: 2024 }`. */
export type VectorFilter = Readonly<Record<string, VectorValue | VectorOperators>>;
export interface VectorOperators {
  readonly eq?: VectorValue;
  readonly ne?: VectorValue;
  readonly gt?: number | string;
  readonly gte?: number | string;
  readonly lt?: number | string;
  readonly lte?: number | string;
  readonly in?: readonly VectorValue[];
  readonly exists?: boolean;
}

export interface NewVectorDatabase {
  /** `sealed` (default) keeps passages, encrypted; `strict` asks a function of yours, the resolver, for the text. */
  readonly kind?: 'sealed' | 'strict';
  readonly resolver?: string;
  readonly metric?: 'cosine' | 'dot' | 'euclidean';
  /** Embedding model; the server's default unless given. */
  readonly model?: string;
  /** For vectors that you bring. */
  readonly dimensions?: number;
}

export interface VectorDatabaseInfo {
  readonly name: string;
  readonly kind: 'sealed' | 'strict';
  readonly metric: 'cosine' | 'dot' | 'euclidean';
  readonly dimensions: number;
  readonly model: string | null;
  readonly resolver: string | null;
  readonly createdAt: string;
}

export interface VectorDatabaseSize {
  readonly records: number;
  readonly documents: number;
  /** On disk. */
  readonly bytes: number;
  readonly index: 'exact' | 'building' | 'hnsw';
}

export interface UploadOptions {
  /** Replaces the document of this id; else the one of the same file name. */
  readonly id?: string;
  /** Its ending tells the format. A `File` brings its own. */
  readonly fileName?: string;
  readonly metadata?: VectorMetadata;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadProgress {
  readonly uploadId: string;
  readonly documentId: string;
  readonly status: 'queued' | 'reading' | 'embedding' | 'completed' | 'failed' | 'interrupted';
  readonly pagesDone: number;
  readonly pages: number | null;
  readonly passages: number;
  readonly embedded: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface VectorRecord {
  readonly id: string;
  readonly text?: string;
  readonly vector?: readonly number[];
  readonly metadata?: VectorMetadata;
}

export interface QueryOptions {
  readonly vector?: readonly number[];
  readonly topK?: number;
  readonly filter?: VectorFilter;
  readonly minScore?: number;
  readonly mode?: 'hybrid' | 'vector' | 'keyword';
  readonly rerank?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Span {
  readonly documentId: string;
  /** In UTF-16 code units of the document's text. */
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly headings: readonly string[];
}

export interface VectorHits {
  readonly hits: readonly {
    readonly id: string;
    readonly score: number | null;
    readonly keywordScore: number | null;
    readonly metadata: VectorMetadata;
    readonly text: string | null;
    readonly span: Span | null;
  }[];
  /** Strict databases: passages whose text has changed since. */
  readonly changed: readonly Span[];
}

export interface AskDocumentsOptions {
  /** What is searched for, if not the question itself. */
  readonly retrievalText?: string;
  readonly topK?: number;
  readonly filter?: VectorFilter;
  readonly minScore?: number;
  readonly rerank?: boolean;
  readonly platform?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface DocumentsAnswer {
  /** Markdown; `[1]` is the citation of that number. */
  readonly answer: string;
  /** `extractive`: no model, passages as they stand. `none`: nothing relevant was found. */
  readonly engine: 'model' | 'extractive' | 'none';
  readonly finish: 'complete' | 'length' | 'filtered';
  readonly citations: readonly (Span & {
    readonly number: number;
    readonly score: number | null;
    readonly quote: string;
  })[];
  readonly changed: readonly Span[];
  readonly platform: string | null;
  readonly model: string | null;
  readonly retention: 'none' | 'provider';
}

/** What is heard while documents are asked; the last one is `answer`. */
export type AskDocumentsEvent =
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'answer' } & DocumentsAnswer);

export interface VectorsOptions {
  /**
   * Seals documents, searches, questions and what is found between here and a sandbox of your own, and from there to the
   * process that has the database open: the platform's own gateway reads none of it. A document is then sealed whole. The
   * database is made and dropped in the clear.
   */
  readonly sealed?: boolean | undefined;
}

/** One vector database by its name; made by `client.vectors(name)`, whether it exists yet or not. */
export class VectorDatabase {
  readonly name: string;
  readonly #session: Session;

  /** Where its contents are sealed to. */
  readonly #sealedTo: string | undefined;

  constructor(session: Session, name: string, { sealed = false }: VectorsOptions = {}) {
    this.#session = session;
    this.#sealedTo = sealed ? VECTORS_ID : undefined;
    this.name = name;
  }

  create(options: NewVectorDatabase = {}): Promise<VectorDatabaseInfo> {
    return postJson(this.#session, VECTORS, { name: this.name, ...options });
  }

  describe(): Promise<VectorDatabaseInfo & VectorDatabaseSize> {
    return getJson(this.#session, this.#path(''));
  }

  /** Sends a document and resolves when it can be searched. The signal stops the waiting, not the work. */
  async upload(file: FileBody, options: UploadOptions = {}): Promise<UploadProgress> {
    const { id, fileName, metadata, onProgress, signal } = options;
    const form = new FormData();
    // Fields come first: the server reads the file as it arrives.
    if (id !== undefined) form.append('documentId', id);
    if (metadata !== undefined) form.append('metadata', JSON.stringify(metadata));
    const name = fileName ?? (file as Partial<File>).name;
    const blob = file instanceof Blob ? file : new Blob([file]);
    form.append('file', blob, name ?? 'document');
    const request = { method: 'POST', body: form, signal };
    if (this.#sealedTo !== undefined) return await this.#watch(this.#path('/documents'), request, onProgress);
    const { uploadId } = await this.#json<{ uploadId: string }>('/documents', request);
    return await this.#watch(`/api/v1/uploads/${encodeURIComponent(uploadId)}`, { signal }, onProgress);
  }

  upsert(records: readonly VectorRecord[]): Promise<{ readonly inserted: number; readonly updated: number }> {
    return this.#json('/records', jsonRequest({ records }));
  }

  delete(what: { ids: readonly string[] } | { filter: VectorFilter }): Promise<{ readonly deleted: number }> {
    return this.#json('/delete', jsonRequest(what));
  }

  /** The passages that are nearest to the text, or to the `vector` of the options. */
  query(text: string | undefined, { signal, ...options }: QueryOptions = {}): Promise<VectorHits> {
    return this.#json('/query', { ...jsonRequest({ text, ...options }), signal });
  }

  /** Asks the documents; with `stream: true`, what is heard meanwhile. */
  ask(
    question: string,
    options: AskDocumentsOptions & { readonly stream: true },
  ): AsyncGenerator<AskDocumentsEvent, void>;
  ask(
    question: string,
    options?: AskDocumentsOptions & { readonly stream?: false },
  ): Promise<DocumentsAnswer>;
  ask(
    question: string,
    { stream = false, signal, ...options }: AskDocumentsOptions & { readonly stream?: boolean } = {},
  ): Promise<DocumentsAnswer> | AsyncGenerator<AskDocumentsEvent, void> {
    const request = { ...jsonRequest({ question, ...options }), signal };
    if (!stream) return this.#json('/ask', request);
    return events(this.#session, this.#path('/ask'), { ...request, sealedTo: this.#sealedTo });
  }

  async documents(page: { readonly after?: string; readonly limit?: number } = {}): Promise<
    readonly {
      readonly documentId: string;
      readonly passages: number;
      readonly metadata: VectorMetadata;
    }[]
  > {
    const query = new URLSearchParams();
    if (page.after !== undefined) query.set('after', page.after);
    if (page.limit !== undefined) query.set('limit', String(page.limit));
    return (await this.#json<{ documents: [] }>(`/documents?${query.toString()}`, {})).documents;
  }

  async deleteDocument(id: string): Promise<void> {
    const request = { method: 'DELETE', sealedTo: this.#sealedTo };
    await send(this.#session, this.#path(`/documents/${encodeURIComponent(id)}`), request);
  }

  /** Destroys the database at once. The receipt is signed by the server: the key of this id is gone. */
  drop(): Promise<{ readonly id: string; readonly receipt: string }> {
    return json(this.#session, this.#path(''), { method: 'DELETE' });
  }

  /** The events of an upload, which they end. */
  async #watch(
    path: string,
    request: Request,
    onProgress: UploadOptions['onProgress'],
  ): Promise<UploadProgress> {
    let last: UploadProgress | undefined;
    const heard = events<UploadProgress & { type: string }>(this.#session, path, {
      ...request,
      sealedTo: this.#sealedTo,
    });
    for await (const { type: _, ...progress } of heard) {
      last = progress;
      onProgress?.(progress);
    }
    if (last?.status === 'completed') return last;
    const { code = 'sdk.answer_cut', message = 'The upload was not seen to its end.' } = last?.error ?? {};
    throw new JellyFaaSError(message, { errorId: code });
  }

  #json<T>(rest: string, request: Request): Promise<T> {
    return json(this.#session, this.#path(rest), { ...request, sealedTo: this.#sealedTo });
  }

  #path(rest: string): string {
    return `${VECTORS}/${encodeURIComponent(this.name)}${rest}`;
  }
}

const VECTORS = '/api/v1/vectors';

export async function listVectors(session: Session): Promise<readonly VectorDatabaseInfo[]> {
  return (await getJson<{ databases: VectorDatabaseInfo[] }>(session, VECTORS)).databases;
}
